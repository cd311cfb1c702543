// Views of one object of a batch: what a fitter works on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/batch.hpp"

namespace qsohost::inline v1 {

// 2.5 / ln 10: magnitude error per relative flux error.
inline constexpr double kMagPerRelativeFlux = 1.0857362047581294;

// One band of one object in the order in which it was fetched; entry k of each vector is the same
// epoch. Days in the group's time system, magnitudes, magnitudes.
struct LightCurve {
  std::vector<double> time;
  std::vector<double> mag;
  std::vector<double> mag_err;
  std::size_t size() const { return time.size(); }
};

// One row of a batch. Cheap to copy; valid as long as the batch exists and keeps its rows, after
// which every use throws RunError. Spans and references that it returned are not checked: use them
// only within the call.
class QSOHOST_API Object {
 public:
  Object(const Batch& batch, std::size_t row)
      : batch_(&batch), row_(row), life_(&batch.liveness().counter()), born_(*life_) {}

  const Batch& batch() const {
    if (life_->load(std::memory_order_acquire) != born_) throw_gone();
    return *batch_;
  }
  std::size_t row() const { return row_; }
  std::string id() const { return batch().id(row_); }

  // An object column as double, null as NaN; throws RunError unless it exists and has one value per
  // object.
  double number(std::string_view column) const;

  // The columns that the group's info names; throws RunError if the group has none.
  LightCurve light_curve(std::string_view group) const;

  // This object's part of an epoch column; throws RunError unless it has one value per epoch.
  template <class T>
  std::span<const Stored<T>> epochs(std::string_view group, std::string_view column) const {
    const Group& g = batch().group(group);
    const Slice s = g.slice(row_);
    const Column& values = g.at(column);
    values.require_width(1);
    return values.template values<T>().subspan(s.first, s.count);
  }

 private:
  [[noreturn]] static void throw_gone();

  const Batch* batch_;
  std::size_t row_;
  const Liveness::Counter* life_;
  std::uint64_t born_;
};

// Epochs in time order that can be mapped back: position k of the sorted view is epoch original(k)
// of the light curve. Equal times keep their fetched order; only epochs with take[i] != 0 are in
// the view. Write results back with scatter(), never by a bare index.
class QSOHOST_API TimeOrder {
 public:
  explicit TimeOrder(std::span<const double> time, std::span<const std::uint8_t> take = {});

  std::size_t size() const { return order_.size(); }
  std::size_t original(std::size_t k) const { return order_[k]; }

  std::vector<double> gather(std::span<const double> fetched) const;

  // fetched[original(k)] = sorted[k]; epochs outside the view are left as they are.
  template <class T>
  void scatter(std::span<const T> sorted, std::span<T> fetched) const {
    for (std::size_t k = 0; k < order_.size(); ++k) fetched[order_[k]] = sorted[k];
  }

 private:
  std::vector<std::size_t> order_;
};

}  // namespace qsohost::inline v1
