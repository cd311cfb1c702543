#include "report/residuals.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>

#include "qsohost/ou_prediction.hpp"
#include "report/curve_rows.hpp"
#include "report/object_columns.hpp"
#include "report/plot_parts.hpp"

namespace qsohost::cli {
namespace {

constexpr std::uint64_t kSeed = 2;
constexpr double kSdOfMad = 1.4826;  // of a normal distribution

// What the fit says of one object.
struct Fitted {
  OuParameters parameters;
  double jitter = 0;   // mag
  double stretch = 1;  // times are divided by this
  std::size_t epochs = 0;
};

std::vector<std::pair<std::uint64_t, Fitted>> sample_fits(const FitColumns& fit,
                                                          const RunProducts& run) {
  const FitValues values =
      read_fit(fit, {&FitValues::log_sigma, &FitValues::log_tau, &FitValues::mean,
                     &FitValues::n_epochs, &FitValues::n_removed, &FitValues::log_jitter});
  const bool has_jitter = fit.log_jitter.has_value();
  const std::vector<double> z = redshifts(*fit.product, run);
  std::vector<std::pair<std::uint64_t, Fitted>> out;
  for (const std::uint64_t row : sample_rows(*fit.product, kResidualObjects, kSeed)) {
    const double stretch = fit.in_rest_frame ? 1 + z[row] : 1;
    const double removed = std::isfinite(values.n_removed[row]) ? values.n_removed[row] : 0;
    const double epochs = values.n_epochs[row] - removed;
    const double jitter = has_jitter ? std::exp(values.log_jitter[row]) : 0;
    const OuParameters ou{values.log_sigma[row], values.log_tau[row], values.mean[row]};
    if (!std::isfinite(ou.log_sigma + ou.log_tau + ou.mean + stretch + jitter) || !(epochs > 0)) {
      continue;
    }
    out.emplace_back(row, Fitted{ou, jitter, stretch, static_cast<std::size_t>(epochs)});
  }
  return out;
}

// The rows of a light-curve product that belong to the sample.
struct SampledCurves {
  const Product* product;
  std::vector<std::uint64_t> rows;
  std::vector<const Fitted*> fits;
};

SampledCurves curves_of(const Product& product, const FitColumns& fit,
                        const std::vector<std::pair<std::uint64_t, Fitted>>& sample) {
  SampledCurves out{&product, {}, {}};
  const std::vector<std::uint64_t> rows = ObjectIndex(product).rows_of(*fit.product);
  for (const auto& [row, fitted] : sample) {
    if (rows[row] == IdIndex::kNone) continue;
    out.rows.push_back(rows[row]);
    out.fits.push_back(&fitted);
  }
  return out;
}

std::size_t count_agreeing(const SampledCurves& curves, const std::string& group) {
  std::size_t agreeing = 0;
  each_curve(*curves.product, group, curves.rows, [&](std::size_t k, const LightCurve& curve) {
    agreeing += usable(curve).size() == curves.fits[k]->epochs ? 1 : 0;
  });
  return agreeing;
}

// Products are tried from the last of the chain on; one with nine of ten objects will do.
std::optional<SampledCurves> find_curves(
    const FitColumns& fit, const RunProducts& run,
    const std::vector<std::pair<std::uint64_t, Fitted>>& sample) {
  std::optional<SampledCurves> best;
  std::size_t most = 0;
  for (const Product* product : curve_products(run, fit.group)) {
    SampledCurves curves = curves_of(*product, fit, sample);
    const std::size_t agreeing = count_agreeing(curves, fit.group);
    if (agreeing <= most) continue;
    most = agreeing;
    best = std::move(curves);
    if (10 * agreeing >= 9 * sample.size()) break;
  }
  return best;
}

double robust_variance(const std::vector<double>& values) {
  const double middle = median(values);
  std::vector<double> deviations;
  for (const double v : values) deviations.push_back(std::abs(v - middle));
  const double sd = kSdOfMad * median(std::move(deviations));
  return sd * sd;
}

void add_object(LightCurve curve, const Fitted& fitted, LooResiduals& to) {
  std::vector<double> variances, residuals, expected;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    curve.time[i] /= fitted.stretch;
    variances.push_back(curve.mag_err[i] * curve.mag_err[i] + fitted.jitter * fitted.jitter);
  }
  const OuPrediction loo = leave_one_out_ou({curve.time, curve.mag, variances}, fitted.parameters);
  for (std::size_t i = 0; i < curve.size(); ++i) {
    expected.push_back(loo.variance[i] + variances[i]);
    residuals.push_back((curve.mag[i] - loo.mean[i]) / std::sqrt(expected[i]));
  }
  // White noise of variance x^2 makes the standardised residuals' variance 1 + x^2 / expected.
  const double excess = (robust_variance(residuals) - 1) * median(std::move(expected));
  to.mag.push_back(fitted.parameters.mean);
  to.excess.push_back(std::copysign(std::sqrt(std::abs(excess)), excess));
  to.standardised.insert(to.standardised.end(), residuals.begin(), residuals.end());
  ++to.objects;
}

}  // namespace

std::optional<LooResiduals> loo_residuals(const FitColumns& fit, const RunProducts& run) {
  if (fit.is_joint) return std::nullopt;  // an epoch there depends on those of other bands, too
  const auto sample = sample_fits(fit, run);
  const auto curves = find_curves(fit, run, sample);
  if (!curves) return std::nullopt;
  LooResiduals out{.curves = curves->product};
  each_curve(*curves->product, fit.group, curves->rows,
             [&](std::size_t k, const LightCurve& fetched) {
               LightCurve curve = usable(fetched);
               if (curve.size() == curves->fits[k]->epochs) {
                 add_object(std::move(curve), *curves->fits[k], out);
               } else {
                 ++out.other_epochs;
               }
             });
  return out;
}

}  // namespace qsohost::cli
