// What LightCurveFitter says of light curves and fits, on curves that have it and on others.
#include "qsohost/light_curve_fitter.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <deque>
#include <limits>
#include <random>

using namespace qsohost;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

class Judge final : public LightCurveFitter {
 public:
  explicit Judge(bool rest_frame)
      : LightCurveFitter({.usual = 5, .least = 1, .help = "epochs needed"}) {
    set_label("fit");
    set_option("groups", std::string("s.b"));
    set_option("rest_frame", rest_frame);
  }
  FitQuality quality{kNaN, kNaN, kNaN, kNaN, kNaN};

 private:
  void set_option(std::string_view name, OptionValue::Scalar value) {
    (*std::ranges::find(options(), name, &OptionBase::name))->set({std::move(value)});
  }
  void declare_curve(const GroupInfo& group, const Schema&, Ports& ports) const override {
    for (const auto& column : fit_column::kEveryCurve) add_result(group, column, ports);
    add_result(group, {"tau", DType::F64, "d", "time scale", true}, ports);
    add_result(group, {"sigma", DType::F64, "mag", "amplitude"}, ports);
    add_flags(group, "16 a flag of its own", ports);
  }
  void fit_curve(const CurveToFit& curve, Result& result) const override {
    set(curve, "tau", curve.time.back(), result);
    set(curve, "flags", curve.flags | doubts(curve, quality), result);
  }
};

// Results of one light curve, and what is said of their columns.
struct Fitted {
  Batch batch{0, 0, 1};
  double value(std::string_view name) const { return column(name).number(0); }
  std::int32_t flags() const { return static_cast<std::int32_t>(value("flags")); }
  std::string says(std::string_view name) const { return column(name).info().description; }
  const Column& column(std::string_view name) const {
    return batch.objects().at("fit.s.b." + std::string(name));
  }
};

Fitted fitted(const Judge& judge, const LightCurve& curve, double z) {
  Fitted out;
  Batch& batch = out.batch;
  batch.objects().add({"source_id", DType::I64, "", ""}).append(std::int64_t{1});
  batch.objects().add({"z", DType::F64, "", ""}).append(z);
  const GroupInfo info{"s.b", "s", "b", "t", "m", "e", kMjdUtc};
  Group& group = batch.add_group(info);
  Schema before;
  before.add({"", "z", DType::F64}, "test");
  before.add_group(info, "test");
  for (const auto& [name, values] :
       {std::pair{"t", &curve.time}, {"m", &curve.mag}, {"e", &curve.mag_err}}) {
    Column& column = group.add({name, DType::F64, "", ""});
    for (const double v : *values) column.append(v);
    before.add({"s.b", name, DType::F64}, "test");
  }
  group.close_row();
  Ports ports;
  judge.declare(before, ports);
  for (const Port& port : ports.added()) {
    Column& column = batch.objects().add({port.name, *port.dtype, port.unit, port.help});
    if (port.dtype == DType::String) column.append_string(port.fill_text);
    if (port.dtype == DType::I32) column.append(std::int32_t{0});
    if (port.dtype == DType::F64) column.append(kNaN);
  }
  std::deque<Group> arrays;
  Counts counts;
  Result result(batch, 0, ports, arrays, counts);
  judge.fit(Object(batch, 0), result);
  return out;
}

Fitted fitted(const LightCurve& curve, double z = 1) {
  return fitted(Judge(true), curve, z);
}

double normal(std::mt19937_64& engine) {
  const auto uniform = [&] { return static_cast<double>((engine() >> 11) + 1) * 0x1p-53; };
  const double radius = std::sqrt(-2 * std::log(uniform()));
  return radius * std::cos(2 * std::acos(-1.0) * uniform());
}

