// What stages in Python return, as values of columns. With the GIL; wrong types and lengths raise
// TypeError and ValueError in Python (py::error_already_set), which name the column.
#pragma once

#include <pybind11/numpy.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "qsohost/column.hpp"

namespace qsohost::python {

// Contiguous values of this type: those of one cell each of `count` objects.
pybind11::array values_of(pybind11::handle given, DType dtype, std::size_t count,
                          const std::string& what);

// Appends one value a cell, of any number.
void append_values(pybind11::handle given, Column& column);

// A bool for each of `count`.
std::vector<std::uint8_t> mask_of(pybind11::handle given, std::size_t count,
                                  const std::string& what);

}  // namespace qsohost::python
