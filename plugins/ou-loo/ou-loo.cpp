// ou-loo: fits an Ornstein-Uhlenbeck process (damped random walk) to light curves and marks the
// epochs that leave-one-out cleaning removes. What it adds for a group G, with the stage's label L:
// object columns "L.G.<result>", the arrays of group "L.G", and the epoch column "keep" of G.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <qsohost/plugin.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "fit_summary.hpp"
#include "loo_clean.hpp"
#include "predictive_rule.hpp"

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

enum Flag : std::int32_t {
  kTooFewEpochs = 1 << 0,
  kBadRedshift = 1 << 1,
  kEpochsWithoutPart = 1 << 2,
  kFitFailed = 1 << 3,
  kTooManyRefitsFailed = 1 << 4,
  kPassesUsedUp = 1 << 5,
  kNoErrors = 1 << 14,
  kTooFewLeft = 1 << 15,
};

constexpr int kFullBounds = 6;   // bits 6 to 9: ou::Bound of the full fit
constexpr int kPostBounds = 10;  // bits 10 to 13: of the fit after cleaning

constexpr std::string_view kFlagsHelp =
    "sum of: 1 too few epochs, 2 invalid redshift (both: not fitted), 4 epochs with NaN or mag_err "
    "not between 1e-15 and 1e15 took no part, 8 a fit did not converge, 16 too many refits failed "
    "(both: given up, "
    "nothing removed), 32 max_passes reached while removing; full fit at its bound: 64 sigma low, "
    "128 sigma high, 256 tau low, 512 tau high; fit after cleaning likewise: 1024, 2048, 4096, "
    "8192; 16384 some error or covariance of parameters is undefined (NaN); 32768 rule predictive "
    "would have left fewer than min_points epochs (given up, nothing removed)";

struct ResultColumn {
  std::string_view name;
  qsohost::DType dtype;
  std::string_view unit;
  std::string_view help;
};

// Besides the columns of ou::summary_columns(), each twice.
constexpr ResultColumn kWhat[] = {
    {"z", qsohost::DType::F64, "", "redshift used"},
    {"band", qsohost::DType::String, "", "band of the light curve"},
};
constexpr ResultColumn kCounts[] = {
    {"n_epochs", qsohost::DType::I32, "", "epochs that took part"},
    {"n_removed", qsohost::DType::I32, "", "epochs removed"},
    {"n_passes_done", qsohost::DType::I32, "", "passes, the last without a removal included"},
    {"baseline", qsohost::DType::F64, "d", "time from the first to the last epoch that took part"},
    {"median_cadence", qsohost::DType::F64, "d", "median time between epochs that took part"},
    {"flags", qsohost::DType::I32, "", kFlagsHelp},
};

class OuLoo final : public qsohost::Fitter {
 public:
  void validate() const override;
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  void open(qsohost::Context& context) override { context_ = &context; }
  void fit(const qsohost::Object& object, qsohost::Result& result) const override;

 private:
  std::string prefix(const std::string& group) const { return label() + "." + group; }
  void declare_group(const std::string& name, const qsohost::Schema& before,
                     qsohost::Ports& ports) const;
  void declare_results(const std::string& name, const std::string& band,
                       qsohost::Ports& ports) const;
  void fit_group(const qsohost::Object& object, const std::string& group, double redshift,
                 qsohost::Result& result) const;
  void store(const std::string& group, const ou::Curve& curve, const ou::Cleaned& cleaned,
             std::int32_t flags, qsohost::Result& result) const;
  void store_removed(const qsohost::Object& object, const std::string& group,
                     const std::vector<std::size_t>& removed, std::span<const double> time,
                     qsohost::Result& result) const;
  ou::Rule rule() const;

