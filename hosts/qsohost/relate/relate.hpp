// How a quantity of the fits of a run depends on other columns: a robust line through the best
// fits, and the population behind the posteriors, side by side.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "relate/correlation.hpp"
#include "relate/hierarchical.hpp"
#include "relate/robust.hpp"
#include "relate/sample.hpp"

namespace qsohost::cli {

// The robust line through the objects whose light curves vary most, as a selection that others use.
struct SelectedFit {
  double threshold = 0;      // of the signal-to-noise ratio
  std::string light_curves;  // the file
  RobustFit line;
  double intrinsic_scatter = 0;
};

// Of one fit product, or of several together. All quantities in dex.
struct Relation {
  Sample sample;
  RobustFit robust;
  // The robust scatter of the residuals without, in quadrature, the median error of y.
  double intrinsic_scatter = 0;
  std::vector<Correlation> correlations{};  // of y with each x, and at fixed log10(1 + z)
  std::optional<SelectedFit> selected{};
  std::optional<HierarchicalFit> hierarchical{};
  std::vector<std::size_t> hierarchical_rows{};  // of the sample, those that have a posterior
  std::string why_no_hierarchical{};
};

struct RelateOptions {
  std::filesystem::path run_dir;
  SampleOptions sample;
  std::vector<std::string> fits;  // "loo.ztf.g"; none: all of the run
  // Objects above this signal-to-noise ratio alone, for a second robust line; 0: the threshold that
  // leaves at most 3,000.
  std::optional<double> snr_cut;
  std::string light_curves;  // file for it; "": see light_curves_of
  Partner partner = Partner::Fitted;
};

// One relation for each fit product; a single one if several are asked for and loglambda is among
// the regressors. Throws UsageError and RunError.
std::vector<Relation> relate(const RelateOptions& options);

}  // namespace qsohost::cli
