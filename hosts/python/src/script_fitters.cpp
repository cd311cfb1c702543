#include "script_fitters.hpp"

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include <memory>
#include <utility>
#include <vector>

#include "lent_batch.hpp"
#include "qsohost/error.hpp"
#include "qsohost/light_curve_fitter.hpp"
#include "script_arrays.hpp"
#include "script_object.hpp"

namespace py = pybind11;

namespace qsohost::python {
namespace {

py::array_t<double> array_of(const std::vector<double>& values) {
  return py::array_t<double>(static_cast<py::ssize_t>(values.size()), values.data());
}

// A light curve for Fitter.fit(): its arrays are its own.
struct QSOHOST_PYTHON_HIDDEN FitCurve {
  Object object;
  std::string group;
  py::array_t<double> time, mag, mag_err;
  double z, baseline, median_cadence;
};

py::object id_of(const FitCurve& curve) {
  const Column& id = curve.object.batch().objects().at("source_id");
  if (id.dtype() == DType::String) return py::str(curve.object.id());
  return py::int_(id.values<std::int64_t>()[curve.object.row()]);
}

template <class T>
void set_value(const py::array& values, std::size_t row, const std::string& name, Result& result) {
  result.set<T>(name, static_cast<T>(static_cast<const Stored<T>*>(values.data())[row]));
}

// Element `row` of an array of the port's type.
void set_value(const Port& port, const std::string& name, const py::array& values, std::size_t row,
               Result& result) {
  switch (port.dtype.value_or(DType::F64)) {
    case DType::Bool:
      return set_value<bool>(values, row, name, result);
    case DType::I16:
      return set_value<std::int16_t>(values, row, name, result);
    case DType::I32:
      return set_value<std::int32_t>(values, row, name, result);
    case DType::I64:
      return set_value<std::int64_t>(values, row, name, result);
    case DType::F32:
      return set_value<float>(values, row, name, result);
    case DType::F64:
      return set_value<double>(values, row, name, result);
    case DType::String:
      throw RunError("results of a fitter must be numbers");
  }
}

// The results that the script declares, of each light curve.
std::vector<Port> results_of(const ScriptObject& script, const std::string& label) {
  std::vector<Port> ports;
  for (const py::object& out : script.ports("Out", label)) ports.push_back(port_of(out));
  return ports;
}

ResultColumn column_of(const Port& port) {
  return {port.name, port.dtype.value_or(DType::F64), port.unit, port.help};
}

class QSOHOST_PYTHON_HIDDEN CurveFitter final : public LightCurveFitter {
 public:
  CurveFitter(const std::filesystem::path& file, const std::string& stage, std::int64_t min_points)
      : LightCurveFitter({.usual = min_points, .least = 1, .help = "epochs needed for a fit"}),
        script_(this, file, stage) {}

  std::vector<Input> fingerprint() const override { return script_.fingerprint(label()); }
  void open(Context& /*context*/) override {
    script_.open(label());
    script_.in_python([&] { results_ = results_of(script_, label()); });
  }
  void close() noexcept override { script_.close(); }
  int max_parallel() const override { return 1; }

  void fit_batch(FitBatch& batch) const override {
    // Python then knows this thread for the whole batch, which makes each call cheap.
    const py::gil_scoped_acquire gil;
    const py::gil_scoped_release released;
    Fitter::fit_batch(batch);
  }

 protected:
  void declare_curve(const GroupInfo& group, const Schema& /*before*/,
                     Ports& ports) const override {
    for (const ResultColumn& column : fit_column::kEveryCurve) add_result(group, column, ports);
    add_flags(group, "", ports);
    script_.in_python([&] {
      for (const Port& port : results_of(script_, label()))
        add_result(group, column_of(port), ports);
      for (const py::object& in : script_.ports("In", label())) ports.reads(read_port_of(in));
    });
  }

  void fit_curve(const CurveToFit& curve, Result& result) const override {
    const py::gil_scoped_acquire gil;
    try {
      store(script_.self().attr("fit")(curve_of(curve)), curve, result);
    } catch (py::error_already_set& error) {
      script_.rethrow_of_object(error);
    }
  }

 private:
  static FitCurve curve_of(const CurveToFit& curve) {
    return {curve.object,
            curve.group,
            array_of(curve.time),
            array_of(curve.mag),
            array_of(curve.mag_err),
            curve.redshift,
            curve.baseline,
            curve.median_cadence};
  }