// A damped random walk, sigma 0.15 mag, tau 200 d, in 1800 d from MJD 58000; every tenth epoch
// comes 0.4 d after another.
LightCurve walk(std::size_t n, double mag_err, std::uint64_t seed, double noise = 1) {
  std::mt19937_64 engine(seed);
  LightCurve curve;
  double x = 0.15 * normal(engine), last = 58000;
  for (std::size_t i = 0; i < n; ++i) {
    const double first = 58000 + 1800.0 * static_cast<double>(i) / static_cast<double>(n);
    const double later = std::max(first + 1e-11 * static_cast<double>(engine() >> 24), last + 0.02);
    const double t = i % 10 == 9 ? last + 0.4 : later;
    const double a = std::exp((last - t) / 200);
    x = a * x + 0.15 * std::sqrt(1 - a * a) * normal(engine);
    curve.time.push_back(t);
    curve.mag.push_back(19 + x + noise * mag_err * normal(engine));
    curve.mag_err.push_back(mag_err);
    last = t;
  }
  return curve;
}

}  // namespace

TEST_CASE("a healthy light curve has no flags") {
  const Fitted fit = fitted(walk(200, 0.02, 1));
  CHECK(fit.flags() == 0);
  CHECK(fit.value("n_epochs") == 200);
}

TEST_CASE("epochs whose error stands for none take no part, and the curve is flagged") {
  const LightCurve good = walk(100, 0.02, 1);
  for (const double sentinel : {9.9, 9.999, 99.0, 99.99, 999.0, 9999.0, 20.0, 1e20,
                                static_cast<double>(9.999F), static_cast<double>(99.99F)}) {
    LightCurve curve = good;
    for (std::size_t i = 0; i < 100; i += 30) curve.mag_err[i] = sentinel;
    const Fitted fit = fitted(curve);
    INFO(sentinel);
    CHECK(fit.flags() == kErrorSentinels);
    CHECK(fit.value("n_epochs") == 96);
  }
  LightCurve most = good;  // the median of the other errors counts
  for (std::size_t i = 0; i < 70; ++i) most.mag_err[i] = 99.99;
  CHECK(fitted(most).flags() == kErrorSentinels);
  CHECK(fitted(most).value("n_epochs") == 30);
}

TEST_CASE("large errors that are errors stay") {
  LightCurve plates = walk(100, 0.001, 1);  // CCDs and photographic plates
  for (std::size_t i = 0; i < 100; i += 2) plates.mag_err[i] = 0.15;
  CHECK(fitted(plates).flags() == 0);
  CHECK(fitted(plates).value("n_epochs") == 100);
  LightCurve uneven = walk(100, 0.02, 1);
  uneven.mag_err[5] = 10.01;  // 500 medians, but not of nines
  LightCurve counts = walk(100, 5, 1);
  counts.mag_err[5] = 99.9;  // of nines, but 20 counts are not far from it
  CHECK(fitted(uneven).flags() == 0);
  CHECK(fitted(counts).flags() == 0);
}

TEST_CASE("fluxes of any unit are fitted") {
  LightCurve curve = walk(100, 0.02, 1);
  for (double& m : curve.mag) m *= 1e-15;
  for (double& e : curve.mag_err) e *= 1e-15;
  CHECK(fitted(curve).flags() == 0);
  CHECK(fitted(curve).value("n_epochs") == 100);
}

TEST_CASE("numbers that are none take no part") {
  LightCurve curve = walk(100, 0.02, 1);
  curve.time[1] = curve.mag[2] = kNaN;
  curve.mag_err[3] = std::numeric_limits<double>::infinity();
  curve.mag_err[4] = 0;
  curve.mag_err[5] = -1;
  curve.mag_err[6] = 1e-18;  // against 0.02
  const Fitted fit = fitted(curve);
  CHECK(fit.flags() == kEpochsWithoutPart);
  CHECK(fit.value("n_epochs") == 94);
  LightCurve none = walk(100, 0.02, 1);
  none.mag_err.assign(100, 1e-200);  // whose square is 0
  CHECK(fitted(none).flags() == (kEpochsWithoutPart | kTooFewEpochs));
}

