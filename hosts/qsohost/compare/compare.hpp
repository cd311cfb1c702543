// For hosts: several fitters on the same light curves, side by side.
//
// The table has a row for each object, light curve and fitter:
//   source_id, group, band, fitter
//   n_epochs, n_removed, n_parameters, flags
//                                   missing where a fitter does not provide them
//   seconds                         CPU time of the object's fit, split evenly among its light
//                                   curves
//   failure                         why there are no results, or ""
//   loglike, aic, bic, chi2         as in <qsohost/light_curve_fitter.hpp>, or NaN
// and every other number that one of the fitters adds for a light curve, by its name. If a fitter
// gives a result twice, for all epochs and for those kept (ou-loo: loglike_full and loglike_post),
// that for all epochs is compared, as the other fitters fit all; that for those kept is in the
// table alone, as no other fitter has fitted just these n_epochs - n_removed epochs.
//
// The summary is of each light curve (ztf.g) for itself: bands are not pooled. Fits that are
// flagged as not to be trusted count like others unless they are left out.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"

namespace qsohost::cli {

// A fitted jitter is at its lower bound: flag of fitters that have a result log_jitter.
inline constexpr std::int32_t kJitterAtBound = 1 << 16;

// What is done with light curves for which one of two fitters has set a flag of
// <qsohost/light_curve_fitter.hpp> that says that it is not to be trusted (kShortBaseline and on).
enum class Flagged : std::uint8_t { Compared, LeftOut };

struct FitterScore {
  std::string fitter, group;
  std::uint64_t curves = 0;
  std::uint64_t failed = 0;
  std::vector<std::pair<std::string, std::uint64_t>> reasons{};  // of failures, with counts
  std::uint64_t flagged = 0;                                     // of those that did not fail
  std::vector<std::pair<std::string, std::uint64_t>> doubts{};   // what flags say, with counts
  std::uint64_t with_jitter = 0;                                 // with a fitted jitter
  std::uint64_t jitter_at_bound = 0;                             // of these
  double median_seconds = 0;  // of a light curve, including failed ones
  double total_seconds = 0;
};

// For light curves that both fitted. Differences are first - second; the median of an empty set is
// NaN.
struct PairScore {
  struct Criterion {
    std::uint64_t curves = 0;  // for which both have it
    double median_difference = 0;
    std::uint64_t first_is_lower = 0;  // and so the first is preferred
    std::uint64_t second_is_lower = 0;
  };
  struct Difference {
    std::string name;
    std::uint64_t curves = 0;
    double median = 0;
  };
  std::string first, second, group;
  std::uint64_t curves = 0;        // compared
  std::uint64_t left_out = 0;      // because flagged
  std::uint64_t other_epochs = 0;  // left out because their n_epochs differ
  // Without values if one mean is marginal and the other is not.
  Criterion aic{}, bic{};
  std::vector<Difference> others{};  // loglike, chi2, and results of the same name and unit
};

struct CompareReport {
  RunReport run;
  std::vector<FitterScore> fitters;
  std::vector<PairScore> pairs;
  std::vector<std::string> notes;  // what is to be known of the comparison
  std::filesystem::path table;     // empty if the run failed
};

// Runs a chain that was loaded with a FitterComparison, as a dry run with `options`, and writes
// `table`: CSV by its extension, else FITS. An existing file is replaced only on success; after an
// interrupt the file has the objects done so far. Memory does not grow with the number of objects,
// except for the medians at the end, 8 bytes a light curve.
CompareReport compare(Chain& chain, RunOptions options, const std::filesystem::path& table,
                      Flagged flagged = Flagged::Compared);

}  // namespace qsohost::cli
