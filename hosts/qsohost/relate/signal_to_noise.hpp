// How far light curves vary in comparison with their errors.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/run_products.hpp"

namespace qsohost::cli {

// The product of light curves that has this group: the file called `name`, or, if that is empty,
// the smallest, which is the one that was cleaned most. Throws UsageError if there is none.
const Product& light_curves_of(const RunProducts& run, std::string_view group,
                               const std::string& name);

// (P95 - P5 of mag) / median of mag_err, epochs with finite values only; percentiles are
// interpolated linearly. One for each of `ids`, NaN of those without two epochs.
std::vector<double> signal_to_noise(const Product& curves, std::string_view group,
                                    const std::vector<std::string>& ids);

// The threshold that leaves at most 3,000: raised from 5 in steps of 0.5.
double automatic_threshold(const std::vector<double>& signal_to_noise);

}  // namespace qsohost::cli
