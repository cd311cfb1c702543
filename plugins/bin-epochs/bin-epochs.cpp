// bin-epochs: light curves averaged in bins of time, such as nights, or between pauses. A derived
// light curve is a group that a Fitter adds: later stages fit and store it like a survey's, and its
// input stays unchanged.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <qsohost/plugin.hpp>

namespace {

using qsohost::DType;
using qsohost::GroupInfo;

// Bins are numbered with 64 bits, but only numbers that doubles represent exactly are allowed.
constexpr double kMostBins = 9007199254740992;  // 2^53

// The sums of one bin. Times and magnitudes are relative to the first epoch's, to keep precision.
struct Bin {
  std::int32_t n = 0;
  double time0 = 0, mag0 = 0;
  double weight = 0, time = 0, mag = 0;

  void add(double t, double m, double error) {
    if (n++ == 0) time0 = t, mag0 = m;
    const double w = 1 / (error * error);
    weight += w;
    time += w * (t - time0);
    mag += w * (m - mag0);
  }
};

using Bins = std::map<std::int64_t, Bin>;  // ascending time

class BinEpochs final : public qsohost::Fitter {
 public:
  void validate() const override;
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  void fit(const qsohost::Object& object, qsohost::Result& result) const override;

 private:
  GroupInfo binned(GroupInfo group) const;
  void bin(const GroupInfo& group, const qsohost::Object& object, qsohost::Result& result) const;
  Bins bins_of_width(const qsohost::LightCurve& curve, const qsohost::UsableEpochs& usable) const;
  Bins bins_between_gaps(const qsohost::LightCurve& curve,
                         const qsohost::UsableEpochs& usable) const;
  void append(const std::string& name, const GroupInfo& group, std::int64_t number, const Bin& bin,
              qsohost::Result& result) const;

