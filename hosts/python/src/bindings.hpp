// The parts of the module qsohost._core, one file each.
#pragma once

#include <pybind11/pybind11.h>

namespace qsohost::python {

void add_tables(pybind11::module_& module);  // tables.cpp; after add_batch_views: adds Arrow to it
void add_memory(pybind11::module_& module);  // memory.cpp: batches made of arrays
void add_fits(pybind11::module_& module);    // fits.cpp
void add_script_stages(pybind11::module_& module);  // script_stages.cpp
void add_runs(pybind11::module_& module);           // runs.cpp

}  // namespace qsohost::python
