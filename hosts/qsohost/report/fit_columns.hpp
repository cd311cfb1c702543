// Which columns of a fit product say what, whichever fitter wrote them: names with _post (after
// cleaning), without, or of a band of a joint fit.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "report/run_products.hpp"

namespace qsohost::cli {

struct LogBounds {
  double low, high;  // natural logarithms
};

// The fit of one light curve by a damped random walk. Column names; none where a fitter has no such
// column.
struct FitColumns {
  const Product* product = nullptr;
  std::string group{};                 // "ztf.g"
  std::string log_sigma{}, log_tau{};  // ln mag; ln d
  std::optional<std::string> log_d{};  // ln mag^2/d, D = sigma^2 / tau
  std::optional<std::string> flags{};
  std::optional<std::string> z{}, n_epochs{}, n_removed{}, baseline{}, cadence{}, mean{};
  std::optional<std::string> chi2_red{}, log_jitter{};
  bool is_joint = false;                                  // all bands have one tau
  bool in_rest_frame = true;                              // tau, D, baseline and cadence
  std::optional<LogBounds> sigma_bounds{}, tau_bounds{};  // from the chain in the header

  std::string name() const;  // "loo ztf.g"
  std::string id() const;    // the same of letters, digits and '-'
  // Whether a bound of the fitter stopped this fit: false where the header does not tell the
  // bounds.
  bool is_at_bound(double ln_sigma, double ln_tau) const;
};

// All fits of a run that have log_sigma and log_tau.
std::vector<FitColumns> fits_of(const RunProducts& run);

// The numbers of one object, of the columns of FitColumns; NaN where missing.
struct FitValues {
  std::vector<double> log_sigma, log_tau, log_d, flags, z, n_epochs, n_removed, baseline, cadence,
      mean, chi2_red, log_jitter;
  std::size_t size() const { return log_tau.size(); }
};
// `wanted`: the members to be read, e.g. {&FitValues::log_tau}; the others are empty.
FitValues read_fit(const FitColumns& fit,
                   std::initializer_list<std::vector<double> FitValues::*> wanted);

// A value of the column "flags" as bits; none for NaN, and for what no fitter writes.
std::int32_t bits_of(double flags);
bool has_flag(double flags, std::int32_t bits);

// Redshift of every row: that of the product, or else of the largest catalogue. NaN where there is
// none. A fit's redshift of 0 counts, see kZeroRedshift; a catalogue's means none.
std::vector<double> redshifts(const Product& product, const RunProducts& run);

}  // namespace qsohost::cli
