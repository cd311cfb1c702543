#include "ou_loo_stage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "fit_summary.hpp"
#include "predictive_rule.hpp"

namespace ou {
namespace {

// In addition to those of qsohost::FitFlag.
enum Flag : std::int32_t {
  kTooManyRefitsFailed = 1 << 4,
  kPassesUsedUp = 1 << 5,
  kTooFewLeft = 1 << 15,
  kTooManyRemoved = 1 << 24,
};

constexpr int kFullBounds = 6;   // bits 6 to 9: Bound of the full fit
constexpr int kPostBounds = 10;  // bits 10 to 13: of the fit after cleaning

constexpr std::string_view kFlagsHelp =
    "16 too many refits failed (8 and 16: given up, nothing removed), 32 one pass more than "
    "max_passes would have changed something; full fit at its bound: 64 sigma low, 128 sigma high, "
    "256 tau low, 512 tau high; fit "
    "after cleaning likewise: 1024, 2048, 4096, 8192; 16384 some error or covariance of sigma and "
    "tau is undefined (NaN), 65536 jitter at its lower bound; 32768 fewer than min_points epochs "
    "would have been left (rule influence: "
    "the epochs before that are removed; rule predictive: given up, nothing removed); 16777216 "
    "more than max_removed_fraction of the epochs "
    "would have been removed (given up, nothing removed)";

constexpr qsohost::ResultColumn kRemoved[] = {
    {"n_removed", qsohost::DType::I32, "", "epochs removed"},
    {"n_passes_done", qsohost::DType::I32, "", "passes, the last without a removal included"},
};

}  // namespace

void OuLoo::declare_curve(const qsohost::GroupInfo& group, const qsohost::Schema& before,
                          qsohost::Ports& ports) const {
  const auto* id = before.find(group.name, "epoch_id");
  if (id != nullptr && id->port.dtype == qsohost::DType::I64)
    ports.reads({group.name, "epoch_id", qsohost::DType::I64, "", "identity of the epoch"});

  ports.adds(
      {group.name, "keep", qsohost::DType::Bool, "", "0: removed by leave-one-out cleaning", 1});
  declare_results(group, ports);
  qsohost::GroupInfo arrays;
  arrays.name = prefix(group.name);
  arrays.band = group.band;
  ports.adds_group(arrays);
  ports.adds({arrays.name, "removed_mjd", qsohost::DType::F64, "d",
              "time of each removed epoch, in order of removal, as in the light curve"});
  ports.adds({arrays.name, "removed_epoch_id", qsohost::DType::I64, "",
              "epoch_id of each removed epoch, or its place among those fetched, from 0"});
}

// In the order of the original's tables; new ones come last.
void OuLoo::declare_results(const qsohost::GroupInfo& group, qsohost::Ports& ports) const {
  namespace column = qsohost::fit_column;
  const auto add_fit = [&](const SummaryColumn& c, std::string_view which) {
    const std::string name = fmt::format("{}_{}", c.name, which);
    const std::string help =
        fmt::format("{}, {}", c.help, which == "full" ? "all epochs" : "epochs kept");
    add_result(group, {name, qsohost::DType::F64, c.unit, help, c.framed}, ports);
  };
  const auto columns = summary_columns(fits_jitter());
  const auto parameters = columns.first(3);
  for (const auto& c : {column::kZ, column::kBand}) add_result(group, c, ports);
  for (const std::string_view which : {"full", "post"}) {
    for (const SummaryColumn& c : parameters) add_fit(c, which);
  }
  add_result(group, column::kEpochs, ports);
  for (const auto& c : kRemoved) add_result(group, c, ports);
  for (const auto& c : {column::kBaseline, column::kCadence}) add_result(group, c, ports);
  add_flags(group, kFlagsHelp, ports);
  for (const SummaryColumn& c : columns.subspan(parameters.size())) {
    for (const std::string_view which : {"full", "post"}) add_fit(c, which);
  }
  add_result(group, column::kParameters, ports);
  declare_shared(group, "post", ports);
}

Rule OuLoo::rule() const {
  Rule rule;
  rule.mode = *mode_;
  rule.false_alarms_per_curve = *false_alarms_;
  if (context_ != nullptr)
    rule.stop_requested = [context = context_] { return context->stop_requested(); };
  rule.min_points = min_points();
  rule.max_passes = static_cast<std::size_t>(*max_passes_);
  rule.min_abs_delta_ln_d = *min_delta_;
  rule.only_if_d_decreases = *only_decreases_;
  rule.max_failed_fraction = *max_failed_;
  rule.max_removed_fraction = *max_removed_;
  rule.mean = mean();
  rule.box = box();
  return rule;
}

void OuLoo::fit_curve(const qsohost::CurveToFit& curve, qsohost::Result& result) const {
  const Curve fitted{curve.time, curve.mag, curve.mag_err};
  const Cleaned cleaned =
      *rule_ == RuleName::Predictive ? clean_by_prediction(fitted, rule()) : clean(fitted, rule());
  if (cleaned.ending == Ending::Stopped) return;  // the host discards this batch
  store(curve, series_of(fitted), cleaned, result);

  std::vector<std::size_t> removed;
  for (const std::size_t k : cleaned.removed) removed.push_back(curve.order.original(k));
  store_removed(curve, removed, result);
}

std::int32_t flag_of(Ending ending) {
  switch (ending) {
    case Ending::FitFailed:
      return qsohost::kFitFailed;
    case Ending::TooManyFailed:
      return kTooManyRefitsFailed;
    case Ending::AtFewest:
    case Ending::TooFewLeft:
      return kTooFewLeft;
    case Ending::TooManyRemoved:
      return kTooManyRemoved;
    case Ending::PassesUsedUp:
      return kPassesUsedUp;
    case Ending::Clean:
    case Ending::Stopped:
      break;
  }
  return 0;
}

void OuLoo::store(const qsohost::CurveToFit& curve, const Series& all, const Cleaned& cleaned,
                  qsohost::Result& result) const {
  std::int32_t flags = curve.flags | flag_of(cleaned.ending);
  const auto set_fit = [&](std::string_view which, const Summary& summary, int bounds_shift) {
    for (const SummaryColumn& c : summary_columns(fits_jitter()))
      set(curve, fmt::format("{}_{}", c.name, which), c.value(summary), result);
    flags |= (summary.fit.bounds & kInBox) << bounds_shift;
    if (summary.fit.errors.some_undefined()) flags |= kNoErrors;
  };
  if (cleaned.full.converged) {
    const Series kept = without(all, cleaned.removed);
    const Summary full = summarise(all, cleaned.full, mean(), box());
    set_fit("full", full, kFullBounds);
    set(curve, "n_parameters", full.n_parameters, result);
    if (!cleaned.given_up()) {
      const Summary post = summarise(kept, cleaned.post, mean(), box());
      set_fit("post", post, kPostBounds);
      set_shared(curve, {all, kept, cleaned.removed, post}, "post", result);
      flags |= flags_of(curve, {all, kept, cleaned.removed, post});
    } else {
      set_epochs(curve, {all, all, {}, full}, result);
      flags |= flags_of(curve, {all, all, {}, full});
    }
  }
  set(curve, "n_removed", static_cast<std::int32_t>(cleaned.removed.size()), result);
  set(curve, "n_passes_done", static_cast<std::int32_t>(cleaned.passes), result);
  set(curve, "flags", flags, result);
  result.count(curve.group, cleaned.given_up() ? "objects given up" : "objects fitted");
  result.count(curve.group, "epochs removed", static_cast<std::int64_t>(cleaned.removed.size()));
}

// `removed`: positions among the fetched epochs.
void OuLoo::store_removed(const qsohost::CurveToFit& curve, std::span<const std::size_t> removed,
                          qsohost::Result& result) const {
  const qsohost::Column* id = curve.object.batch().group(curve.group).find("epoch_id");
  const bool has_id = id != nullptr && id->dtype() == qsohost::DType::I64;
  const auto keep = result.epochs<bool>(curve.group, "keep");
  for (const std::size_t i : removed) {
    keep[i] = 0;
    result.append<double>(prefix(curve.group), "removed_mjd", curve.fetched.time[i]);
    result.append<std::int64_t>(prefix(curve.group), "removed_epoch_id",
                                has_id
                                    ? curve.object.epochs<std::int64_t>(curve.group, "epoch_id")[i]
                                    : static_cast<std::int64_t>(i));
  }
}

}  // namespace ou
