#include "script_arrays.hpp"

#include <cstring>

namespace py = pybind11;

namespace qsohost::python {
namespace {

[[noreturn]] void raise(PyObject* type, const std::string& message) {
  PyErr_SetString(type, message.c_str());
  throw py::error_already_set();
}

std::string text_of(const py::object& object) {
  return py::cast<std::string>(py::str(object));
}

py::dtype dtype_of(DType dtype) {
  switch (dtype) {
    case DType::Bool:
      return py::dtype::of<bool>();
    case DType::I16:
      return py::dtype::of<std::int16_t>();
    case DType::I32:
      return py::dtype::of<std::int32_t>();
    case DType::I64:
      return py::dtype::of<std::int64_t>();
    case DType::F32:
      return py::dtype::of<float>();
    case DType::F64:
      return py::dtype::of<double>();
    case DType::String:
      break;
  }
  return py::dtype("O");
}

// As numpy's casting="same_kind": no float becomes an integer, no string a number. Integers may
// become shorter, but by numpy alone they would wrap around in silence.
py::array converted(py::handle given, DType dtype, const std::string& what) {
  const py::module_ numpy = py::module_::import("numpy");
  const py::array array = numpy.attr("ascontiguousarray")(given);
  const py::dtype to = dtype_of(dtype);
  if (array.size() == 0) return numpy.attr("ascontiguousarray")(array, to);  // [] has no type
  if (!py::cast<bool>(numpy.attr("can_cast")(array.dtype(), to, "same_kind"))) {
    raise(PyExc_TypeError, what + ": values of type " + text_of(array.dtype()) + " cannot be " +
                               text_of(to) + "; convert them");
  }
  py::array out = numpy.attr("ascontiguousarray")(array, to);
  if (to.kind() == 'i' && !py::cast<bool>(numpy.attr("array_equal")(out, array)))
    raise(PyExc_ValueError, what + ": a value does not fit into " + std::string(name_of(dtype)) +
                                "; declare a wider type");
  return out;
}

template <class T>
void append_numbers(const py::array& values, Column& column) {
  const std::size_t before = column.values<T>().size();
  column.resize_unfilled(before + static_cast<std::size_t>(values.size()));
  std::memcpy(column.values<T>().data() + before, values.data(),
              static_cast<std::size_t>(values.nbytes()));
}

void append_strings(py::handle given, Column& column) {
  for (const py::handle text : given) {
    if (!py::isinstance<py::str>(text))
      raise(PyExc_TypeError, column.name() + ": each must be a string");
    column.append_string(py::cast<std::string>(text));
  }
}

}  // namespace

py::array values_of(py::handle given, DType dtype, std::size_t count, const std::string& what) {
  py::array array = converted(given, dtype, what);
  if (array.ndim() != 1 || static_cast<std::size_t>(array.shape(0)) != count) {
    raise(PyExc_ValueError, what + ": an array of shape " + text_of(array.attr("shape")) +
                                ", but must be (" + std::to_string(count) + ",)");
  }
  return array;
}

void append_values(py::handle given, Column& column) {
  if (column.dtype() == DType::String) return append_strings(given, column);
  const py::array array = converted(given, column.dtype(), column.name());
  if (array.ndim() != 1)
    raise(PyExc_ValueError, column.name() + ": it must be an array of one dimension");
  switch (column.dtype()) {
    case DType::Bool:
      return append_numbers<bool>(array, column);
    case DType::I16:
      return append_numbers<std::int16_t>(array, column);
    case DType::I32:
      return append_numbers<std::int32_t>(array, column);
    case DType::I64:
      return append_numbers<std::int64_t>(array, column);
    case DType::F32:
      return append_numbers<float>(array, column);
    case DType::F64:
      return append_numbers<double>(array, column);
    case DType::String:
      break;
  }
}

std::vector<std::uint8_t> mask_of(py::handle given, std::size_t count, const std::string& what) {
  const py::array array = values_of(given, DType::Bool, count, what);
  const auto* begin = static_cast<const std::uint8_t*>(array.data());
  return {begin, begin + count};
}

}  // namespace qsohost::python
