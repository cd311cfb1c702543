// Batches as Python sees them: numpy views on the memory of columns, without copies.
//
// A view's base object holds the batch alive, so it may outlive every other reference. Views are
// read-only. Numbers and bools (1 byte a value) are views; strings become object arrays, made when
// asked for. Nulls of floats are NaN; of other types see `mask`. Needs the framework alone, so that
// a plugin with an interpreter of its own can use it too.
#pragma once

#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "qsohost/batch.hpp"

// Types with members of pybind11 must be as hidden as those are.
#define QSOHOST_PYTHON_HIDDEN __attribute__((visibility("hidden")))

namespace qsohost::python {

// Who owns the memory of a view.
using Owner = std::shared_ptr<const void>;

// Cells first to first + count - 1 of a column. Cells with several values give an array of more
// dimensions, the slowest axis first as numpy has it.
pybind11::array cells_of(const Column& column, const Owner& owner, Slice cells);
// False where a value is missing; None if the column has no nulls.
pybind11::object mask_of(const Column& column, const Owner& owner);
pybind11::array_t<std::uint64_t> view_of(std::span<const std::uint64_t> values, const Owner& owner);

struct BatchView {
  std::shared_ptr<const Batch> batch;
};

// The columns of the objects or of a group.
struct ColumnsView {
  Owner owner;
  const ColumnSet* columns;
};

struct GroupView {
  std::shared_ptr<const Batch> batch;
  const Group* group;
};

// One band of one object.
struct CurveView {
  std::shared_ptr<const Batch> batch;
  const Group* group;
  std::size_t row;
};

// Adds the classes to a module: Batch, Columns, Group, LightCurve, ColumnInfo. They belong to this
// module alone, so two modules of one process may both have them.
void add_batch_views(pybind11::module_& module);

}  // namespace qsohost::python
