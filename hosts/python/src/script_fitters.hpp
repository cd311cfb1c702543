// Fitters written in Python: light curve by light curve, or batch by batch.
#pragma once

#include <pybind11/pybind11.h>

#include <filesystem>
#include <string>

#include "qsohost/stage.hpp"

namespace qsohost::python {

// With the GIL.
Fitter* make_scripted_fitter(const std::filesystem::path& file, const std::string& stage);

// The class of the argument of Fitter.fit().
void add_fit_curve(pybind11::module_& module);

}  // namespace qsohost::python
