// Cuts on the epochs of any survey: ranges, flags and bits of columns that the chain names. An
// epoch stays if it passes all rules of its light curve.
#include <qsohost/names.hpp>
#include <qsohost/plugin.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

#include "condition.hpp"

namespace {

using epoch_quality::Condition;
using epoch_quality::Flag;
using epoch_quality::kInfinity;
using Range = std::vector<double>;

// Integers up to here are exact as numbers of a chain.
constexpr double kMostExact = 9007199254740991;  // 2^53 - 1
// Errors must be above 0; exact in f32 as well.
constexpr double kLeastError = std::numeric_limits<float>::min();

struct Rule : qsohost::OptionOwner {
  qsohost::Option<std::string> column{this, "column", qsohost::required,
                                      "column of the epochs, as `qsohost inspect` of the stage "
                                      "that adds it calls it"};
  qsohost::Option<std::vector<std::string>> groups{
      this, "groups", std::vector<std::string>{},
      "light curves that the rule is for; none named: all that the stage judges"};
  qsohost::Option<double> min{this, "min", -kInfinity, "kept: value >= this"};
  qsohost::Option<double> max{this, "max", kInfinity, "kept: value <= this"};
  qsohost::Option<std::vector<double>> equals{this,
                                              "equals",
                                              std::vector<double>{},
                                              "kept: the value is this number, or one of these",
                                              {.min = -kMostExact, .max = kMostExact}};
  qsohost::Option<std::vector<std::string>> text{this, "text", std::vector<std::string>{},
                                                 "kept: the value is this text, or one of these"};
  qsohost::Option<std::int64_t> bits_clear{
      this, "bits_clear", 0, "kept: none of these bits is set, value & this == 0", {.min = 0}};
  qsohost::Option<std::int64_t> bits_set{
      this, "bits_set", 0, "kept: all of these bits are set, value & this == this", {.min = 0}};
  qsohost::Choice<Flag> flag{this,
                             "flag",
                             Flag::Any,
                             {{"any", Flag::Any}, {"set", Flag::Set}, {"clear", Flag::Clear}},
                             "kept: the flag, a bool or an integer that is 0 or not, is like this"};
  qsohost::Choice<bool> missing{this,
                                "missing",
                                false,
                                {{"remove", false}, {"keep", true}},
                                "what becomes of an epoch whose value is missing: null, NaN or an "
                                "empty text"};

  Condition condition() const {
    return {.low = *min,
            .high = *max,
            .numbers = *equals,
            .texts = *text,
            .clear_bits = *bits_clear,
            .set_bits = *bits_set,
            .flag = *flag,
            .keeps_missing = *missing};
  }
};

// A condition on a column of one light curve.
struct Cut {
  std::string name;    // in the chain: "mag_range", "rule 2"
  std::string column;  // "" if the light curve does not have a column for this
  Condition condition;
  std::string counted_as;

  // Why it cannot be asked of a column of this type; "" if it can.
  std::string misfit(const std::string& group, qsohost::DType dtype) const {
    const std::string why = condition.misfit(dtype);
    return why.empty() ? why : fmt::format("{}: column '{}' of '{}': {}", name, column, group, why);
  }
};

class EpochQuality : public qsohost::Filter {
 public:
  qsohost::Option<std::vector<std::string>> groups{
      this, "groups", std::vector<std::string>{},
      "light curves whose epochs are judged, e.g. [\"ps1.g\"]; none named: all"};
  qsohost::Option<Range> time_range{
      this,
      "time_range",
      Range{-kInfinity, kInfinity},
      "kept: first <= time <= second, in the time system of the light curves; -inf and inf are "
      "open ends",
      {.unit = "d", .length = 2}};
  qsohost::Option<Range> mag_range{this,
                                   "mag_range",
                                   Range{-kInfinity, kInfinity},
                                   "kept: first <= magnitude <= second",
                                   {.unit = "mag", .length = 2}};
  qsohost::Option<double> max_mag_err{this,
                                      "max_mag_err",
                                      kInfinity,
                                      "kept: 0 < error of the magnitude <= this",
                                      {.unit = "mag", .min = 0}};
  qsohost::OptionTables<Rule> rules{
      this, "rule",
      "cuts on columns by name; all that a rule says must hold, of one that says nothing else that "
      "there is a value; a column that a light curve does not have is an error"};

