#include "ztf_store.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "qsohost/error.hpp"

namespace qsohost::skysim {

namespace {

std::vector<std::size_t> all_of(std::size_t n) {
  std::vector<std::size_t> all(n);
  std::iota(all.begin(), all.end(), std::size_t{0});
  return all;
}

}  // namespace

const Column& LightCurveRow::at(std::string_view column) const {
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if ((*fields)[i].info.name == column) return cells[i].values;
  }
  throw RunError(fmt::format("ztf_light_curves.fits has no column '{}'", column));
}

ZtfStore::ZtfStore(const std::filesystem::path& folder)
    : curves_file_(folder / "ztf_light_curves.fits") {
  FitsTable objects(folder / "ztf_objects.fits");
  fields_ = objects.fields();
  cells_ = objects.read(0, objects.rows(), all_of(fields_.size()));
  for (const Cells& cells : cells_) cells.values.require_width(1);
  curves_ = std::make_unique<FitsTable>(curves_file_);
  if (curves_->rows() != objects.rows()) {
    throw RunError(fmt::format("{}: {} rows, but ztf_objects.fits has {}; make the sky again",
                               curves_file_.string(), curves_->rows(), objects.rows()));
  }
  by_oid_ = all_of(objects.rows());
  by_dec_ = by_oid_;
  const auto oids = column("oid").values<std::int64_t>();
  const auto decs = column("dec").values<double>();
  std::ranges::sort(by_oid_, {}, [&](std::size_t i) { return oids[i]; });
  std::ranges::sort(by_dec_, {}, [&](std::size_t i) { return decs[i]; });
}

bool ZtfStore::has_column(std::string_view name) const {
  return std::ranges::any_of(fields_, [&](const FitsField& f) { return f.info.name == name; });
}

const Column& ZtfStore::column(std::string_view name) const {
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].info.name == name) return cells_[i].values;
  }
  throw RunError(fmt::format("ztf_objects.fits has no column '{}'", name));
}

std::vector<std::size_t> ZtfStore::in_circle(const Position& centre, double radius) const {
  const auto ras = column("ra").values<double>();
  const auto decs = column("dec").values<double>();
  const auto oids = column("oid").values<std::int64_t>();
  const double degrees = radius / 3600;
  const auto dec_of = [&](std::size_t i) { return decs[i]; };
  const auto first = std::ranges::lower_bound(by_dec_, centre.dec - degrees, {}, dec_of);
  const auto last = std::ranges::upper_bound(by_dec_, centre.dec + degrees, {}, dec_of);
  std::vector<std::size_t> inside;
  for (auto it = first; it < last; ++it) {
    if (separation_arcsec(centre, {ras[*it], decs[*it]}) <= radius) inside.push_back(*it);
  }
  std::ranges::sort(inside, {}, [&](std::size_t i) { return oids[i]; });
  return inside;
}

std::optional<std::size_t> ZtfStore::find(std::int64_t oid) const {
  const auto oids = column("oid").values<std::int64_t>();
  const auto it =
      std::ranges::lower_bound(by_oid_, oid, {}, [&](std::size_t i) { return oids[i]; });
  if (it == by_oid_.end() || oids[*it] != oid) return std::nullopt;
  return *it;
}

LightCurveRow ZtfStore::light_curve(std::size_t place) const {
  std::unique_ptr<FitsTable> table;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      table = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!table) table = std::make_unique<FitsTable>(curves_file_);
  LightCurveRow row;
  row.fields = &curves_->fields();
  row.cells = table->read(place, 1, all_of(row.fields->size()));
  row.epochs = row.at("mjd").size();
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(table));
  return row;
}

}  // namespace qsohost::skysim
