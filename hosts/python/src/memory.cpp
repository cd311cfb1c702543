// Batches made of numpy arrays.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "batch_views.hpp"
#include "bindings.hpp"
#include "qsohost/error.hpp"
#include "qsohost/time_system.hpp"

namespace py = pybind11;

namespace qsohost::python {
namespace {

template <class T>
void copy_values(const py::array& from, Column& to) {
  const auto values = py::array_t<T, py::array::c_style>::ensure(from);
  if (!values) throw py::error_already_set();
  std::memcpy(to.values<T>().data(), values.data(), to.values<T>().size_bytes());
}

void copy_strings(const py::array& from, Column& to) {
  for (const py::handle text : from.attr("ravel")().attr("tolist")())
    to.append_string(py::cast<std::string>(py::str(text)));
}

// The package has converted the values to one of the types of columns.
DType dtype_of(const py::array& values) {
  switch (values.dtype().kind()) {
    case 'b':
      return DType::Bool;
    case 'i':
      return values.itemsize() == 2 ? DType::I16 : values.itemsize() == 4 ? DType::I32 : DType::I64;
    case 'f':
      return values.itemsize() == 4 ? DType::F32 : DType::F64;
    default:
      return DType::String;
  }
}

void copy_into(const py::array& from, Column& to) {
  switch (to.dtype()) {
    case DType::Bool:
      return copy_values<bool>(from, to);
    case DType::I16:
      return copy_values<std::int16_t>(from, to);
    case DType::I32:
      return copy_values<std::int32_t>(from, to);
    case DType::I64:
      return copy_values<std::int64_t>(from, to);
    case DType::F32:
      return copy_values<float>(from, to);
    case DType::F64:
      return copy_values<double>(from, to);
    case DType::String:
      return copy_strings(from, to);
  }
}

void add_column(ColumnSet& set, const std::string& name, const std::string& unit,
                const std::string& description, const py::array& values) {
  ColumnInfo info{name, dtype_of(values), unit, description};
  for (py::ssize_t axis = values.ndim() - 1; axis > 0; --axis) {
    info.width *= static_cast<std::size_t>(values.shape(axis));
    if (values.ndim() > 2) info.shape.push_back(static_cast<std::size_t>(values.shape(axis)));
  }
  Column& column = set.add(std::move(info));
  if (column.dtype() != DType::String)
    column.resize_unfilled(static_cast<std::size_t>(values.shape(0)));
  copy_into(values, column);
}

// Puts a batch together: columns of objects, then each group with its columns.
class BatchMaker {
 public:
  explicit BatchMaker(std::size_t rows) : batch_(std::make_shared<Batch>(0, 0, rows)) {}

  void add_object_column(const std::string& name, const std::string& unit,
                         const std::string& description, const py::array& values) {
    add_column(batch_->objects(), name, unit, description, values);
  }
  // `lengths`: epochs of each object.
  void add_group(GroupInfo info, const std::vector<std::uint64_t>& lengths) {
    batch_->add_group(std::move(info)).append_rows(lengths);
  }
  void add_group_column(const std::string& group, const std::string& name, const std::string& unit,
                        const std::string& description, const py::array& values) {
    add_column(batch_->group(group), name, unit, description, values);
  }
  // Throws RunError where lengths differ.
  BatchView finish() {
    batch_->verify();
    return {std::move(batch_)};
  }

 private:
  std::shared_ptr<Batch> batch_;
};

TimeSystem known_time_system(const std::string& name) {
  const std::optional<TimeSystem> system = time_system_of(name);
  if (!system) throw UsageError("no time system '" + name + "'; one is 'MJD UTC'");
  return *system;
}

}  // namespace

void add_memory(py::module_& module) {
  py::class_<BatchMaker>(module, "BatchMaker")
      .def(py::init<std::size_t>())
      .def("add_object_column", &BatchMaker::add_object_column)
      .def("add_group",
           [](BatchMaker& maker, const std::string& name, const std::string& survey,
              const std::string& band, const std::vector<std::string>& roles,
              const std::string& time_system, const std::vector<std::uint64_t>& lengths) {
             maker.add_group({name, survey, band, roles.at(0), roles.at(1), roles.at(2),
                              known_time_system(time_system)},
                             lengths);
           })
      .def("add_group_column", &BatchMaker::add_group_column)
      .def("finish", &BatchMaker::finish);
}

}  // namespace qsohost::python