  void validate() const override;
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  void apply(qsohost::Batch& batch, qsohost::Counts& counts) const override;

 private:
  bool is_judged(const qsohost::GroupInfo& group) const;
  std::vector<Cut> cuts_of(const qsohost::GroupInfo& group) const;
  void check_groups(const qsohost::Schema& before, qsohost::Ports& ports) const;
  void check_times(const qsohost::Schema& before, qsohost::Ports& ports) const;
  static void declare_cut(const qsohost::Schema& before, const qsohost::Schema::GroupEntry& group,
                          const Cut& cut, qsohost::Ports& ports);
  static void filter(qsohost::Group& group, const std::vector<Cut>& cuts, qsohost::Counts& counts);
};

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_open(const Range& range) {
  return range[0] == -kInfinity && range[1] == kInfinity;
}

void check_range(const std::string& name, double low, double high) {
  if (low <= high) return;
  throw qsohost::UsageError(
      fmt::format("{}: the first limit, {}, is above the second, {}; swap them", name, low, high));
}

void EpochQuality::validate() const {
  if (rules.empty() && is_open(*time_range) && is_open(*mag_range) && *max_mag_err == kInfinity) {
    throw qsohost::UsageError(
        "judges by nothing: give time_range, mag_range, max_mag_err or a [[stage.rule]]");
  }
  check_range("time_range", (*time_range)[0], (*time_range)[1]);
  check_range("mag_range", (*mag_range)[0], (*mag_range)[1]);
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules[i];
    const std::string name = fmt::format("rule {} (column '{}')", i + 1, *rule.column);
    check_range(name, *rule.min, *rule.max);
    if (rule.condition().takes_any_value() && *rule.missing) {
      throw qsohost::UsageError(fmt::format(
          "{}: keeps every epoch: give min, max, equals, text, bits_clear, bits_set or flag",
          name));
    }
    for (const std::string& group : *rule.groups) {
      if (groups->empty() || contains(*groups, group)) continue;
      throw qsohost::UsageError(fmt::format(
          "{}: is for '{}', which is not among the groups of the stage; add it to option 'groups'",
          name, group));
    }
  }
}

// Groups without a survey are tables of results, not light curves.
bool EpochQuality::is_judged(const qsohost::GroupInfo& group) const {
  return groups->empty() ? !group.survey.empty() : contains(*groups, group.name);
}

std::vector<Cut> EpochQuality::cuts_of(const qsohost::GroupInfo& group) const {
  std::vector<Cut> cuts;
  const auto add = [&](const std::string& option, const std::string& column, const Range& range) {
    if (is_open(range)) return;
    cuts.push_back({option, column, {.low = range[0], .high = range[1]}, option});
  };
  add("time_range", group.time, *time_range);
  add("mag_range", group.mag, *mag_range);
  if (*max_mag_err < kInfinity) add("max_mag_err", group.mag_err, {kLeastError, *max_mag_err});
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Rule& rule = rules[i];
    if (!rule.groups->empty() && !contains(*rule.groups, group.name)) continue;
    const Condition condition = rule.condition();
    cuts.push_back(
        {fmt::format("rule {}", i + 1), *rule.column, condition, condition.text(*rule.column)});
  }
  return cuts;
}

void EpochQuality::declare(const qsohost::Schema& before, qsohost::Ports& ports) const {
  ports.minds_time_systems();  // see check_times
  check_groups(before, ports);
  check_times(before, ports);
  for (const auto& group : before.groups()) {
    if (!is_judged(group.info)) continue;
    for (const Cut& cut : cuts_of(group.info)) declare_cut(before, group, cut, ports);
  }
}

void EpochQuality::check_groups(const qsohost::Schema& before, qsohost::Ports& ports) const {
  if (before.is_open()) return;
  std::vector<std::string> curves;
  for (const auto& [info, origin] : before.groups()) {
    if (!info.survey.empty()) curves.push_back(info.name);
  }
  if (curves.empty())
    ports.problem(
        "there is no light curve here to be judged; put the stage behind one that gives them");
  std::vector<std::string> named = *groups;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    named.insert(named.end(), rules[i].groups->begin(), rules[i].groups->end());
  }
  std::ranges::sort(named);
  const auto repeated = std::ranges::unique(named);
  named.erase(repeated.begin(), repeated.end());
  for (const std::string& name : named) {
    if (before.find_group(name) != nullptr) continue;
    ports.problem(fmt::format("there is no light curve '{}' here; there is {}", name,
                              fmt::join(curves, ", ")));
  }
}

