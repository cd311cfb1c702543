// The Python side of a stage: an object of a class of a script, with the options that it declares.
#pragma once

#include <pybind11/pybind11.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "batch_views.hpp"
#include "qsohost/option.hpp"
#include "qsohost/port.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::python {

class QSOHOST_PYTHON_HIDDEN ScriptObject {
 public:
  // Adds the options to `owner`. With the GIL.
  ScriptObject(OptionOwner* owner, std::filesystem::path file, const std::string& stage);
  ~ScriptObject();
  ScriptObject(const ScriptObject&) = delete;
  ScriptObject& operator=(const ScriptObject&) = delete;

  const pybind11::object& self() const { return self_; }

  // Calls with the GIL, from any thread. What Python raises is thrown as TryAgain, BadObject or,
  // with place and trace, RunError.
  template <class Call>
  auto in_python(const Call& call) const {
    const pybind11::gil_scoped_acquire gil;
    try {
      return call();
    } catch (pybind11::error_already_set& error) {
      rethrow(error);
    }
  }

  // What a stage does in its methods of the same names. Declares all except the columns of "Out".
  void declare(const std::string& label, Ports& ports) const;
  std::vector<Input> fingerprint(const std::string& label) const;
  void open(const std::string& label) const;
  void close() const noexcept;

  // Of ports(): those that are of this class of qsohost.stages, "In", "Out" or "LightCurves". With
  // the GIL.
  std::vector<pybind11::object> ports(const char* kind, const std::string& label) const;

  // As in_python(), for the call for one object: an Exception is its outcome, BadObject; others,
  // such as SystemExit, are a RunError. With the GIL.
  [[noreturn]] void rethrow_of_object(pybind11::error_already_set& error) const;

 private:
  [[noreturn]] void rethrow(pybind11::error_already_set& error) const;
  void set_options(const std::string& label) const;

  std::filesystem::path file_;
  pybind11::object self_;
  std::vector<std::unique_ptr<OptionBase>> options_;
  std::vector<std::pair<std::string, std::string>> helpers_;  // modules: name and text
};

// qsohost.stages.Out and In as ports.
Port port_of(pybind11::handle out);
Port read_port_of(pybind11::handle in);

// The error of a script in words, beginning with file and line; with the calls that led to it.
std::string words_of(pybind11::error_already_set& error, const std::filesystem::path& file,
                     bool with_trace);

// qsohost.scripts, which does what is easier in Python.
pybind11::module_ scripts();

}  // namespace qsohost::python
