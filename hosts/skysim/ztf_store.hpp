// The ZTF objects and light curves of a sky from `skysim make`, by oid and by position.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "qsohost/io/fits.hpp"
#include "sphere.hpp"

namespace qsohost::skysim {

// One row of ztf_light_curves: its columns and their cells, in the file's order.
struct LightCurveRow {
  const std::vector<FitsField>* fields = nullptr;
  std::vector<Cells> cells;
  std::size_t epochs = 0;

  const Column& at(std::string_view column) const;
};

class ZtfStore {
 public:
  explicit ZtfStore(const std::filesystem::path& folder);  // throws RunError

  // Positions in objects() of those inside the circle, ascending by oid. Radius in arcsec.
  std::vector<std::size_t> in_circle(const Position& centre, double radius) const;
  std::optional<std::size_t> find(std::int64_t oid) const;

  const std::vector<FitsField>& fields() const { return fields_; }
  const Column& column(std::string_view name) const;  // of ztf_objects; throws RunError
  bool has_column(std::string_view name) const;
  std::size_t size() const { return by_oid_.size(); }

  LightCurveRow light_curve(std::size_t place) const;  // thread-safe

 private:
  std::filesystem::path curves_file_;
  std::vector<FitsField> fields_;
  std::vector<Cells> cells_;
  std::vector<std::size_t> by_oid_;
  std::vector<std::size_t> by_dec_;
  // Open tables that are not in use: a table serves one thread at a time.
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<FitsTable>> idle_;
  std::unique_ptr<FitsTable> curves_;
};

}  // namespace qsohost::skysim
