#include "relate/signal_to_noise.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "nan.hpp"
#include "qsohost/error.hpp"
#include "relate/robust.hpp"

namespace qsohost::cli {
namespace {

const GroupInfo* group_of(const Product& product, std::string_view group) {
  for (const GroupInfo& info : product.epochs.groups) {
    if (info.name == group) return &info;
  }
  return nullptr;
}

std::string column_of(const Product& product, std::string_view group, std::string_view name) {
  for (const FitsEpochColumn& c : product.epochs.columns) {
    if (c.group == group && c.name == name) return c.column;
  }
  throw RunError(fmt::format("{}: no column '{}' of {}, which --snr-cut needs",
                             product.file.string(), name, group));
}

double percentile(const std::vector<double>& sorted, double fraction) {
  const double at = fraction * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double signal_to_noise_of(std::vector<double> mag, std::vector<double> mag_err) {
  if (mag.size() < 2) return kNan;
  std::ranges::sort(mag);
  return (percentile(mag, 0.95) - percentile(mag, 0.05)) / median_of(std::move(mag_err));
}

}  // namespace

const Product& light_curves_of(const RunProducts& run, std::string_view group,
                               const std::string& name) {
  const Product* best = nullptr;
  for (const Product* product : run.of_kind(ProductKind::LightCurves)) {
    if (group_of(*product, group) == nullptr) continue;
    if (!name.empty() && product->file.filename() != name) continue;
    const bool is_smaller = best == nullptr || std::filesystem::file_size(product->file) <
                                                   std::filesystem::file_size(best->file);
    if (is_smaller) best = product;
  }
  if (best != nullptr) return *best;
  throw UsageError(fmt::format(
      "--snr-cut: {} has no light curves of {}{}{}; write them by a fits-sink in the chain, or "
      "leave --snr-cut out",
      run.folder().string(), group, name.empty() ? "" : " in ", name));
}

std::vector<double> signal_to_noise(const Product& curves, std::string_view group,
                                    const std::vector<std::string>& ids) {
  const GroupInfo& info = *group_of(curves, group);
  std::unordered_map<std::string, double> values;
  const std::vector<std::string> columns{"source_id", column_of(curves, group, info.mag),
                                         column_of(curves, group, info.mag_err)};
  constexpr std::uint64_t kBlock = 256;  // rows; each may have thousands of epochs
  const auto visit = [&](const Rows& rows) {
    const std::vector<std::string> names = rows.texts(0);
    rows.require_equal_lengths({1, 2});
    const std::vector<double> mag = rows.array_numbers(1), mag_err = rows.array_numbers(2);
    std::size_t at = 0;
    for (std::size_t i = 0; i < names.size(); ++i) {
      std::vector<double> m, e;
      for (std::uint64_t k = 0; k < rows.length(1, i); ++k, ++at) {
        if (!std::isfinite(mag[at]) || !(mag_err[at] > 0)) continue;
        m.push_back(mag[at]);
        e.push_back(mag_err[at]);
      }
      values.emplace(names[i], signal_to_noise_of(std::move(m), std::move(e)));
    }
  };
  each_block(curves, columns, visit, kBlock);
  std::vector<double> out;
  for (const std::string& id : ids) {
    const auto found = values.find(id);
    out.push_back(found == values.end() ? kNan : found->second);
  }
  return out;
}

double automatic_threshold(const std::vector<double>& signal_to_noise) {
  constexpr std::ptrdiff_t kMost = 3000;
  double threshold = 5;
  const auto left = [&] {
    return std::ranges::count_if(signal_to_noise, [&](double s) { return s > threshold; });
  };
  while (left() > kMost) threshold += 0.5;
  return threshold;
}

}  // namespace qsohost::cli