// One range of times cannot be meant for different time systems.
void EpochQuality::check_times(const qsohost::Schema& before, qsohost::Ports& ports) const {
  if (is_open(*time_range)) return;
  const qsohost::GroupInfo* first = nullptr;
  for (const auto& [info, origin] : before.groups()) {
    if (!is_judged(info) || !info.time_system.is_known()) continue;
    if (first == nullptr) first = &info;
    if (info.time_system == first->time_system) continue;
    ports.problem(fmt::format(
        "time_range: times of '{}' are {}, those of '{}' {}; name groups of one time "
        "system, and the others in a stage of their own, or convert them before, by a stage "
        "time-system",
        first->name, name_of(first->time_system), info.name, name_of(info.time_system)));
    return;
  }
}

// Only the source's own groups may have more columns than are listed before it is open.
bool lists_all_columns(const qsohost::Schema& schema, const qsohost::Schema::GroupEntry& group) {
  const qsohost::Schema::Entry* id = schema.find("", "source_id");
  return !schema.is_open() || (id != nullptr && id->origin != group.origin);
}

void EpochQuality::declare_cut(const qsohost::Schema& before,
                               const qsohost::Schema::GroupEntry& group, const Cut& cut,
                               qsohost::Ports& ports) {
  const std::string& name = group.info.name;
  if (cut.column.empty()) {
    ports.problem(
        fmt::format("{}: light curve '{}' does not say which of its columns that is; leave the "
                    "light curve or the rule out",
                    cut.name, name));
    return;
  }
  const qsohost::Schema::Entry* column = before.find(name, cut.column);
  if (column == nullptr && lists_all_columns(before, group)) {
    std::vector<std::string> columns;
    for (const auto& entry : before.columns()) {
      if (entry.port.group == name) columns.push_back(entry.port.name);
    }
    ports.problem(fmt::format(
        "{}: light curve '{}' has no column '{}'{}; groups = [...] limits it to other light curves",
        cut.name, name, cut.column, qsohost::did_you_mean(cut.column, columns)));
    return;
  }
  const std::string misfit =
      column != nullptr && column->port.dtype ? cut.misfit(name, *column->port.dtype) : "";
  if (!misfit.empty()) ports.problem(misfit);
  ports.reads({name, cut.column, std::nullopt, "", "judged"});
}

void EpochQuality::apply(qsohost::Batch& batch, qsohost::Counts& counts) const {
  for (qsohost::Group& group : batch.groups()) {
    if (!is_judged(group.info())) continue;
    const std::vector<Cut> cuts = cuts_of(group.info());
    if (!cuts.empty()) filter(group, cuts, counts);
  }
}

void EpochQuality::filter(qsohost::Group& group, const std::vector<Cut>& cuts,
                          qsohost::Counts& counts) {
  std::vector<std::uint8_t> mask(group.epochs(), 1);
  std::vector<epoch_quality::Failed> failed;
  for (const Cut& cut : cuts) {
    const qsohost::Column& column = group.at(cut.column);
    const std::string misfit = cut.misfit(group.name(), column.dtype());
    if (!misfit.empty()) throw qsohost::UsageError(misfit);
    failed.push_back(strike(cut.condition, column, mask));
  }
  const std::size_t emptied = group.keep_epochs(mask);
  counts.add(group.name(), "epochs in", static_cast<std::int64_t>(mask.size()));
  counts.add(group.name(), "epochs kept", static_cast<std::int64_t>(group.epochs()));
  // An epoch that fails several rules counts for each.
  std::int64_t missing = 0;
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    counts.add(group.name(), "failed " + cuts[i].counted_as, failed[i].epochs);
    counts.add(group.name(), "removed by " + cuts[i].counted_as, failed[i].removed);
    missing += failed[i].missing;
  }
  counts.add(group.name(), "without a value", missing);
  counts.add(group.name(), "objects left with none", static_cast<std::int64_t>(emptied));
}

}  // namespace

QSOHOST_PLUGIN("epoch-quality", QSOHOST_VERSION,
               qsohost::stage<EpochQuality>("epoch-quality",
                                            "cuts on the epochs of any survey by their columns"));
