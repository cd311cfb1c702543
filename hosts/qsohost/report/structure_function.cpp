// Ensemble structure function by band, beside what the fits say it should be.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>
#include <random>
#include <utility>

#include "qsohost/light_curve_fitter.hpp"
#include "report/curve_rows.hpp"
#include "report/ensemble_sf.hpp"
#include "report/fit_columns.hpp"
#include "report/object_columns.hpp"
#include "report/plot_parts.hpp"
#include "report/sections.hpp"

namespace qsohost::cli {
namespace {

constexpr std::uint64_t kSeed = 1;
constexpr std::size_t kMostObjects = 2000, kMostEpochs = 200;

// One band: what was measured, and the fits of the same objects.
struct BandSample {
  EnsembleSf sf{};
  bool is_rest_frame = true;
  std::size_t objects = 0, without_z = 0, two_sources = 0, thinned = 0;
  std::vector<double> log_sigma{}, log_tau{};  // in the frame of the lags
};

// A random part of the epochs; pairs of all of them would take too long.
LightCurve thin(const LightCurve& curve, std::uint64_t seed) {
  std::vector<std::size_t> all(curve.size()), some;
  std::iota(all.begin(), all.end(), std::size_t{0});
  std::ranges::sample(all, std::back_inserter(some), kMostEpochs, std::mt19937_64(seed));
  LightCurve out;
  for (const std::size_t i : some) {
    out.time.push_back(curve.time[i]);
    out.mag.push_back(curve.mag[i]);
    out.mag_err.push_back(curve.mag_err[i]);
  }
  return out;
}

const FitColumns* fit_of(const std::vector<FitColumns>& fits, const std::string& group) {
  const auto fit = std::ranges::find(fits, group, &FitColumns::group);
  return fit == fits.end() ? nullptr : &*fit;
}

// Adds the object's fit, if it has one, for the model.
void add_fit(const FitColumns& fit, double ln_sigma, double ln_tau, double z, BandSample& sample) {
  if (!std::isfinite(ln_sigma) || !std::isfinite(ln_tau)) return;
  if (sample.is_rest_frame && !fit.in_rest_frame) ln_tau -= std::log1p(z);
  sample.log_sigma.push_back(ln_sigma);
  sample.log_tau.push_back(ln_tau);
}

// What is known of the objects of a light-curve product, row by row; NaN where nothing is.
struct Known {
  std::vector<double> z, log_sigma, log_tau, flags;
};

Known known_of(const Product& product, const FitColumns* fit, const RunProducts& run) {
  if (fit == nullptr) {
    const std::vector<double> none(product.rows, std::numeric_limits<double>::quiet_NaN());
    return {redshifts(product, run), none, none, none};
  }
  const auto at = ObjectIndex(*fit->product).rows_of(product);
  const FitValues values =
      read_fit(*fit, {&FitValues::log_sigma, &FitValues::log_tau, &FitValues::flags});
  return {pick(redshifts(*fit->product, run), at), pick(values.log_sigma, at),
          pick(values.log_tau, at), pick(values.flags, at)};
}

BandSample measure(const Product& product, const std::string& group, const FitColumns* fit,
                   const RunProducts& run) {
  const Known known = known_of(product, fit, run);
  BandSample sample;
  sample.is_rest_frame = std::ranges::any_of(known.z, [](double v) { return std::isfinite(v); });
  const std::vector<std::uint64_t> rows = sample_rows(product, kMostObjects, kSeed);
  each_curve(product, group, rows, [&](std::size_t k, const LightCurve& fetched) {
    LightCurve curve = usable(fetched);
    const std::uint64_t row = rows[k];
    if (curve.size() < 2) return;
    if (sample.is_rest_frame && std::isnan(known.z[row])) {
      ++sample.without_z;
      return;
    }
    if (has_flag(known.flags[row], kTwoSources)) {
      ++sample.two_sources;
      return;
    }
    if (curve.size() > kMostEpochs) {
      curve = thin(curve, row);
      ++sample.thinned;
    }
    const double stretch = sample.is_rest_frame ? 1 + known.z[row] : 1;
    for (double& t : curve.time) t /= stretch;
    sample.sf.add(curve, sample.objects++);
    if (fit == nullptr) return;
    add_fit(*fit, known.log_sigma[row], known.log_tau[row], known.z[row], sample);
  });
  return sample;
}

plot::Points points_of(const std::vector<SfPoint>& measured, const std::string& group) {
  plot::Points points{
      .label = group, .x = {}, .y = {}, .style = plot::style_of_band(group), .size = 4};
  for (const SfPoint& p : measured) {
    points.x.push_back(p.lag);
    points.y.push_back(p.sf);
    const double error = std::isfinite(p.error) ? p.error : 0;
    points.y_low.push_back(std::max(p.sf - error, 0.1 * p.sf));  // the axis is logarithmic
    points.y_high.push_back(p.sf + error);
  }
  return points;
}

// Two lines: the mean of all fits' structure functions, and that of median sigma and tau.
void add_models(const BandSample& sample, const std::string& group, double from, double to,
                plot::Figure& figure) {
  if (sample.log_tau.empty()) return;
  const double sigma = std::exp(median(sample.log_sigma)), tau = std::exp(median(sample.log_tau));
  plot::Line mean{group + ", mean of fits", {}, {}, plot::style_of_band(group)};
  plot::Line typical{group + ", median fit", {}, {}, plot::style_of_band(group)};
  mean.style.dash = 0;
  typical.style.dash = 1;
  for (const double lg : equal_bins(std::log10(from), std::log10(to), 40)) {
    const double lag = std::pow(10, lg);
    double sum = 0;
    for (std::size_t i = 0; i < sample.log_tau.size(); ++i) {
      sum += drw_sf_squared(std::exp(sample.log_sigma[i]), std::exp(sample.log_tau[i]), lag);
    }
    mean.x.push_back(lag);
    mean.y.push_back(std::sqrt(sum / static_cast<double>(sample.log_tau.size())));
    typical.x.push_back(lag);
    typical.y.push_back(std::sqrt(drw_sf_squared(sigma, tau, lag)));
  }
  figure.layers.emplace_back(std::move(mean));
  figure.layers.emplace_back(std::move(typical));
}

std::string caption_of(const BandSample& sample, const std::string& group, const Product& product) {
  std::string text = fmt::format("{} ({}): {}, {} pairs", group, product.file.filename().string(),
                                 of_objects(sample.objects, product.rows), sample.sf.pairs());
  if (sample.thinned > 0) text += fmt::format("; {} curves thinned", sample.thinned);
  if (sample.without_z > 0) text += fmt::format("; {} without z left out", sample.without_z);
  if (sample.two_sources > 0) {
    text += fmt::format("; {} flagged as two sources left out", sample.two_sources);
  }
  return text + ". ";
}

void add_band(const std::string& group, const std::vector<FitColumns>& fits, const RunProducts& run,
              plot::Figure& figure) {
  const auto products = curve_products(run, group);
  if (products.empty()) return;
  const BandSample sample = measure(*products[0], group, fit_of(fits, group), run);
  const std::vector<SfPoint> measured = sample.sf.points();
  if (measured.empty()) return;
  figure.x.label = sample.is_rest_frame ? "lag (d), rest frame" : "lag (d), observed frame";
  figure.layers.emplace_back(points_of(measured, group));
  add_models(sample, group, measured.front().lag, measured.back().lag, figure);
  figure.caption += caption_of(sample, group, *products[0]);
}

std::string survey_of(const std::string& group) {
  return group.substr(0, group.find('.'));
}

}  // namespace

Section structure_function_section(const RunProducts& run) {
  Section section{.id = "structure-function", .title = "Structure function"};
  const std::vector<FitColumns> fits = fits_of(run);
  std::vector<std::string> surveys;
  const std::vector<std::string> groups = curve_groups(run);
  for (const std::string& group : groups) {
    if (std::ranges::find(surveys, survey_of(group)) == surveys.end()) {
      surveys.push_back(survey_of(group));
    }
  }
  for (const std::string& survey : surveys) {
    plot::Figure figure{
        .id = "structure-function-" + id_of(survey),
        .title = survey + ", ensemble",
        .alt = fmt::format("Structure function of the light curves of {} against the lag.", survey),
        .x = {.label = "lag (d)", .scale = plot::Scale::Log},
        .y = {.label = "structure function (mag)", .scale = plot::Scale::Log},
        .layers = {}};
    for (const std::string& group : groups) {
      if (survey_of(group) == survey) add_band(group, fits, run, figure);
    }
    if (!figure.layers.empty()) section.figures.push_back(std::move(figure));
  }
  if (section.figures.empty()) return section;
  section.paragraphs.push_back(fmt::format(
      "SF^2 = <dm^2 - e_i^2 - e_j^2> over the pairs of an object, then the mean over objects, of "
      "the last light curves of each band in the chain: measurement noise is subtracted. Errors: "
      "jackknife "
      "over {} parts of the objects. At most {} objects a band, drawn at random, and {} epochs of "
      "each. Lines: SF^2 = 2 sigma^2 (1 - exp(-lag/tau)), the mean over the fits of the same "
      "objects, and for the median sigma and tau.",
      EnsembleSf::kParts, kMostObjects, kMostEpochs));
  return section;
}

}  // namespace qsohost::cli
