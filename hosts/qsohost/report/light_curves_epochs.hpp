// The epochs of sampled objects, and by which stage and rule of the chain each was removed.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "nan.hpp"
#include "report/light_curves_products.hpp"
#include "report/light_curves_rules.hpp"

namespace qsohost::cli {

// One light curve of one object as a product has it.
struct BandEpochs {
  GroupInfo info;
  std::string unit{};             // of the magnitudes
  std::vector<Column> columns{};  // as a batch calls them, one value an epoch
  std::vector<double> time, mag{}, mag_err{};
  std::vector<Removal> removed{};  // one an epoch; see Removal::is_kept
};

// Which epochs of `earlier` are in `later`, whose epochs are some of them in the same order; none
// if they are not. Equal are epochs whose time, magnitude and error have the same bits.
std::optional<std::vector<std::uint8_t>> find_kept(const BandEpochs& earlier,
                                                   const BandEpochs& later);

// The products of one survey, for the objects of a sample.
class CurvesOfSurvey {
 public:
  CurvesOfSurvey(const SurveyCurves& survey, const std::set<std::string>& ids);

  // The epochs of the first product that has the object, with what later products lack marked as
  // removed by the first or last stage that may have done it; rules are not known yet. Empty if no
  // product has the object. `notes`: what the reader should know.
  std::vector<BandEpochs> read(const std::string& id, std::vector<std::string>& notes);
  // The chain up to the last product.
  const Product& last() const { return tables_.back().product(); }

 private:
  std::vector<SampledRows> tables_;
};

// Tells the rules of one object's removed epochs, of all surveys: a filter may look at other light
// curves of the object too.
void name_rules(std::vector<BandEpochs>& bands, RemovalRules& rules);

}  // namespace qsohost::cli
