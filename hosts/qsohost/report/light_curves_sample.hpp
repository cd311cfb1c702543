// Which objects the report shows light curves of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "report/light_curves_products.hpp"
#include "report/run_products.hpp"

namespace qsohost::cli {

struct ChosenObject {
  std::string id;
  std::string why;  // the outcome for which it was chosen: "fitted", "largest chi2"
};

// At most `count` objects with rows in products of light curves, taken in turn from each outcome of
// the fits and of the archives (random ones, by `seed`) and from the extremes of the fits. The same
// for equal products whatever their order in the file. Memory does not grow with the products.
std::vector<ChosenObject> choose_objects(const RunProducts& run,
                                         const std::vector<SurveyCurves>& surveys,
                                         std::size_t count, std::uint64_t seed);

}  // namespace qsohost::cli
