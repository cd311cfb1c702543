#include "qsohost/light_curve.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

std::vector<double> numbers(const Group& group, const std::string& column, Slice slice) {
  if (column.empty()) {
    throw RunError(fmt::format(
        "group '{}' is no light curve: it names no time, mag and mag_err; choose another group",
        group.name()));
  }
  const Column& values = group.at(column);
  values.require_width(1);
  std::vector<double> out(slice.count);
  for (std::size_t k = 0; k < slice.count; ++k) out[k] = values.number(slice.first + k);
  return out;
}

}  // namespace

void Object::throw_gone() {
  throw RunError(
      "it used an Object whose batch is gone or has lost rows; an Object is good for the call it "
      "came with: copy what is needed later (light_curve() gives a copy, epochs() does not)");
}

double Object::number(std::string_view column) const {
  const Column& values = batch().objects().at(column);
  values.require_width(1);
  return values.number(row_);
}

LightCurve Object::light_curve(std::string_view group_name) const {
  const Group& group = batch().group(group_name);
  const Slice slice = group.slice(row_);
  const GroupInfo& info = group.info();
  return {numbers(group, info.time, slice), numbers(group, info.mag, slice),
          numbers(group, info.mag_err, slice)};
}

TimeOrder::TimeOrder(std::span<const double> time, std::span<const std::uint8_t> take) {
  if (!take.empty() && take.size() != time.size()) {
    throw RunError(
        fmt::format("{} times, but a mask of {}; it must have as many", time.size(), take.size()));
  }
  order_.reserve(time.size());
  for (std::size_t i = 0; i < time.size(); ++i) {
    if (take.empty() || take[i] != 0) order_.push_back(i);
  }
  std::stable_sort(order_.begin(), order_.end(),
                   [&](std::size_t a, std::size_t b) { return time[a] < time[b]; });
}

std::vector<double> TimeOrder::gather(std::span<const double> fetched) const {
  std::vector<double> out(order_.size());
  for (std::size_t k = 0; k < order_.size(); ++k) out[k] = fetched[order_[k]];
  return out;
}

}  // namespace qsohost::inline v1
