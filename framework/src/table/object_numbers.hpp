// Numbers objects in the order in which their identifiers first appear.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "qsohost/column.hpp"

namespace qsohost::inline io_v1 {

class ObjectNumbers {
 public:
  // `ids`: empty, as identifiers.hpp's id_column() makes it.
  explicit ObjectNumbers(Column ids) : ids_(std::move(ids)) {}
  ObjectNumbers(const ObjectNumbers&) = delete;
  ObjectNumbers& operator=(const ObjectNumbers&) = delete;

  // The number of the object with this identifier, from 0; it is added if it is new.
  std::uint64_t number_of(const Column& ids, std::size_t i) {
    const Id id{&ids, i};
    if (last_ < ids_.size() && Equal{&ids_}(id, last_)) return last_;
    const auto it = numbers_.find(id);
    if (it != numbers_.end()) return last_ = *it;
    ids_.append_cells(ids, i, 1);
    last_ = ids_.size() - 1;
    numbers_.insert(last_);
    return last_;
  }

  const Column& ids() const { return ids_; }  // of each object

 private:
  // The set holds numbers alone; the identifiers that it compares are in `ids_`.
  struct Id {
    const Column* column;
    std::size_t i;
  };
  static bool equal(const Id& a, const Id& b) {
    if (a.column->dtype() == DType::String) {
      return a.column->strings()[a.i] == b.column->strings()[b.i];
    }
    return a.column->values<std::int64_t>()[a.i] == b.column->values<std::int64_t>()[b.i];
  }
  struct Hash {
    using is_transparent = void;
    const Column* ids;
    std::size_t operator()(std::uint64_t number) const { return (*this)(Id{ids, number}); }
    std::size_t operator()(const Id& id) const {
      if (id.column->dtype() == DType::String) {
        return std::hash<std::string_view>{}(id.column->strings()[id.i]);
      }
      return std::hash<std::int64_t>{}(id.column->values<std::int64_t>()[id.i]);
    }
  };
  struct Equal {
    using is_transparent = void;
    const Column* ids;
    bool operator()(std::uint64_t a, std::uint64_t b) const { return a == b; }
    bool operator()(const Id& id, std::uint64_t number) const { return equal(id, Id{ids, number}); }
    bool operator()(std::uint64_t number, const Id& id) const { return (*this)(id, number); }
  };

  Column ids_;
  std::unordered_set<std::uint64_t, Hash, Equal> numbers_{0, Hash{&ids_}, Equal{&ids_}};
  std::uint64_t last_ = 0;  // consecutive rows are often of one object
};

}  // namespace qsohost::inline io_v1