TEST_CASE("times rounded to 32-bit numbers are flagged") {
  for (const double origin : {0.0, 2400000.5}) {  // MJD, JD
    LightCurve curve = walk(200, 0.02, 1);
    for (double& t : curve.time) t += origin;
    CHECK(fitted(curve).flags() == 0);
    for (double& t : curve.time) t = static_cast<double>(static_cast<float>(t));
    CHECK(fitted(curve).flags() == kRoundedTimes);
  }
}

TEST_CASE("times with few digits are not taken for 32-bit numbers") {
  const auto with_times = [](double origin, double step, double digits) {
    LightCurve curve = walk(200, 0.02, 1);
    for (std::size_t i = 0; i < 200; ++i)
      curve.time[i] = origin + std::round(static_cast<double>(i / 2) * step / digits) * digits;
    return fitted(curve).flags();
  };
  CHECK(with_times(58000, 1.37, 1e-5) == 0);  // two exposures at each time
  CHECK(with_times(58000, 3.2, 1) == 0);
  CHECK(with_times(58000.5, 3.2, 0.5) == 0);
  CHECK(with_times(2458000.5, 3.2, 1) == 0);
  CHECK(with_times(2458000, 3.2, 0.5) == 0);
  LightCurve small = walk(200, 0.02, 1);  // 32-bit numbers, but a hundredth of a minute apart
  for (double& t : small.time) t = static_cast<double>(static_cast<float>(t - 57000));
  CHECK(fitted(small).flags() == 0);
  LightCurve regular = walk(200, 0.02, 1);
  for (std::size_t i = 0; i < 200; ++i) regular.time[i] = 2458000 + 0.25 * static_cast<double>(i);
  CHECK(fitted(regular).flags() == 0);
}

TEST_CASE("two sources in the exposures are flagged") {
  const LightCurve quasar = walk(200, 0.02, 1);
  const auto with_second = [&](std::size_t every, double offset) {
    LightCurve curve = quasar;
    for (std::size_t i = 0; i < 200; i += every) {
      curve.time.push_back(quasar.time[i]);
      curve.mag.push_back(quasar.mag[i] + offset);
      curve.mag_err.push_back(0.02);
    }
    return fitted(curve).flags();
  };
  CHECK(with_second(1, 1.3) == kTwoSources);
  CHECK(with_second(40, 1.3) == kTwoSources);  // 5 of 200 exposures
  CHECK(with_second(70, 1.3) == 0);            // 3
  CHECK(with_second(1, 0.05) == 0);            // the same source in two detectors
  CHECK(with_second(1, 0.13) == 0);            // 4.6 standard deviations
  LightCurve bright = quasar;                  // 0.08 mag are 28 standard deviations
  for (std::size_t i = 0; i < 200; ++i) {
    bright.time.push_back(quasar.time[i]);
    bright.mag.push_back(quasar.mag[i] + 0.08);
    bright.mag_err.push_back(0.002);
    bright.mag_err[i] = 0.002;
  }
  CHECK(fitted(bright).flags() == 0);
}

TEST_CASE("a number that is no redshift is flagged, and 0 on its own") {
  const LightCurve curve = walk(50, 0.02, 1);
  for (const double z :
       {-999.0, -1.0, -0.01, 20.5, 99.0, 999.0, kNaN, std::numeric_limits<double>::infinity()}) {
    INFO(z);
    CHECK(fitted(curve, z).flags() == kBadRedshift);
    CHECK(std::isnan(fitted(curve, z).value("tau")));
    CHECK(fitted(Judge(false), curve, z).flags() == 0);
  }
  CHECK(fitted(curve, 0.001).flags() == 0);
  CHECK(fitted(curve, 0).flags() == kZeroRedshift);
  CHECK(fitted(curve, 0).value("tau") == fitted(Judge(false), curve, 0).value("tau"));
}

