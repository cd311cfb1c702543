#include "qsohost/column.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

std::string_view name_of(DType dtype) {
  switch (dtype) {
    case DType::Bool:
      return "bool";
    case DType::I16:
      return "i16";
    case DType::I32:
      return "i32";
    case DType::I64:
      return "i64";
    case DType::F32:
      return "f32";
    case DType::F64:
      return "f64";
    case DType::String:
      return "string";
  }
  return "?";
}

void StringArray::push_back(std::string_view value) {
  bytes_ += value;
  ends_.push_back(bytes_.size());
}

void StringArray::resize(std::size_t n) {
  if (n < ends_.size()) bytes_.resize(n == 0 ? 0 : ends_[n - 1]);
  ends_.resize(n, bytes_.size());
}

std::size_t StringArray::longest() const {
  std::size_t longest = 0;
  for (std::size_t i = 0; i < size(); ++i) longest = std::max(longest, (*this)[i].size());
  return longest;
}

namespace {

template <class V>
using Element = typename V::value_type;

// The initial value of a new cell.
template <class T>
constexpr T blank() {
  if constexpr (std::is_floating_point_v<T>)
    return std::numeric_limits<T>::quiet_NaN();
  else
    return T{};
}

template <class V>
constexpr bool is_strings = std::is_same_v<std::remove_cvref_t<V>, StringArray>;

}  // namespace

Column::Column(ColumnInfo info) : info_(std::move(info)) {
  if (info_.width == 0)
    throw RunError(fmt::format("column '{}' has width 0; it must be at least 1", info_.name));
  const std::vector<std::size_t>& shape = info_.shape;
  const auto product = std::reduce(shape.begin(), shape.end(), std::size_t{1}, std::multiplies{});
  if (!shape.empty() && product != info_.width) {
    throw RunError(
        fmt::format("column '{}' has a shape of {} values, but width {}; they must be equal",
                    info_.name, product, info_.width));
  }
  switch (info_.dtype) {
    case DType::Bool:
      data_.emplace<Values<std::uint8_t>>();
      break;
    case DType::I16:
      data_.emplace<Values<std::int16_t>>();
      break;
    case DType::I32:
      data_.emplace<Values<std::int32_t>>();
      break;
    case DType::I64:
      data_.emplace<Values<std::int64_t>>();
      break;
    case DType::F32:
      data_.emplace<Values<float>>();
      break;
    case DType::F64:
      data_.emplace<Values<double>>();
      break;
    case DType::String:
      data_.emplace<StringArray>();
      break;
  }
}

void Column::require(DType dtype) const {
  if (dtype != info_.dtype) {
    throw RunError(fmt::format("column '{}' holds {}, not {}", info_.name, name_of(info_.dtype),
                               name_of(dtype)));
  }
}

void Column::require_width(std::size_t width) const {
  if (width == info_.width) return;
  throw RunError(fmt::format("column '{}' has cells of {} values, where {} {} wanted", info_.name,
                             info_.width, width, width == 1 ? "is" : "are"));
}

std::size_t Column::value_count() const {
  return std::visit([](const auto& v) { return v.size(); }, data_);
}

std::size_t Column::size() const {
  return value_count() / info_.width;
}

std::size_t Column::bytes() const {
  return valid_.size() + std::visit(
                             [](const auto& v) -> std::size_t {
                               if constexpr (is_strings<decltype(v)>)
                                 return v.bytes();
                               else
                                 return v.size() * sizeof(v[0]);
                             },
                             data_);
}

const StringArray& Column::strings() const {
  require(DType::String);
  return std::get<StringArray>(data_);
}

void Column::append_string(std::string_view value) {
  require(DType::String);
  std::get<StringArray>(data_).push_back(value);
  if (!valid_.empty()) valid_.push_back(1);
}

void Column::append_null() {
  const std::size_t first = value_count();
  resize(size() + 1);
  for (std::size_t i = first; i < first + info_.width; ++i) set_null(i);
}

void Column::append_cells(const Column& other, std::size_t first, std::size_t count) {
  if (other.width() != width()) {
    throw RunError(fmt::format("column '{}' has {} elements a cell, not {}", info_.name,
                               other.width(), width()));
  }
  append_values(other, first * width(), count * width());
}

