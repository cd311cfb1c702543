#include "curve_collector.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

#include <qsohost/error.hpp>
#include <qsohost/time_system.hpp>

namespace ztf {

void refuse_columns(const std::vector<std::string>& there,
                    const std::vector<std::string_view>& missing) {
  const std::string names = fmt::format("{}", fmt::join(there, ", ")).substr(0, 300);
  const auto has = [&](std::string_view name) {
    return std::ranges::find(there, name) != there.end();
  };
  // None of the columns: not a table of light curves but a message of the archive.
  if (!has("oid") && !has("mjd")) {
    throw qsohost::TryAgain(fmt::format("no ZTF light curves; the answer begins: {}", names));
  }
  throw qsohost::BadObject(
      fmt::format("the answer has no column {}; there is {}", fmt::join(missing, ", "), names));
}

std::optional<std::uint8_t> band_of(std::string_view filter) {
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    if (filter.size() == 2 && filter[0] == 'z' && filter[1] == kBands[band][0]) {
      return static_cast<std::uint8_t>(band);
    }
  }
  return std::nullopt;
}

std::string wrong_filter(std::string_view filter) {
  return fmt::format("column filtercode: '{}' is none of zg, zr, zi", filter);
}

std::string wrong_cell(const ColumnRule& rule, std::string_view cell) {
  return fmt::format("column {}: '{}' is not a number of type {}", rule.name, cell,
                     qsohost::name_of(rule.dtype));
}

std::string problem_of(const Epoch& epoch) {
  if (!std::isfinite(epoch.ra) || !std::isfinite(epoch.dec) || std::isinf(epoch.mjd)) {
    return fmt::format("position ({}, {}) or mjd ({}) is not finite", epoch.ra, epoch.dec,
                       epoch.mjd);
  }
  const std::string misplaced = qsohost::misplaced_time(qsohost::kMjdUtc, epoch.mjd);
  return misplaced.empty() ? "" : fmt::format("column mjd: {}: {}", epoch.mjd, misplaced);
}

void CurveCollector::add(const Epoch& epoch) {
  if (curves_.empty() || epoch.oid != last().oid) {
    last_ = index_.try_emplace(epoch.oid, curves_.size()).first->second;
  }
  if (last_ == curves_.size()) {
    sums_.push_back({epoch.ra, epoch.dec});
    curves_.push_back({.oid = epoch.oid,
                       .field = epoch.field,
                       .ccdid = epoch.ccdid,
                       .qid = epoch.qid,
                       .band = epoch.band});
  }
  PositionSum& sum = sums_[last_];
  const double east = epoch.ra - sum.first_ra;
  sum.offset_ra += std::abs(east) < 180 ? east : std::remainder(east, 360.0);  // the same, sooner
  sum.offset_dec += epoch.dec - sum.first_dec;
  curves_[last_].epochs.push_back(epoch);
}

std::vector<Curve> CurveCollector::take() {
  set_positions();
  sort();
  return std::move(curves_);
}

void CurveCollector::set_positions() {
  for (std::size_t k = 0; k < curves_.size(); ++k) {
    const auto n = static_cast<double>(curves_[k].epochs.size());
    curves_[k].ra = sums_[k].first_ra + sums_[k].offset_ra / n;
    curves_[k].dec = sums_[k].first_dec + sums_[k].offset_dec / n;
  }
}

// The archive's responses are mostly in this order, but that is not guaranteed.
void CurveCollector::sort() {
  std::ranges::sort(curves_, {}, &Curve::oid);
  const auto key = [](const Epoch& epoch) {  // NaN has no order
    return std::tuple(std::isnan(epoch.mjd), std::isnan(epoch.mjd) ? 0 : epoch.mjd, epoch.expid);
  };
  const auto is_earlier = [&](const Epoch& a, const Epoch& b) { return key(a) < key(b); };
  for (Curve& curve : curves_) {
    if (std::ranges::is_sorted(curve.epochs, is_earlier)) continue;
    std::ranges::stable_sort(curve.epochs, is_earlier);
  }
}

}  // namespace ztf
