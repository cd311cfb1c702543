#include "relate/relate.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "qsohost/error.hpp"
#include "qsohost/names.hpp"
#include "relate/signal_to_noise.hpp"

namespace qsohost::cli {
namespace {

// The values of the rows listed.
std::vector<double> picked(const std::vector<double>& values,
                           const std::vector<std::size_t>& rows) {
  std::vector<double> out;
  out.reserve(rows.size());
  for (const std::size_t i : rows) out.push_back(values[i]);
  return out;
}

std::vector<std::vector<double>> picked(const std::vector<std::vector<double>>& columns,
                                        const std::vector<std::size_t>& rows) {
  std::vector<std::vector<double>> out;
  for (const std::vector<double>& column : columns) out.push_back(picked(column, rows));
  return out;
}

// A number for each object.
std::vector<std::size_t> objects_of(const Sample& sample, const std::vector<std::size_t>& rows) {
  std::unordered_map<std::string_view, std::size_t> numbers;
  std::vector<std::size_t> out;
  for (const std::size_t i : rows) {
    out.push_back(numbers.try_emplace(sample.source_id[i], numbers.size()).first->second);
  }
  return out;
}

RobustFit line_through(const Sample& sample, const std::vector<std::size_t>& rows) {
  return robust_line(picked(sample.x, rows), picked(sample.y, rows), objects_of(sample, rows));
}

double intrinsic(const RobustFit& line, const Sample& sample,
                 const std::vector<std::size_t>& rows) {
  std::vector<double> errors = picked(sample.y_err, rows);
  std::erase_if(errors, [](double e) { return !std::isfinite(e); });
  if (errors.empty()) return std::nan("");
  const double error = median_of(std::move(errors));
  return std::sqrt(std::max(0.0, line.scatter * line.scatter - error * error));
}

std::vector<Correlation> correlations_of(const Sample& sample,
                                         const std::vector<std::size_t>& used) {
  std::vector<std::size_t> rows = used;
  std::erase_if(rows, [&](std::size_t i) { return !std::isfinite(sample.z[i]); });
  const std::vector<double> y = picked(sample.y, rows), z = picked(sample.z, rows);
  std::vector<Correlation> out;
  for (const std::vector<double>& x : sample.x) {
    out.push_back(rank_correlation(picked(x, rows), y, z));
  }
  return out;
}

SelectedFit selected_line(const RunProducts& run, const Sample& sample,
                          const std::vector<std::size_t>& used, const RelateOptions& options) {
  SelectedFit out;
  std::vector<std::size_t> rows;
  std::vector<double> all(sample.y.size());
  for (const Product& fit : sample.products) {
    const auto k = static_cast<std::size_t>(&fit - sample.products.data());
    const Product& curves = light_curves_of(run, fit.group, options.light_curves);
    out.light_curves += (out.light_curves.empty() ? "" : ", ") + curves.file.filename().string();
    const std::vector<double> snr = signal_to_noise(curves, fit.group, sample.source_id);
    for (const std::size_t i : used) {
      if (sample.fit[i] == k) all[i] = snr[i];
    }
  }
  out.threshold = *options.snr_cut > 0 ? *options.snr_cut : automatic_threshold(picked(all, used));
  std::ranges::copy_if(used, std::back_inserter(rows),
                       [&](std::size_t i) { return all[i] > out.threshold; });
  try {
    out.line = line_through(sample, rows);
  } catch (const RunError& error) {
    throw RunError(fmt::format("--snr-cut: above {}, {}", out.threshold, error.what()));
  }
  out.intrinsic_scatter = intrinsic(out.line, sample, rows);
  return out;
}

void add_population(const Sample& sample, const std::vector<std::size_t>& used, Partner partner,
                    Relation& out) {
  SamplePosteriors posteriors = read_posteriors(sample, used);
  const std::vector<std::size_t>& rows = posteriors.rows;
  out.hierarchical =
      fit_population(posteriors.nodes, picked(sample.x, rows), picked(sample.y, rows),
                     picked(sample.partner, rows), objects_of(sample, rows), partner);
  out.hierarchical_rows = std::move(posteriors.rows);
}

std::string counts_of(const Sample& sample) {
  std::vector<std::size_t> counts(sample.reasons.size() + 1);
  for (const std::uint8_t why : sample.why) ++counts[why];
  std::string out;
  for (std::size_t k = 0; k < sample.reasons.size(); ++k) {
    if (counts[k + 1] > 0) out += fmt::format("; {} {}", counts[k + 1], sample.reasons[k]);
  }
  return fmt::format("{} of {} used{}", counts[0], sample.y.size(), out);
}

Relation relation_of(const RunProducts& run, Sample sample, const RelateOptions& options) {
  Relation out;
  const std::vector<std::size_t> used = sample.used();
  try {
    out.robust = line_through(sample, used);
  } catch (const RunError& error) {
    throw RunError(
        fmt::format("{}: {} ({})", fmt::join(sample.fits, " + "), error.what(), counts_of(sample)));
  }
  out.intrinsic_scatter = intrinsic(out.robust, sample, used);
  out.correlations = correlations_of(sample, used);
  if (options.snr_cut) out.selected = selected_line(run, sample, used, options);
  try {
    add_population(sample, used, options.partner, out);
  } catch (const RunError& error) {
    out.why_no_hierarchical = error.what();
  }
  out.sample = std::move(sample);
  return out;
}

std::vector<const Product*> fits_of(const RunProducts& run, const std::vector<std::string>& names) {
  std::vector<const Product*> all = run.of_kind(ProductKind::Fit);
  std::erase_if(all, [](const Product* product) { return !has_sigma_and_tau(*product); });
  std::vector<std::string> known;
  for (const Product* product : all) known.push_back(product->extension);
  if (all.empty()) {
    throw UsageError(fmt::format(
        "{}: no results of fits of single bands, as fits-sink writes those of ou-fit and ou-loo "
        "when a run is finished; add them to its chain",
        run.folder().string()));
  }
  if (names.empty()) return all;
  std::vector<const Product*> out;
  for (const std::string& name : names) {
    const auto at = std::ranges::find(known, name);
    if (at == known.end()) {
      throw UsageError(fmt::format("--fit: no '{}' in {}{}", name, run.folder().string(),
                                   did_you_mean(name, known)));
    }
    out.push_back(all[static_cast<std::size_t>(at - known.begin())]);
  }
  return out;
}

}  // namespace

std::vector<Relation> relate(const RelateOptions& options) {
  const RunProducts run(options.run_dir);
  const std::vector<const Product*> fits = fits_of(run, options.fits);
  const bool has_wavelength =
      std::ranges::find(options.sample.x, "loglambda") != options.sample.x.end();
  std::vector<Relation> out;
  if (options.fits.size() > 1 && has_wavelength) {
    Sample sample = read_sample(run, *fits.front(), options.sample);
    for (std::size_t k = 1; k < fits.size(); ++k) {
      append(sample, read_sample(run, *fits[k], options.sample));
    }
    out.push_back(relation_of(run, std::move(sample), options));
    return out;
  }
  for (const Product* fit : fits) {
    out.push_back(relation_of(run, read_sample(run, *fit, options.sample), options));
  }
  return out;
}

}  // namespace qsohost::cli
