// A typed column of a catalogue or of epochs: contiguous values, a unit, and a validity mask if the
// archive has nulls. Missing floats are NaN.
#pragma once

#include <cstddef>
#include <cstdint>
#include <new>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

// The numbers are a file format, that of the columns stored in run.db: do not change them.
enum class DType : std::uint8_t {
  Bool = 0,
  I16 = 1,
  I32 = 2,
  I64 = 3,
  F32 = 4,
  F64 = 5,
  String = 6
};

QSOHOST_API std::string_view name_of(DType dtype);  // "bool", "i16", ... "f64", "string"

// Strings end to end in one buffer: no allocation per value.
class QSOHOST_API StringArray {
 public:
  std::size_t size() const { return ends_.size(); }
  std::string_view operator[](std::size_t i) const {
    const std::size_t begin = i == 0 ? 0 : ends_[i - 1];
    return {bytes_.data() + begin, ends_[i] - begin};
  }
  void push_back(std::string_view value);
  void resize(std::size_t n);  // shortens, or adds empty strings
  std::size_t bytes() const { return bytes_.size() + ends_.size() * sizeof(std::size_t); }
  std::size_t longest() const;

 private:
  std::string bytes_;
  std::vector<std::size_t> ends_;
};

// Memory of columns. Freed large blocks are kept, up to a limit, for the columns of the next batch:
// memory fresh from the system costs more than reading a file into it.
QSOHOST_API void* take_column_memory(std::size_t bytes);
QSOHOST_API void give_column_memory(void* block, std::size_t bytes) noexcept;

// Values that resize() adds without an initial value stay uninitialised.
template <class T>
struct ColumnAllocator {
  using value_type = T;
  ColumnAllocator() = default;
  template <class U>
  explicit ColumnAllocator(const ColumnAllocator<U>& /*other*/) noexcept {}
  T* allocate(std::size_t n) { return static_cast<T*>(take_column_memory(n * sizeof(T))); }
  void deallocate(T* p, std::size_t n) noexcept { give_column_memory(p, n * sizeof(T)); }
  template <class U>
  void construct(U* p) noexcept {
    ::new (static_cast<void*>(p)) U;
  }
  template <class U, class V>
  void construct(U* p, V&& value) noexcept {
    ::new (static_cast<void*>(p)) U(std::forward<V>(value));
  }
  bool operator==(const ColumnAllocator& /*other*/) const = default;
};

// bool is stored one byte a value, so that every column has a span.
template <class T>
using Stored = std::conditional_t<std::is_same_v<T, bool>, std::uint8_t, T>;

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, bool>)
    return DType::Bool;
  else if constexpr (std::is_same_v<T, std::int16_t>)
    return DType::I16;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return DType::I32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return DType::I64;
  else if constexpr (std::is_same_v<T, float>)
    return DType::F32;
  else if constexpr (std::is_same_v<T, double>)
    return DType::F64;
  else {
    static_assert(std::is_same_v<T, std::string>, "not a type that a column can hold");
    return DType::String;
  }
}

struct ColumnInfo {
  std::string name;
  DType dtype = DType::F64;
  std::string unit;         // FITS spelling: "mag", "d", "deg", "arcsec"; "" for none
  std::string description;  // one line
  std::size_t width = 1;    // elements per cell: fixed vectors of a catalogue have more than one
  // Axes of a cell that is more than a vector, the fastest first as in FITS; their product is
  // `width`. Empty for vectors.
  std::vector<std::size_t> shape{};
};

// A cell is what one row (or one epoch) holds: `width` values. size() counts cells.
class QSOHOST_API Column {
 public:
  explicit Column(ColumnInfo info);

  const ColumnInfo& info() const { return info_; }
  const std::string& name() const { return info_.name; }
  void rename(std::string name) { info_.name = std::move(name); }
  void set_unit(std::string unit) { info_.unit = std::move(unit); }  // the values stay as they are
  DType dtype() const { return info_.dtype; }
  std::size_t width() const { return info_.width; }
  // Throws RunError when cells have another width: for code that counts values by rows or epochs.
  void require_width(std::size_t width) const;
  std::size_t size() const;
  std::size_t bytes() const;

  // All values, size() * width() of them. A type other than dtype() throws RunError.
  template <class T>
  std::span<const Stored<T>> values() const {
    require(dtype_of<T>());
    return std::get<Values<Stored<T>>>(data_);
  }
  template <class T>
  std::span<Stored<T>> values() {
    require(dtype_of<T>());
    return std::get<Values<Stored<T>>>(data_);
  }
  const StringArray& strings() const;

  // Adds one value; a cell of width w needs w calls.
  template <class T>
  void append(T value) {
    require(dtype_of<T>());
    std::get<Values<Stored<T>>>(data_).push_back(static_cast<Stored<T>>(value));
    if (!valid_.empty()) valid_.push_back(1);
  }
  void append_string(std::string_view value);
  void append_null();  // a whole cell: NaN, 0, false or ""
  void append_cells(const Column& other, std::size_t first, std::size_t count);
  // The same counted in values, whatever the widths; the caller ends with whole cells.
  void append_values(const Column& other, std::size_t first, std::size_t count);

  // A number of any numeric type as double; a null is NaN. Throws RunError for strings.
  double number(std::size_t value_index) const;

  // Nulls, value by value. A column without nulls has an empty mask.
  bool has_nulls() const { return !valid_.empty(); }
  bool is_null(std::size_t value_index) const {
    return !valid_.empty() && valid_[value_index] == 0;
  }
  // One entry a value, 0 for a null; empty without nulls.
  std::span<const std::uint8_t> validity() const { return valid_; }
  void set_null(std::size_t value_index);

  void reserve(std::size_t cells);
  void resize(std::size_t cells);                 // new cells: NaN, 0, false or ""; not null
  void resize_unfilled(std::size_t cells);        // new cells: uninitialised, to be overwritten
  void keep(std::span<const std::uint8_t> mask);  // one entry a cell, 0 = removed

 private:
  template <class T>
  using Values = std::vector<T, ColumnAllocator<T>>;
  using Data = std::variant<Values<std::uint8_t>, Values<std::int16_t>, Values<std::int32_t>,
                            Values<std::int64_t>, Values<float>, Values<double>, StringArray>;
  void require(DType dtype) const;
  std::size_t value_count() const;

  ColumnInfo info_;
  Data data_;
  std::vector<std::uint8_t> valid_;  // one entry a value, or empty
};

}  // namespace qsohost::inline v1
