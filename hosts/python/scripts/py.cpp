// scripts/py.so: lets the host run stages written in Python. It starts an interpreter if none runs
// (in `qsohost`; in python3 there is one), imports the package qsohost, and passes on the reader
// that its module has, see src/script_stages.hpp. Needs the C interface of Python alone.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <dlfcn.h>

#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

#include "qsohost/script_reader.hpp"

namespace {

namespace fs = std::filesystem;
using qsohost::UsageError;

constexpr const char* kVersion = QSOHOST_PYTHON_VERSION;  // "3.11"
constexpr const char* kCapsule = "qsohost._core.script_reader";

std::string text_of(PyObject* object) {
  std::string text;
  if (PyObject* words = object == nullptr ? nullptr : PyObject_Str(object)) {
    if (const char* utf8 = PyUnicode_AsUTF8(words)) text = utf8;
    Py_DECREF(words);
  }
  PyErr_Clear();
  return text;
}

// Takes the error that Python has set.
std::string python_error() {
  PyObject *type = nullptr, *value = nullptr, *trace = nullptr;
  PyErr_Fetch(&type, &value, &trace);
  PyErr_NormalizeException(&type, &value, &trace);
  const std::string text = text_of(value);
  Py_XDECREF(type);
  Py_XDECREF(value);
  Py_XDECREF(trace);
  return text;
}

void check(const PyStatus& status) {
  if (PyStatus_Exception(status) == 0) return;
  throw UsageError(std::string("Python cannot be started; install python3-qsohost again: ") +
                   (status.err_msg == nullptr ? "it gives no reason" : status.err_msg));
}

// The interpreter whose packages are used: of the active virtual environment, or the system's.
std::string program() {
  const char* venv = std::getenv("VIRTUAL_ENV");
  if (venv == nullptr || *venv == '\0') return QSOHOST_PYTHON_PROGRAM;
  const fs::path folder = venv;
  std::error_code error;
  if (!fs::is_directory(folder / "lib" / (std::string("python") + kVersion), error)) {
    throw UsageError("VIRTUAL_ENV is " + folder.string() + ", which is no environment of Python " +
                     kVersion + ": leave it (deactivate), or make one of that version");
  }
  return (folder / "bin" / "python3").string();
}

// Extension modules such as numpy's take Python's symbols from the whole process, but the host has
// loaded libpython for this object alone.
void make_symbols_global() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&Py_InitializeFromConfig), &info) != 0)
    ::dlopen(info.dli_fname, RTLD_NOW | RTLD_GLOBAL | RTLD_NOLOAD);
}

// It is never finalised: threads of the host may still be about to use it, and modules such as
// numpy do not end well. The host keeps its own handlers of signals.
void start_interpreter() {
  make_symbols_global();
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.install_signal_handlers = 0;
  config.parse_argv = 0;
  try {
    check(PyConfig_SetBytesString(&config, &config.program_name, program().c_str()));
    check(Py_InitializeFromConfig(&config));
  } catch (...) {
    PyConfig_Clear(&config);
    throw;
  }
  PyConfig_Clear(&config);
  // What scripts print appears line by line, in order with the host's lines.
  PyRun_SimpleString(
      "import sys\n"
      "for stream in (sys.stdout, sys.stderr):\n"
      "    if stream is not None: stream.reconfigure(line_buffering=True)\n"
      "del stream\n");
  PyEval_SaveThread();
}

// The folder of the package that belongs to this file: where it is installed, or the build tree.
fs::path package_folder() {
  Dl_info info{};
  ::dladdr(reinterpret_cast<const void*>(&package_folder), &info);
  std::error_code error;
  const fs::path here = fs::canonical(info.dli_fname, error).parent_path();
  for (const char* way : {"../../../" QSOHOST_PACKAGE_BELOW_LIB, "../../../../python"}) {
    const fs::path folder = (here / way / "qsohost").lexically_normal();
    if (fs::exists(folder / "__init__.py", error)) return folder;
  }
  throw UsageError("there is no Python package qsohost for it: install python3-qsohost again");
}

// From its file: to put its folder into sys.path would put other packages there too.
constexpr const char* kImport = R"(
import importlib.util, os, sys
def import_package(folder):
    if "qsohost" not in sys.modules:
        spec = importlib.util.spec_from_file_location(
            "qsohost", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
        module = importlib.util.module_from_spec(spec)
        sys.modules["qsohost"] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules["qsohost"]
            raise
)";

void import_package() {
  PyObject* names = PyDict_New();
  PyDict_SetItemString(names, "__builtins__", PyEval_GetBuiltins());
  PyObject* done = PyRun_String(kImport, Py_file_input, names, names);
  if (done != nullptr) {
    Py_DECREF(done);
    PyObject* import = PyDict_GetItemString(names, "import_package");
    done = PyObject_CallFunction(import, "s", package_folder().c_str());
  }
  Py_XDECREF(done);
  Py_DECREF(names);
  if (done == nullptr)
    throw UsageError("the package qsohost cannot be imported; install python3-qsohost again: " +
                     python_error());
}

class Gil {
 public:
  Gil() : state_(PyGILState_Ensure()) {}
  ~Gil() { PyGILState_Release(state_); }
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  PyGILState_STATE state_;
};

qsohost::ScriptReader* reader() {
  if (Py_IsInitialized() == 0) start_interpreter();
  const Gil gil;
  import_package();
  void* found = PyCapsule_Import(kCapsule, 0);
  if (found == nullptr)
    throw UsageError("the package qsohost cannot read scripts; install python3-qsohost again: " +
                     python_error());
  return static_cast<qsohost::ScriptReader*>(found);
}

}  // namespace

QSOHOST_SCRIPT_READER("python", QSOHOST_VERSION, [] { return reader(); });