  qsohost::Context* context_ = nullptr;
  qsohost::Option<std::vector<std::string>> groups_{
      this, "groups", qsohost::required, "light curves to fit, e.g. [\"ztf.g\", \"ztf.r\"]"};
  qsohost::Option<std::string> redshift_{this, "redshift", "z",
                                         "object column with the redshift; \"\" for none"};
  qsohost::Option<bool> rest_frame_{this, "rest_frame", true,
                                    "tau and D in rest-frame days, t / (1 + z)"};
  qsohost::Option<std::string> rule_{
      this,
      "rule",
      "influence",
      "influence: the epoch whose absence changes ln D most goes, one a pass; predictive: all "
      "epochs that the others do not predict go (finds far more outliers in long light curves)",
      {.choices = {"influence", "predictive"}}};
  qsohost::Option<std::string> mode_{
      this,
      "mode",
      "screened",
      "of rule influence: refit without every epoch, or only without those that may matter most",
      {.choices = {"screened", "exact"}}};
  qsohost::Option<double> false_alarms_{
      this,
      "false_alarms_per_curve",
      0.05,
      "of rule predictive: good epochs lost per light curve, on average",
      {.min = 1e-6, .max = 10}};
  qsohost::Option<std::int64_t> min_points_{
      this, "min_points", 10, "epochs needed for a fit and for another pass", {.min = 4}};
  qsohost::Option<std::int64_t> max_passes_{
      this,
      "max_passes",
      10,
      "of rule influence: at most so many epochs are removed; of rule predictive: refits",
      {.min = 0}};
  qsohost::Option<double> min_delta_{this,
                                     "min_abs_delta_logD",
                                     0.5,
                                     "an epoch is removed if that changes ln D by at least this",
                                     {.min = 0}};
  qsohost::Option<bool> only_decreases_{
      this, "only_if_D_decreases", true,
      "stop when the epoch that matters most would make D larger by its absence"};
  qsohost::Option<double> max_failed_{this,
                                      "max_failed_fraction",
                                      0.1,
                                      "an object is given up when more of a pass's refits fail",
                                      {.min = 0, .max = 1}};
  qsohost::Option<std::string> mean_{
      this,
      "mean",
      "median",
      "mean of the process: the median of the magnitudes fitted (anew without each epoch), or the "
      "value that maximises the likelihood",
      {.choices = {"median", "profiled"}}};
};

void OuLoo::validate() const {
  if (groups_->empty())
    throw qsohost::ChainError("groups is empty: name the light curves to fit, e.g. [\"ztf.g\"]");
  for (auto g = groups_->begin(); g != groups_->end(); ++g) {
    if (std::find(groups_->begin(), g, *g) != g)
      throw qsohost::ChainError(fmt::format("groups names '{}' twice", *g));
  }
  if (*rest_frame_ && redshift_->empty())
    throw qsohost::ChainError(
        "rest_frame = true needs a redshift: name its column, or set rest_frame = false");
}

void OuLoo::declare(const qsohost::Schema& before, qsohost::Ports& ports) const {
  Fitter::declare(before, ports);
  if (!redshift_->empty()) {
    const auto* z = before.find("", *redshift_);
    if (z != nullptr && z->port.dtype == qsohost::DType::String)
      ports.problem(fmt::format("redshift column '{}' holds strings, not numbers", *redshift_));
    ports.reads({"", *redshift_, std::nullopt, "", "redshift"});
  }
  for (const std::string& name : *groups_) declare_group(name, before, ports);
  if (groups_->empty()) declare_results("GROUP", "", ports);  // for `inspect`
}

void OuLoo::declare_group(const std::string& name, const qsohost::Schema& before,
                          qsohost::Ports& ports) const {
  const auto* group = before.find_group(name);
  if (group == nullptr && !before.is_open()) {
    ports.reads(
        {name, "mag", std::nullopt, "", "light curve to fit"});  // the host says what is wrong
    return;
  }
  std::string band;
  if (group != nullptr) {
    const qsohost::GroupInfo& info = group->info;
    if (info.time.empty() || info.mag.empty() || info.mag_err.empty()) {
      ports.problem(fmt::format("group '{}' has no columns for time, mag and mag_err", name));
      return;
    }
    band = info.band;
    for (const auto& [column, what] :
         {std::pair{info.time, "time"}, std::pair{info.mag, "magnitude"},
          std::pair{info.mag_err, "error of the magnitude"}})
      ports.reads({name, column, std::nullopt, "", what});
  }
  const auto* id = before.find(name, "epoch_id");
  if (id != nullptr && id->port.dtype == qsohost::DType::I64)
    ports.reads({name, "epoch_id", qsohost::DType::I64, "", "identity of the epoch"});

  ports.adds({name, "keep", qsohost::DType::Bool, "", "0: removed by leave-one-out cleaning", 1});
  declare_results(name, band, ports);
  qsohost::GroupInfo arrays;
  arrays.name = prefix(name);
  arrays.band = band;
  ports.adds_group(arrays);
  ports.adds({prefix(name), "removed_mjd", qsohost::DType::F64, "d",
              "time of each removed epoch, in order of removal, as in the light curve"});
  ports.adds({prefix(name), "removed_epoch_id", qsohost::DType::I64, "",
              "epoch_id of each removed epoch, or its place among those fetched, from 0"});
}

