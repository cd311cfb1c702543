#include "script_object.hpp"

#include <pybind11/stl.h>

#include <array>
#include <optional>
#include <string_view>

#include "qsohost/error.hpp"

namespace py = pybind11;

namespace qsohost::python {
namespace {

using Scalar = OptionValue::Scalar;

template <class T>
T get(py::handle object, const char* name) {
  return py::cast<T>(object.attr(name));
}

OptionLimits limits_of(py::handle option) {
  OptionLimits limits;
  limits.unit = get<std::string>(option, "unit");
  limits.min = get<std::optional<double>>(option, "min");
  limits.max = get<std::optional<double>>(option, "max");
  limits.choices = get<std::vector<std::string>>(option, "choices");
  limits.length = get<std::optional<std::size_t>>(option, "length");
  limits.affects_results = get<bool>(option, "affects_results");
  return limits;
}

// The default, of the type that an Option<T> holds.
template <class T>
T default_of(py::handle value) {
  return py::cast<T>(value);
}
template <>
Path default_of(py::handle value) {
  return {py::cast<std::string>(py::str(value))};
}
template <>
std::vector<Path> default_of(py::handle value) {
  std::vector<Path> paths;
  for (const py::handle item : value) paths.push_back(default_of<Path>(item));
  return paths;
}

template <class T>
std::unique_ptr<OptionBase> make(OptionOwner* owner, py::handle option) {
  const auto name = get<std::string>(option, "name");
  const auto help = get<std::string>(option, "help");
  if (get<bool>(option, "is_required"))
    return std::make_unique<Option<T>>(owner, name, required, help, limits_of(option));
  return std::make_unique<Option<T>>(owner, name, default_of<T>(option.attr("default")), help,
                                     limits_of(option));
}

std::unique_ptr<OptionBase> option_of(OptionOwner* owner, py::handle option) {
  using Make = std::unique_ptr<OptionBase> (*)(OptionOwner*, py::handle);
  constexpr std::array<std::pair<std::string_view, Make>, 8> kTypes{{
      {"bool", &make<bool>},
      {"int", &make<std::int64_t>},
      {"float", &make<double>},
      {"str", &make<std::string>},
      {"Path", &make<Path>},
      {"list str", &make<std::vector<std::string>>},
      {"list float", &make<std::vector<double>>},
      {"list Path", &make<std::vector<Path>>},
  }};
  const auto type = get<std::string>(option, "type_name");
  for (const auto& [name, make_option] : kTypes) {
    if (type == name) return make_option(owner, option);
  }
  throw UsageError("option of the type " + type +
                   ", which must be bool, int, float, str or a list of these");
}

py::object python_of(const Scalar& scalar) {
  return std::visit([](const auto& value) -> py::object { return py::cast(value); }, scalar);
}

py::object python_of(const OptionValue& value) {
  if (const auto* scalar = std::get_if<Scalar>(&value.data)) return python_of(*scalar);
  py::list list;
  for (const Scalar& scalar : std::get<std::vector<Scalar>>(value.data))
    list.append(python_of(scalar));
  return list;
}

DType dtype_named(const std::string& name) {
  for (const DType dtype :
       {DType::Bool, DType::I16, DType::I32, DType::I64, DType::F32, DType::F64})
    if (name == name_of(dtype)) return dtype;
  return DType::String;
}

GroupInfo group_of(py::handle curves) {
  GroupInfo info{get<std::string>(curves, "name"), get<std::string>(curves, "survey"),
                 get<std::string>(curves, "band"), get<std::string>(curves, "time"),
                 get<std::string>(curves, "mag"),  get<std::string>(curves, "mag_err")};
  const auto system = get<std::string>(curves, "time_system");
  const std::optional<TimeSystem> known = time_system_of(system);
  if (!known) throw UsageError("no time system '" + system + "'; one is 'MJD UTC'");
  info.time_system = *known;
  return info;
}

}  // namespace

py::module_ scripts() {
  return py::module_::import("qsohost.scripts");
}

Port port_of(py::handle out) {
  return {get<std::string>(out, "group"), get<std::string>(out, "name"),
          dtype_named(get<std::string>(out, "dtype")), get<std::string>(out, "unit"),
          get<std::string>(out, "help")};
}

Port read_port_of(py::handle in) {
  return {get<std::string>(in, "group"),
          get<std::string>(in, "name"),
          std::nullopt,
          get<std::string>(in, "unit"),
          get<std::string>(in, "help"),
          0,
          kAnyWidth};
}

ScriptObject::ScriptObject(OptionOwner* owner, std::filesystem::path file, const std::string& stage)
    : file_(std::move(file)) {
  const py::tuple made = scripts().attr("create")(file_.string(), stage);
  self_ = made[0];
  for (const py::handle option : made[1]) options_.push_back(option_of(owner, option));
  helpers_ = py::cast<decltype(helpers_)>(made[2]);
}

ScriptObject::~ScriptObject() {
  if (Py_IsInitialized() == 0) {
    self_.release();  // the program ends, and Python has ended before
    return;
  }
  try {
    const py::gil_scoped_acquire gil;
    self_ = py::object();
  } catch (...) {
    self_.release();  // Python cannot be entered any more
  }
}

std::string words_of(py::error_already_set& error, const std::filesystem::path& file,
                     bool with_trace) {
  if (error.trace()) PyException_SetTraceback(error.value().ptr(), error.trace().ptr());
  try {
    return py::cast<std::string>(
        scripts().attr("describe")(error.value(), file.string(), with_trace));
  } catch (const py::error_already_set& other) {
    return other.what();  // e.g. its __str__ raises
  }
}

void ScriptObject::rethrow(py::error_already_set& error) const {
  const py::module_ stages = py::module_::import("qsohost.stages");
  const auto text = [&] { return py::cast<std::string>(py::str(error.value())); };
  if (error.matches(stages.attr("TryAgain"))) throw TryAgain(text());
  if (error.matches(stages.attr("BadObject"))) throw BadObject(text());
  throw RunError(words_of(error, file_, true));
}

void ScriptObject::rethrow_of_object(py::error_already_set& error) const {
  if (!error.matches(PyExc_Exception)) rethrow(error);
  if (error.matches(py::module_::import("qsohost.stages").attr("BadObject"))) rethrow(error);
  throw BadObject(words_of(error, file_, false));
}

void ScriptObject::set_options(const std::string& label) const {
  py::dict values;
  for (const auto& option : options_) values[py::str(option->name())] = python_of(option->value());
  scripts().attr("set_options")(self_, label, values);
}

std::vector<py::object> ScriptObject::ports(const char* kind, const std::string& label) const {
  set_options(label);
  const py::object type = py::module_::import("qsohost.stages").attr(kind);
  std::vector<py::object> found;
  for (const py::handle port : self_.attr("ports")()) {
    if (py::isinstance(port, type)) found.push_back(py::reinterpret_borrow<py::object>(port));
  }
  return found;
}

void ScriptObject::declare(const std::string& label, Ports& ports) const {
  in_python([&] {
    for (const py::object& in : this->ports("In", label)) ports.reads(read_port_of(in));
    for (const py::object& curves : this->ports("LightCurves", label)) {
      ports.adds_group(group_of(curves));
      for (const py::handle out : curves.attr("columns")) {
        Port port = port_of(out);
        port.in_product = port.name != "epoch_id";
        ports.adds(std::move(port));
      }
    }
  });
}

std::vector<Input> ScriptObject::fingerprint(const std::string& label) const {
  std::vector<Input> inputs;
  for (const auto& [name, text] : helpers_) inputs.push_back(text_input("module " + name, text));
  in_python([&] {
    set_options(label);
    for (const py::handle file : self_.attr("inputs")())
      inputs.push_back(file_input(py::cast<std::string>(py::str(file))));
  });
  return inputs;
}

void ScriptObject::open(const std::string& label) const {
  in_python([&] {
    set_options(label);
    self_.attr("open")();
  });
}

// Nothing can be thrown from here, so an error of the script is printed.
void ScriptObject::close() const noexcept {
  try {
    const py::gil_scoped_acquire gil;
    try {
      self_.attr("close")();
      scripts().attr("flush")();
    } catch (py::error_already_set& error) {
      error.restore();
      PyErr_WriteUnraisable(self_.ptr());
    }
  } catch (...) {  // NOLINT(bugprone-empty-catch): Python cannot be entered any more
  }
}

}  // namespace qsohost::python