void Column::append_values(const Column& other, std::size_t first, std::size_t count) {
  other.require(info_.dtype);
  const std::size_t before = value_count();
  const std::size_t begin = first;
  const std::size_t end = first + count;
  std::visit(
      [&](auto& mine) {
        const auto& theirs = std::get<std::remove_reference_t<decltype(mine)>>(other.data_);
        if constexpr (is_strings<decltype(mine)>) {
          for (std::size_t i = begin; i < end; ++i) mine.push_back(theirs[i]);
        } else {
          mine.insert(mine.end(), theirs.begin() + static_cast<std::ptrdiff_t>(begin),
                      theirs.begin() + static_cast<std::ptrdiff_t>(end));
        }
      },
      data_);
  if (valid_.empty() && other.valid_.empty()) return;
  if (valid_.empty()) valid_.assign(before, 1);
  for (std::size_t i = begin; i < end; ++i) valid_.push_back(other.is_null(i) ? 0 : 1);
}

double Column::number(std::size_t value_index) const {
  if (info_.dtype == DType::String) {
    throw RunError(fmt::format("column '{}' holds strings, not numbers", info_.name));
  }
  if (is_null(value_index)) return std::numeric_limits<double>::quiet_NaN();
  return std::visit(
      [&](const auto& v) -> double {
        if constexpr (is_strings<decltype(v)>)
          return std::numeric_limits<double>::quiet_NaN();
        else
          return static_cast<double>(v[value_index]);
      },
      data_);
}

void Column::set_null(std::size_t value_index) {
  if (valid_.empty()) valid_.assign(value_count(), 1);
  valid_[value_index] = 0;
  std::visit(
      [&](auto& v) {
        if constexpr (!is_strings<decltype(v)>) {
          v[value_index] = blank<Element<std::remove_reference_t<decltype(v)>>>();
        }
      },
      data_);
}

void Column::reserve(std::size_t cells) {
  std::visit(
      [&](auto& v) {
        if constexpr (!is_strings<decltype(v)>) v.reserve(cells * info_.width);
      },
      data_);
}

void Column::resize(std::size_t cells) {
  const std::size_t n = cells * info_.width;
  std::visit(
      [&](auto& v) {
        if constexpr (is_strings<decltype(v)>)
          v.resize(n);
        else
          v.resize(n, blank<Element<std::remove_reference_t<decltype(v)>>>());
      },
      data_);
  if (!valid_.empty()) valid_.resize(n, 1);
}

void Column::resize_unfilled(std::size_t cells) {
  const std::size_t n = cells * info_.width;
  std::visit([n](auto& v) { v.resize(n); }, data_);
  if (!valid_.empty()) valid_.resize(n, 1);
}

void Column::keep(std::span<const std::uint8_t> mask) {
  if (mask.size() != size()) {
    throw RunError(fmt::format("column '{}' has {} cells, the mask {}; it must have as many",
                               info_.name, size(), mask.size()));
  }
  const std::size_t w = info_.width;
  const auto width = static_cast<std::ptrdiff_t>(w);
  const auto compact = [&](auto& v) {
    auto to = v.begin();
    for (auto cell = mask.begin(); cell != mask.end();) {
      // Runs of cells that stay; those before the first cell that goes are in place.
      const auto first = std::find_if(cell, mask.end(), [](std::uint8_t stays) { return stays; });
      cell = std::find(first, mask.end(), std::uint8_t{0});
      const auto from = v.begin() + (first - mask.begin()) * width;
      const auto end = v.begin() + (cell - mask.begin()) * width;
      to = from == to ? end : std::copy(from, end, to);
    }
    v.resize(static_cast<std::size_t>(to - v.begin()));
  };
  std::visit(
      [&](auto& v) {
        if constexpr (is_strings<decltype(v)>) {
          StringArray kept;
          for (std::size_t i = 0; i < v.size(); ++i) {
            if (mask[i / w] != 0) kept.push_back(v[i]);
          }
          v = std::move(kept);
        } else {
          compact(v);
        }
      },
      data_);
  if (!valid_.empty()) compact(valid_);
}

}  // namespace qsohost::inline v1