  void store(const py::object& returned, const CurveToFit& curve, Result& result) const {
    if (returned.is_none()) return set(curve, "flags", curve.flags | kFitFailed, result);
    const py::list values = scripts().attr("results_of")(script_.self(), returned);
    for (std::size_t i = 0; i < results_.size(); ++i) {
      const Port& port = results_[i];
      py::list one;
      one.append(values[i]);
      const py::array array = values_of(one, port.dtype.value_or(DType::F64), 1, port.name);
      set_value(port, prefix(curve.group) + "." + port.name, array, 0, result);
    }
  }

  ScriptObject script_;
  std::vector<Port> results_;  // while it is open
};

class QSOHOST_PYTHON_HIDDEN BatchFitter final : public Fitter {
 public:
  BatchFitter(const std::filesystem::path& file, const std::string& stage)
      : script_(this, file, stage) {}

  void declare(const Schema& before, Ports& ports) const override {
    ports.minds_time_systems();  // one group at a time
    script_.declare(label(), ports);
    std::vector<Port> results;
    script_.in_python([&] { results = results_of(script_, label()); });
    for (const std::string& name : *groups_) {
      const Schema::GroupEntry* group = before.find_group(name);
      const std::string mag = group == nullptr ? "mag" : group->info.mag;
      ports.reads({name, mag, std::nullopt, "", "light curve to fit"});
      for (Port port : results) {
        port.name = full_name(name, port);
        ports.adds(std::move(port));
      }
    }
  }
  std::vector<Input> fingerprint() const override { return script_.fingerprint(label()); }
  void open(Context& /*context*/) override {
    script_.open(label());
    script_.in_python([&] { results_ = results_of(script_, label()); });
  }
  void close() noexcept override { script_.close(); }
  int max_parallel() const override { return 1; }

  void fit_batch(FitBatch& batch) const override {
    script_.in_python([&] {
      const std::vector<Found> found = found_in(batch.batch());
      const py::gil_scoped_release released;
      batch.for_each([&](const Object& object, Result& result) {
        for (const Found& column : found)
          set_value(*column.port, column.name, column.values, object.row(), result);
      });
    });
  }

 private:
  struct QSOHOST_PYTHON_HIDDEN Found {
    std::string name;
    const Port* port;
    py::array values;  // one an object
  };

  std::string full_name(const std::string& group, const Port& port) const {
    return label() + "." + group + "." + port.name;
  }

  std::vector<Found> found_in(const Batch& batch) const {
    // The batch is the host's and not constant; Python gets read-only views of it.
    const LentBatch lent(const_cast<Batch&>(batch));
    const std::size_t rows = lent.view().batch->rows();
    std::vector<Found> found;
    for (const std::string& group : *groups_) {
      const py::object returned = script_.self().attr("fit_batch")(lent.view(), lent.group(group));
      const py::list values = scripts().attr("results_of")(script_.self(), returned);
      for (std::size_t i = 0; i < results_.size(); ++i) {
        const Port& port = results_[i];
        found.push_back({full_name(group, port), &port,
                         values_of(values[i], port.dtype.value_or(DType::F64), rows, port.name)});
      }
    }
    return found;
  }

  Option<std::vector<std::string>> groups_{this, "groups", required,
                                           "light curves to fit, e.g. [\"ztf.g\", \"ztf.r\"]"};
  ScriptObject script_;
  std::vector<Port> results_;  // while it is open
};

}  // namespace

Fitter* make_scripted_fitter(const std::filesystem::path& file, const std::string& stage) {
  const py::object min_points = scripts().attr("min_points")(file.string(), stage);
  if (min_points.is_none()) return new BatchFitter(file, stage);
  return new CurveFitter(file, stage, py::cast<std::int64_t>(min_points));
}

void add_fit_curve(py::module_& module) {
  py::class_<FitCurve>(module, "FitCurve", py::module_local(),
                       "One light curve to fit: usable epochs in time order.")
      .def("__len__", [](const FitCurve& curve) { return curve.time.size(); })
      .def_readonly("time", &FitCurve::time, "Days from the first epoch, in the frame fitted.")
      .def_readonly("mag", &FitCurve::mag, "Magnitudes.")
      .def_readonly("mag_err", &FitCurve::mag_err, "Magnitudes.")
      .def_readonly("z", &FitCurve::z, "NaN in the observed frame.")
      .def_readonly("baseline", &FitCurve::baseline, "Days, in the frame fitted.")
      .def_readonly("median_cadence", &FitCurve::median_cadence, "Days, in the frame fitted.")
      .def_readonly("group", &FitCurve::group)
      .def_property_readonly("source_id", &id_of)
      .def(
          "__getitem__",
          [](const FitCurve& curve, const std::string& name) { return curve.object.number(name); },
          py::arg("name"), "A column of the objects, as a number; during fit() alone.");
}

}  // namespace qsohost::python
