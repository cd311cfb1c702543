// Fits of light curves that are in memory.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "batch_views.hpp"
#include "bindings.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/open_fitter.hpp"
#include "qsohost/light_curve_fitter.hpp"
#include "qsohost/ou_prediction.hpp"
#include "watched.hpp"

namespace py = pybind11;

namespace qsohost::python {
namespace {

using Numbers = py::array_t<double, py::array::c_style | py::array::forcecast>;
constexpr const char* kGroup = "curve";

// Light curves of one kind, copied out of Python: group "curve" with time, mag, mag_err.
class CurvesInMemory {
 public:
  explicit CurvesInMemory(std::size_t rows) : batch_(0, 0, rows) {
    id_ = &batch_.objects().add({"source_id", DType::I64, "", "position in the list"});
    z_ = &batch_.objects().add({"z", DType::F64, "", "redshift"});
    Group& group = batch_.add_group(
        {kGroup, kGroup, "", "time", "mag", "mag_err", TimeSystem{TimeScale::UTC}});
    group_ = &group;
    group.add({"epoch_id", DType::I64, "", "position in the light curve"});
    for (const char* name : {"time", "mag", "mag_err"})
      group.add({name, DType::F64, *name == 't' ? "d" : "mag", name});
  }

  void add(const Numbers& time, const Numbers& mag, const Numbers& mag_err, double z) {
    const std::size_t row = batch_.rows();
    const auto fail = [&](const std::string& what) {
      throw UsageError("light curve " + std::to_string(row) + ": " + what);
    };
    if (time.ndim() != 1 || mag.ndim() != 1 || mag_err.ndim() != 1)
      fail("times, magnitudes and errors must be one-dimensional");
    if (time.size() != mag.size() || time.size() != mag_err.size()) {
      fail(std::to_string(time.size()) + " times, " + std::to_string(mag.size()) +
           " magnitudes and " + std::to_string(mag_err.size()) + " errors: give as many of each");
    }
    id_->append(static_cast<std::int64_t>(row));
    z_->append(z);
    for (py::ssize_t k = 0; k < time.size(); ++k) {
      group_->at("epoch_id").append<std::int64_t>(k);
      group_->at("time").append(time.data()[k]);
      group_->at("mag").append(mag.data()[k]);
      group_->at("mag_err").append(mag_err.data()[k]);
    }
    group_->close_row();
  }

  Batch take() { return std::move(batch_); }
  const Batch& batch() const { return batch_; }

 private:
  Batch batch_;
  Column* id_ = nullptr;
  Column* z_ = nullptr;
  Group* group_ = nullptr;
};

// An opened fitter with fixed options; used for every call with these.
class Fitter {
 public:
  Fitter(const std::string& stage, std::vector<std::pair<std::string, std::string>> options)
      : prefix_(stage + "." + kGroup) {
    refuse_in_forked_child();
    plugins_.add_standard_folders();
    options.emplace_back("groups", "[\"curve\"]");
    open_ = std::make_unique<OpenFitter>(plugins_, stage, options, CurvesInMemory(0).batch());
  }

  const std::string& prefix() const { return prefix_; }

  // Results are columns of the batch; the second are reasons of failures, "" without one.
  std::pair<BatchView, std::vector<std::string>> fit(const py::sequence& times,
                                                     const py::sequence& mags,
                                                     const py::sequence& mag_errs,
                                                     const std::vector<double>& redshifts,
                                                     int threads) const {
    refuse_in_forked_child();
    CurvesInMemory curves(redshifts.size());
    for (std::size_t i = 0; i < redshifts.size(); ++i)
      curves.add(Numbers(times[i]), Numbers(mags[i]), Numbers(mag_errs[i]), redshifts[i]);
    auto batch = std::make_shared<Batch>(curves.take());
    std::vector<std::string> reasons;
    if (redshifts.size() == 1) {
      const py::gil_scoped_release released;
      reasons = open_->fit(*batch);
    } else {
      Watched watched{py::none(), py::none()};
      watched.run([&] { reasons = open_->fit(*batch, threads, &watched.interrupts()); });
    }
    return {BatchView{std::move(batch)}, std::move(reasons)};
  }

 private:
  Plugins plugins_;
  std::string prefix_;
  std::unique_ptr<OpenFitter> open_;
};

LightCurve curve_of(const Numbers& time, const Numbers& mag, const Numbers& mag_err) {
  const auto vector_of = [](const Numbers& values) {
    return std::vector<double>(values.data(), values.data() + values.size());
  };
  return {vector_of(time), vector_of(mag), vector_of(mag_err)};
}

// Mean and standard deviation of the process at the times `at`, given those epochs that a fit uses.
py::tuple predict(const Numbers& time, const Numbers& mag, const Numbers& mag_err, double log_sigma,
                  double log_tau, double mean, double jitter, const Numbers& at) {
  const LightCurve curve = curve_of(time, mag, mag_err);
  const TimeOrder order(curve.time, usable_epochs(curve).take);
  std::vector<double> variances = order.gather(curve.mag_err);
  for (double& variance : variances) variance = variance * variance + jitter * jitter;
  const std::vector<double> times(at.data(), at.data() + at.size());
  const std::vector<double> epoch_times = order.gather(curve.time);
  const std::vector<double> mags = order.gather(curve.mag);
  const OuPrediction predicted =
      predict_ou({epoch_times, mags, variances}, {log_sigma, log_tau, mean}, times);
  py::array_t<double> means(at.size(), predicted.mean.data());
  py::array_t<double> deviations(at.size());
  for (py::ssize_t i = 0; i < at.size(); ++i)
    deviations.mutable_data()[i] = std::sqrt(predicted.variance[static_cast<std::size_t>(i)]);
  return py::make_tuple(means, deviations);
}

}  // namespace

void add_fits(py::module_& module) {
  py::class_<Fitter>(module, "Fitter")
      .def(py::init<const std::string&, std::vector<std::pair<std::string, std::string>>>())
      .def_property_readonly("prefix", &Fitter::prefix)
      .def("fit", &Fitter::fit);
  module.def("predict", &predict);
  module.def("failure_of", [](std::int32_t flags) { return std::string(failure_of(flags)); });
}

}  // namespace qsohost::python
