// The module qsohost._core: what the Python files of the package are made of.
#include <pybind11/pybind11.h>

#include <string>

#include "batch_views.hpp"
#include "bindings.hpp"
#include "qsohost/api.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/loader.hpp"

namespace py = pybind11;

namespace {

// Checked before anything else is used.
void refuse_other_version() {
  const std::string library = qsohost::library_version();
  if (library == QSOHOST_VERSION) return;
  throw py::import_error("the module qsohost is of version " QSOHOST_VERSION
                         ", but the libqsohost that was loaded is of version " +
                         library + ": install both from one package, or look at LD_LIBRARY_PATH");
}

}  // namespace

PYBIND11_MODULE(_core, module) {
  refuse_other_version();
  module.attr("__version__") = QSOHOST_VERSION;
  module.attr("API_NUMBER") = QSOHOST_API_NUMBER;
  // Both are RuntimeErrors; the package derives its own classes.
  py::register_exception<qsohost::UsageError>(module, "UsageError", PyExc_ValueError);
  py::register_exception<qsohost::RunError>(module, "RunError", PyExc_RuntimeError);
  qsohost::python::add_batch_views(module);
  qsohost::python::add_tables(module);
  qsohost::python::add_memory(module);
  qsohost::python::add_fits(module);
  qsohost::python::add_runs(module);
  qsohost::python::add_script_stages(module);
}