// In the order of the tables that the original made; what is new comes last.
void OuLoo::declare_results(const std::string& name, const std::string& band,
                            qsohost::Ports& ports) const {
  const auto add = [&](const ResultColumn& c) {
    ports.adds({"", fmt::format("{}.{}", prefix(name), c.name), c.dtype, std::string(c.unit),
                std::string(c.help), 0, 1, c.name == "band" ? band : ""});
  };
  const auto add_fit = [&](const ou::SummaryColumn& c, std::string_view which) {
    ports.adds({"", fmt::format("{}.{}_{}", prefix(name), c.name, which), qsohost::DType::F64,
                std::string(c.unit),
                fmt::format("{}, {}", c.help, which == "full" ? "all epochs" : "epochs kept")});
  };
  const auto columns = ou::summary_columns();
  const auto parameters = columns.first(3);
  for (const ResultColumn& c : kWhat) add(c);
  for (const std::string_view which : {"full", "post"}) {
    for (const ou::SummaryColumn& c : parameters) add_fit(c, which);
  }
  for (const ResultColumn& c : kCounts) add(c);
  for (const ou::SummaryColumn& c : columns.subspan(parameters.size())) {
    for (const std::string_view which : {"full", "post"}) add_fit(c, which);
  }
}

ou::Rule OuLoo::rule() const {
  ou::Rule rule;
  rule.mode = *mode_ == "exact" ? ou::Mode::Exact : ou::Mode::Screened;
  rule.false_alarms_per_curve = *false_alarms_;
  if (context_ != nullptr)
    rule.stop_requested = [context = context_] { return context->stop_requested(); };
  rule.min_points = static_cast<std::size_t>(*min_points_);
  rule.max_passes = static_cast<std::size_t>(*max_passes_);
  rule.min_abs_delta_ln_d = *min_delta_;
  rule.only_if_d_decreases = *only_decreases_;
  rule.max_failed_fraction = *max_failed_;
  rule.mean = *mean_ == "profiled" ? ou::Mean::Profiled : ou::Mean::Fixed;
  return rule;
}

void OuLoo::fit(const qsohost::Object& object, qsohost::Result& result) const {
  const double redshift = redshift_->empty() ? kNaN : object.number(*redshift_);
  for (const std::string& group : *groups_) fit_group(object, group, redshift, result);
}

// Epochs that can take part in a fit.
std::vector<std::uint8_t> usable(const qsohost::LightCurve& curve) {
  std::vector<std::uint8_t> take(curve.size());
  for (std::size_t i = 0; i < curve.size(); ++i) {
    take[i] = std::isfinite(curve.time[i]) && std::isfinite(curve.mag[i]) &&
              curve.mag_err[i] >= 1e-15 && curve.mag_err[i] <= 1e15;
  }
  return take;
}

void OuLoo::fit_group(const qsohost::Object& object, const std::string& group, double redshift,
                      qsohost::Result& result) const {
  const qsohost::LightCurve fetched = object.light_curve(group);
  const qsohost::TimeOrder order(fetched.time, usable(fetched));
  std::int32_t flags = 0;
  if (order.size() < fetched.size()) flags |= kEpochsWithoutPart;
  const bool redshift_is_good = !*rest_frame_ || (std::isfinite(redshift) && redshift > -1);
  if (!redshift_is_good) flags |= kBadRedshift;
  if (order.size() < static_cast<std::size_t>(*min_points_)) flags |= kTooFewEpochs;

  result.set<double>(prefix(group) + ".z", redshift);
  result.set<std::int32_t>(prefix(group) + ".n_epochs", static_cast<std::int32_t>(order.size()));
  result.set<std::int32_t>(prefix(group) + ".flags", flags);
  result.count(group, "epochs without part",
               static_cast<std::int64_t>(fetched.size() - order.size()));
  if ((flags & kTooFewEpochs) != 0)
    result.count(group, "objects too short");
  else if ((flags & kBadRedshift) != 0)
    result.count(group, "objects without valid redshift");
  if ((flags & (kTooFewEpochs | kBadRedshift)) != 0) return;

  ou::Curve curve{order.gather(fetched.time), order.gather(fetched.mag),
                  order.gather(fetched.mag_err)};
  const double first = curve.time.front();
  for (double& t : curve.time) t = (t - first) / (*rest_frame_ ? 1 + redshift : 1.0);
  const ou::Sampling sampling = ou::sampling_of(ou::series_of(curve));
  result.set<double>(prefix(group) + ".baseline", sampling.baseline);
  result.set<double>(prefix(group) + ".median_cadence", sampling.median_cadence);
  const ou::Cleaned cleaned =
      *rule_ == "predictive" ? ou::clean_by_prediction(curve, rule()) : ou::clean(curve, rule());
  if (cleaned.ending == ou::Ending::Stopped) return;  // the host forgets this batch
  store(group, curve, cleaned, flags, result);

  std::vector<std::size_t> removed;
  for (const std::size_t k : cleaned.removed) removed.push_back(order.original(k));
  store_removed(object, group, removed, fetched.time, result);
}

