// Collects epochs into light curves, and says what is wrong with rows: the same for responses in
// memory and for files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "ztf_answer.hpp"
#include "ztf_columns.hpp"

namespace ztf {

// Throws TryAgain if these are the columns of something else, else BadObject.
[[noreturn]] void refuse_columns(const std::vector<std::string>& there,
                                 const std::vector<std::string_view>& missing);

std::optional<std::uint8_t> band_of(std::string_view filter);  // index in kBands
std::string wrong_filter(std::string_view filter);
std::string wrong_cell(const ColumnRule& rule, std::string_view cell);

// Why a row is malformed; empty if it is not.
std::string problem_of(const Epoch& epoch);

class CurveCollector {
 public:
  void add(const Epoch& epoch);
  bool empty() const { return curves_.empty(); }
  const Epoch& last() const { return curves_[last_].epochs.back(); }
  // The curves by oid, their epochs in order.
  std::vector<Curve> take();

 private:
  // Offsets from the first epoch's position (deg), so that RA may wrap at 0.
  struct PositionSum {
    double first_ra = 0;
    double first_dec = 0;
    double offset_ra = 0;
    double offset_dec = 0;
  };
  void set_positions();
  void sort();

  std::vector<Curve> curves_;
  std::vector<PositionSum> sums_;                        // one per curve
  std::unordered_map<std::int64_t, std::size_t> index_;  // oid to curve
  std::size_t last_ = 0;                                 // the curve of the previous row
};

}  // namespace ztf
