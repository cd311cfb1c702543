#include "report/fit_columns.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <ranges>
#include <utility>

#include "nan.hpp"
#include "qsohost/io/text.hpp"
#include "qsohost/light_curve_fitter.hpp"
#include "report/object_columns.hpp"
#include "report/plot_parts.hpp"

namespace qsohost::cli {
namespace {

// "loo.tau_bounds = [0.1, 10000.0]" in the chain that the header tells, as logarithms.
std::optional<LogBounds> bounds_of(const Product& product, const std::string& option) {
  const std::string begin = product.stage + "." + option + " = [";
  for (const std::string& line : product.history) {
    if (!line.starts_with(begin) || !line.ends_with(']')) continue;
    const std::size_t comma = line.find(',');
    if (comma == std::string::npos) return std::nullopt;
    const auto low = parse_double(line.substr(begin.size(), comma - begin.size()));
    const auto high = parse_double(line.substr(comma + 1, line.size() - comma - 2));
    if (low && high && *low > 0 && *high > *low) return LogBounds{std::log(*low), std::log(*high)};
  }
  return std::nullopt;
}

bool says_observed_frame(const Product& product, const std::string& column) {
  const auto at =
      std::ranges::find(product.columns, column, [](const InputColumn& c) { return c.info.name; });
  return at != product.columns.end() &&
         at->info.description.find("observed frame") != std::string::npos;
}

void fill_common(FitColumns& fit) {
  const Product& product = *fit.product;
  fit.z = number_column(product, {"z"});
  fit.flags = first_column(product, {"flags"});
  fit.baseline = first_column(product, {"baseline"});
  fit.cadence = first_column(product, {"median_cadence"});
  fit.in_rest_frame = !says_observed_frame(product, fit.log_tau);
  fit.sigma_bounds = bounds_of(product, "sigma_bounds");
  fit.tau_bounds = bounds_of(product, "tau_bounds");
}

std::optional<FitColumns> single(const Product& product) {
  FitColumns fit{.product = &product, .group = product.group};
  const auto log_sigma = first_column(product, {"log_sigma_post", "log_sigma"});
  const auto log_tau = first_column(product, {"log_tau_post", "log_tau"});
  if (!log_sigma || !log_tau) return std::nullopt;
  fit.log_sigma = *log_sigma;
  fit.log_tau = *log_tau;
  fit.log_d = first_column(product, {"logD_post", "logD"});
  fit.n_epochs = first_column(product, {"n_epochs"});
  fit.n_removed = first_column(product, {"n_removed"});
  fit.mean = first_column(product, {"mean_post", "mean"});
  fit.chi2_red = first_column(product, {"chi2_red_post", "chi2_red"});
  fit.log_jitter = first_column(product, {"log_jitter_post", "log_jitter"});
  fill_common(fit);
  return fit;
}

std::vector<FitColumns> bands_of_joint(const Product& product) {
  static constexpr std::string_view kSigma = "log_sigma_";
  std::vector<FitColumns> fits;
  for (const InputColumn& column : product.columns) {
    if (!column.info.name.starts_with(kSigma)) continue;
    const std::string band = column.info.name.substr(kSigma.size());
    FitColumns fit{.product = &product, .group = band, .log_sigma = column.info.name};
    if (const auto line = band.find('_'); line != std::string::npos) fit.group[line] = '.';
    fit.log_tau = "log_tau";
    fit.log_d = first_column(product, {"logD_" + band});
    fit.n_epochs = first_column(product, {"n_epochs_" + band});
    fit.n_removed = first_column(product, {"n_removed_" + band});
    fit.mean = first_column(product, {"mean_" + band});
    fit.is_joint = true;
    fill_common(fit);
    fits.push_back(std::move(fit));
  }
  return fits;
}

}  // namespace

std::string FitColumns::name() const {
  return product->stage + " " + group;
}

std::string FitColumns::id() const {
  return id_of(name());
}

std::vector<FitColumns> fits_of(const RunProducts& run) {
  std::vector<FitColumns> fits;
  for (const Product* product : run.of_kind(ProductKind::Fit)) {
    if (auto fit = single(*product)) fits.push_back(std::move(*fit));
  }
  for (const Product* product : run.of_kind(ProductKind::JointFit)) {
    std::ranges::move(bands_of_joint(*product), std::back_inserter(fits));
  }
  return fits;
}

FitValues read_fit(const FitColumns& fit,
                   std::initializer_list<std::vector<double> FitValues::*> wanted) {
  const std::array<std::pair<std::vector<double> FitValues::*, std::optional<std::string>>, 12>
      columns{{{&FitValues::log_sigma, fit.log_sigma},
               {&FitValues::log_tau, fit.log_tau},
               {&FitValues::log_d, fit.log_d},
               {&FitValues::flags, fit.flags},
               {&FitValues::z, fit.z},
               {&FitValues::n_epochs, fit.n_epochs},
               {&FitValues::n_removed, fit.n_removed},
               {&FitValues::baseline, fit.baseline},
               {&FitValues::cadence, fit.cadence},
               {&FitValues::mean, fit.mean},
               {&FitValues::chi2_red, fit.chi2_red},
               {&FitValues::log_jitter, fit.log_jitter}}};
  FitValues values;
  std::vector<std::string> names;
  std::vector<std::vector<double> FitValues::*> members;
  for (const auto& [member, column] : columns) {
    if (std::ranges::find(wanted, member) == wanted.end()) continue;
    if (column) {
      names.push_back(*column);
      members.push_back(member);
    } else {
      (values.*member).assign(fit.product->rows, kNan);
    }
  }
  std::vector<std::vector<double>> read = read_numbers(*fit.product, names);
  for (std::size_t i = 0; i < members.size(); ++i) values.*members[i] = std::move(read[i]);
  return values;
}

bool FitColumns::is_at_bound(double ln_sigma, double ln_tau) const {
  static constexpr double kNear = 1e-3;  // a climb stops within this of a bound that stops it
  const auto is_at = [](double value, const std::optional<LogBounds>& bounds) {
    return bounds &&
           (std::abs(value - bounds->low) < kNear || std::abs(value - bounds->high) < kNear);
  };
  return is_at(ln_sigma, sigma_bounds) || is_at(ln_tau, tau_bounds);
}

std::int32_t bits_of(double flags) {
  const bool are_bits = flags >= 0 && flags <= std::numeric_limits<std::int32_t>::max();
  return are_bits ? static_cast<std::int32_t>(flags) : 0;
}

bool has_flag(double flags, std::int32_t bits) {
  return (bits_of(flags) & bits) != 0;
}

std::vector<double> redshifts(const Product& product, const RunProducts& run) {
  if (const auto column = number_column(product, {"z"})) {
    std::vector<double> z = read_numbers(product, std::span(&*column, 1))[0];
    std::ranges::replace_if(
        z, [](double v) { return !is_redshift(v) && v != 0; }, kNan);
    if (std::ranges::any_of(z, is_redshift)) return z;
  }
  const Product* catalogue = largest_catalogue(run);
  const auto column = catalogue == nullptr ? std::nullopt : number_column(*catalogue, {"z"});
  if (!column || catalogue == &product) return std::vector<double>(product.rows, kNan);
  std::vector<double> all = read_numbers(*catalogue, std::span(&*column, 1))[0];
  std::ranges::replace_if(
      all, [](double v) { return !is_redshift(v); }, kNan);
  return pick(all, ObjectIndex(*catalogue).rows_of(product));
}

}  // namespace qsohost::cli