void OuLoo::store(const std::string& group, const ou::Curve& curve, const ou::Cleaned& cleaned,
                  std::int32_t flags, qsohost::Result& result) const {
  using ou::Ending;
  const auto set_fit = [&](std::string_view which, const ou::Curve& fitted, const ou::Fit& fit,
                           int bounds_shift) {
    const ou::Summary summary = ou::summarise(ou::series_of(fitted), fit, rule().mean);
    for (const ou::SummaryColumn& c : ou::summary_columns())
      result.set<double>(fmt::format("{}.{}_{}", prefix(group), c.name, which), c.value(summary));
    flags |= fit.bounds << bounds_shift;
    const ou::Errors& e = summary.errors;
    if (std::isnan(e.ln_sigma + e.ln_tau + e.ln_d + e.covariance)) flags |= kNoErrors;
  };
  if (cleaned.ending == Ending::FitFailed) flags |= kFitFailed;
  if (cleaned.ending == Ending::TooManyFailed) flags |= kTooManyRefitsFailed;
  if (cleaned.ending == Ending::TooFewLeft) flags |= kTooFewLeft;
  if (cleaned.ending == Ending::PassesUsedUp) flags |= kPassesUsedUp;
  if (cleaned.full.converged) set_fit("full", curve, cleaned.full, kFullBounds);
  if (!cleaned.given_up()) {
    ou::Curve kept = curve;
    std::vector<std::size_t> gone = cleaned.removed;
    std::sort(gone.rbegin(), gone.rend());
    for (const std::size_t k : gone) kept.erase(k);
    set_fit("post", kept, cleaned.post, kPostBounds);
  }
  result.set<std::int32_t>(prefix(group) + ".n_removed",
                           static_cast<std::int32_t>(cleaned.removed.size()));
  result.set<std::int32_t>(prefix(group) + ".n_passes_done",
                           static_cast<std::int32_t>(cleaned.passes));
  result.set<std::int32_t>(prefix(group) + ".flags", flags);
  result.count(group, cleaned.given_up() ? "objects given up" : "objects fitted");
  result.count(group, "epochs removed", static_cast<std::int64_t>(cleaned.removed.size()));
}

// `removed`: places among the fetched epochs.
void OuLoo::store_removed(const qsohost::Object& object, const std::string& group,
                          const std::vector<std::size_t>& removed, std::span<const double> time,
                          qsohost::Result& result) const {
  const qsohost::Column* id = object.batch().group(group).find("epoch_id");
  const bool has_id = id != nullptr && id->dtype() == qsohost::DType::I64;
  const auto keep = result.epochs<bool>(group, "keep");
  for (const std::size_t i : removed) {
    keep[i] = 0;
    result.append<double>(prefix(group), "removed_mjd", time[i]);
    result.append<std::int64_t>(
        prefix(group), "removed_epoch_id",
        has_id ? object.epochs<std::int64_t>(group, "epoch_id")[i] : static_cast<std::int64_t>(i));
  }
}

}  // namespace

QSOHOST_PLUGIN(
    "ou-loo", "1.0.0",
    qsohost::stage<OuLoo>("ou-loo",
                          "Ornstein-Uhlenbeck (damped random walk) fits, and cleaning by "
                          "leaving each epoch out"));