TEST_CASE("results say which frame their times are of") {
  const LightCurve curve = walk(50, 0.02, 1);
  const Fitted rest = fitted(Judge(true), curve, 1), observed = fitted(Judge(false), curve, 1);
  for (const char* name : {"baseline", "median_cadence", "tau"}) {
    CHECK_THAT(rest.says(name), Catch::EndsWith("; rest frame"));
    CHECK_THAT(observed.says(name), Catch::EndsWith("; observed frame"));
    CHECK(rest.value(name) == std::clamp(rest.value(name), 0.0, observed.value(name)));
  }
  CHECK(rest.value("z") == 1);
  CHECK(std::isnan(observed.value("z")));
  CHECK(rest.says("sigma") == observed.says("sigma"));
}

TEST_CASE("in the observed frame no redshift is needed") {
  Ports ports;
  Judge(false).declare({}, ports);
  CHECK(std::ranges::none_of(ports.read(), [](const Port& port) { return port.name == "z"; }));
}

TEST_CASE("the description of the flags has every bit and its threshold") {
  const std::string text = fitted(walk(50, 0.02, 1)).says("flags");
  for (const FitFlag flag :
       {kTooFewEpochs, kBadRedshift, kEpochsWithoutPart, kFitFailed, kShortBaseline,
        kFasterThanCadence, kConstantPreferred, kErrorsTooSmall, kErrorSentinels, kRoundedTimes,
        kTwoSources, kZeroRedshift})
    CHECK_THAT(text, Catch::Contains(' ' + std::to_string(flag) + ' '));
  for (const char* words :
       {"baseline below 10 tau", "(epochs - fitted parameters) by more than 3 sqrt(2 degrees)",
        "closer than 0.1 tau", "(degrees: pairs", "2.33 standard deviations", "1000 times",
        "5 standard deviations and 0.1 mag", "2 % of all", "16 a flag of its own"})
    CHECK_THAT(text, Catch::Contains(words));
}

TEST_CASE("doubts about a fit have their thresholds, and none without numbers") {
  const LightCurve curve = walk(200, 0.02, 1);
  const double baseline = fitted(Judge(false), curve, 0).value("baseline");
  const double cadence = fitted(Judge(false), curve, 0).value("median_cadence");
  const auto flags = [&](const FitQuality& quality) {
    Judge judge(false);
    judge.quality = quality;
    return fitted(judge, curve, 0).flags();
  };
  CHECK(flags({kNaN, kNaN, kNaN, kNaN, kNaN}) == 0);
  CHECK(flags({baseline / 10.1, 197, 197, -500, -400}) == 0);
  CHECK(flags({baseline / 9.9, 197, 197, -500, -400}) == kShortBaseline);
  CHECK(flags({cadence * 1.01, 197, 197, -500, -400}) == 0);
  CHECK(flags({cadence * 0.99, 197, 197, -500, -400}) == kFasterThanCadence);
  CHECK(flags({100, 197, 197, -500, -501}) == kConstantPreferred);
  CHECK(flags({100, 100 + 3 * std::sqrt(200) - 0.1, 100, -500, -400}) == 0);
  CHECK(flags({100, 100 + 3 * std::sqrt(200) + 0.1, 100, -500, -400}) == kErrorsTooSmall);
}

TEST_CASE("close epochs tell errors that are too small from a short tau") {
  // tau as far too short as the fit makes it where errors are three times too small.
  const auto flagged = [](double noise, double tau) {
    Judge judge(false);
    judge.quality = {tau, 97, 97, -500, -400, 0.15};  // chi2 finds nothing
    int n = 0;
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
      n += (fitted(judge, walk(100, 0.015, seed, noise), 0).flags() & kErrorsTooSmall) != 0;
    }
    return n / 500.0;
  };
  CHECK(flagged(1, 200) < 0.02);
  CHECK(flagged(1, 36) < 0.01);
  CHECK(flagged(3, 36) > 0.7);
}