  qsohost::Option<std::vector<std::string>> groups_{
      this, "groups", qsohost::required, "light curves to bin, e.g. [\"ztf.g\", \"ztf.r\"]"};
  qsohost::Option<double> width_{this, "width", 1, "of a bin", {.unit = "d", .min = 1e-6}};
  qsohost::Option<double> offset_{
      this,
      "offset",
      0,
      "a bin begins at this time of the light curve; for nights choose one by daylight, e.g. 0.0 "
      "in MJD UTC for Hawaii and Palomar, 0.7 for Chile, 0.5 for Europe and Africa",
      {.unit = "d"}};
  qsohost::Option<double> gap_{
      this,
      "gap",
      0,
      "instead of width and offset: a bin begins after a pause longer than this, e.g. 10 for the "
      "visits of NEOWISE; 0: bins of width",
      {.unit = "d", .min = 0}};
};

void BinEpochs::validate() const {
  if (groups_->empty())
    throw qsohost::UsageError("option 'groups' is empty: name a light curve at least");
  if (*gap_ > 0 && (*width_ != 1 || *offset_ != 0)) {
    throw qsohost::UsageError(
        "option 'gap' makes bins between pauses, which have no 'width' and 'offset': leave them "
        "out");
  }
}

// Group "ztf.g" becomes "LABEL.ztf.g", band g of survey "LABEL.ztf". Its columns of time, magnitude
// and error keep their names.
GroupInfo BinEpochs::binned(GroupInfo group) const {
  group.name = label() + "." + group.name;
  group.survey = label() + "." + group.survey;
  return group;
}

void BinEpochs::declare(const qsohost::Schema& before, qsohost::Ports& ports) const {
  for (const std::string& name : *groups_) {
    const auto* found = before.find_group(name);
    if (found == nullptr) {
      if (!before.is_open())
        ports.problem(fmt::format(
            "there is no group '{}' here; name light curves that earlier stages give", name));
      continue;
    }
    const GroupInfo& from = found->info;
    if (from.time.empty() || from.mag.empty() || from.mag_err.empty()) {
      ports.problem(
          fmt::format("group '{}' is no light curve: it does not say which columns are "
                      "time, magnitude and error; name light curves",
                      name));
      continue;
    }
    ports.reads({name, from.time, std::nullopt, "d", "time"});
    ports.reads({name, from.mag, std::nullopt, "mag", "magnitude"});
    ports.reads({name, from.mag_err, std::nullopt, "mag", "error of the magnitude"});
    const GroupInfo to = binned(from);
    ports.adds_group(to);
    ports.adds({to.name, "epoch_id", DType::I64, "",
                "number of the bin: (time - offset) / width, or with gap from 0"});
    ports.adds({to.name, to.time, DType::F64, "d", "mean time, weighted as the magnitude"});
    ports.adds({to.name, to.mag, DType::F64, "mag", "mean magnitude, weighted by 1 / error^2"});
    ports.adds(
        {to.name, to.mag_err, DType::F64, "mag", "error of the mean, from the errors alone"});
    ports.adds({to.name, "epochs", DType::I32, "", "epochs in the bin"});
    ports.adds({"", to.name + ".n_epochs", DType::I32, "", "epochs that took part"});
    ports.adds({"", to.name + ".n_bins", DType::I32, "", "bins with epochs"});
    ports.adds(
        {"", to.name + ".flags", DType::I32, "",
         "sum of: 1 no epochs, 4 epochs took no part, as a number was not finite, the error not "
         "positive or below 1e-15 of the median, or the time too far from offset, 2097152 epochs "
         "took no part whose error stands for none, as of fitters"});
  }
}

void BinEpochs::append(const std::string& name, const GroupInfo& group, std::int64_t number,
                       const Bin& bin, qsohost::Result& result) const {
  result.append<std::int64_t>(name, "epoch_id", number);
  result.append<double>(name, group.time, bin.time0 + bin.time / bin.weight);
  result.append<double>(name, group.mag, bin.mag0 + bin.mag / bin.weight);
  result.append<double>(name, group.mag_err, 1 / std::sqrt(bin.weight));
  result.append<std::int32_t>(name, "epochs", bin.n);
}

// Without epochs that are too far from the offset.
Bins BinEpochs::bins_of_width(const qsohost::LightCurve& curve,
                              const qsohost::UsableEpochs& usable) const {
  Bins bins;
  for (std::size_t i = 0; i < curve.size(); ++i) {
    if (usable.take[i] == 0) continue;
    const double number = std::floor((curve.time[i] - *offset_) / *width_);
    if (std::abs(number) >= kMostBins) continue;
    bins[static_cast<std::int64_t>(number)].add(curve.time[i], curve.mag[i], curve.mag_err[i]);
  }
  return bins;
}

Bins BinEpochs::bins_between_gaps(const qsohost::LightCurve& curve,
                                  const qsohost::UsableEpochs& usable) const {
  Bins bins;
  std::int64_t number = 0;
  double before = -std::numeric_limits<double>::infinity();
  const qsohost::TimeOrder order(curve.time, usable.take);
  for (std::size_t k = 0; k < order.size(); ++k) {
    const std::size_t i = order.original(k);
    if (k > 0 && curve.time[i] - before > *gap_) ++number;
    before = curve.time[i];
    bins[number].add(curve.time[i], curve.mag[i], curve.mag_err[i]);
  }
  return bins;
}

void BinEpochs::bin(const GroupInfo& group, const qsohost::Object& object,
                    qsohost::Result& result) const {
  const qsohost::LightCurve curve = object.light_curve(group.name);
  const std::string name = label() + "." + group.name;
  // As in LightCurveFitter: the mean of two errors' sentinels would not be known for one.
  const qsohost::UsableEpochs usable = qsohost::usable_epochs(curve);
  const Bins bins = *gap_ > 0 ? bins_between_gaps(curve, usable) : bins_of_width(curve, usable);
  std::int32_t n = 0;
  for (const auto& [number, bin] : bins) {
    append(name, group, number, bin, result);
    n += bin.n;
  }
  std::int32_t flags = usable.flags;
  if (n < std::ranges::count_if(
              usable.take, [](auto take) { return take != 0; })) {
    flags |= qsohost::kEpochsWithoutPart;
  }
  if (n == 0) flags |= qsohost::kTooFewEpochs;
  result.set(name + ".n_epochs", n);
  result.set(name + ".n_bins", static_cast<std::int32_t>(bins.size()));
  result.set(name + ".flags", flags);
  result.count(name, "epochs", n);
  result.count(name, "bins", static_cast<std::int64_t>(bins.size()));
}

void BinEpochs::fit(const qsohost::Object& object, qsohost::Result& result) const {
  for (const std::string& name : *groups_) {
    bin(object.batch().group(name).info(), object, result);
  }
}

}  // namespace

QSOHOST_PLUGIN("bin-epochs", QSOHOST_VERSION,
               qsohost::stage<BinEpochs>("bin-epochs", "light curves averaged in bins of time"));
