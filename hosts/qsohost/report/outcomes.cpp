#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "nan.hpp"
#include "report/epoch_counts.hpp"
#include "report/sections.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

constexpr std::size_t kMostReasons = 20;        // shown
constexpr std::size_t kMostKeptReasons = 5000;  // told apart

std::string percent(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return "";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

// "1 object", "5 objects"
std::string counted(std::uint64_t n, std::string_view what) {
  return fmt::format("{} {}{}", count_text(n), what, n == 1 ? "" : "s");
}

std::string state(const RunStatus& status) {
  if (status.is_running) return "The run is still at work: this page shows what it has committed.";
  if (!status.is_finished) return "The run is not finished: this page shows what it has committed.";
  if (status.report.end == RunEnd::Unsettled) {
    return "The run is finished, but some objects are unsettled: an archive gave no trustworthy "
           "answer about them.";
  }
  return "The run is finished.";
}

ReportTable product_table(const RunProducts& run) {
  const auto kind = [](ProductKind k) {
    switch (k) {
      case ProductKind::LightCurves:
        return "light curves";
      case ProductKind::Fit:
        return "fit";
      case ProductKind::JointFit:
        return "joint fit of bands";
      case ProductKind::Catalogue:
        return "catalogue";
      case ProductKind::Other:
        break;
    }
    return "other";
  };
  ReportTable table{.title = "Products", .names = {"file", "extension", "kind", "rows", "columns"}};
  for (const Product& product : run.products()) {
    table.rows.push_back({product.file.filename().string(), product.extension, kind(product.kind),
                          count_text(product.rows), count_text(product.columns.size())});
  }
  return table;
}

ReportTable stage_table(const RunReport& report) {
  ReportTable table{.title = "Stages",
                    .names = {"stage", "role", "objects in", "out", "epochs in", "out", "matched",
                              "not found", "failed", "bad"}};
  for (const StageReport& s : report.stages) {
    const bool is_source = s.role == Role::Source;
    const auto in = [&](std::uint64_t n) { return is_source ? "" : count_text(n); };
    const auto outcome = [&](std::uint64_t n) {
      return s.role == Role::Fetcher || n > 0 ? count_text(n) : "";
    };
    table.rows.push_back({s.label, std::string(name_of(s.role)), in(s.objects_in),
                          count_text(s.objects_out), in(s.epochs_in), count_text(s.epochs_out),
                          outcome(s.matched), outcome(s.not_found), outcome(s.failed),
                          outcome(s.bad)});
  }
  return table;
}

// Stages that find, lose or fail objects; all others pass them on.
plot::Figure funnel(const RunReport& report) {
  plot::Bars bars;
  for (const StageReport& s : report.stages) {
    std::uint64_t n = s.objects_out;
    std::string name = s.label;
    if (s.role == Role::Fetcher) {
      n = s.matched;
      name += ": matched";
    } else if (s.role == Role::Fitter && s.bad > 0) {
      n = s.objects_in - std::min(s.bad, s.objects_in);
      name += ": fitted";
    } else if (s.role != Role::Source && s.objects_in == s.objects_out) {
      continue;
    }
    bars.names.push_back(name);
    bars.values.push_back(static_cast<double>(n));
  }
  plot::Figure figure{.id = "funnel",
                      .title = "Objects through the chain",
                      .alt =
                          "Bars: the objects that each stage found or left, in the order of the "
                          "chain.",
                      .caption =
                          "Of each archive the objects that it has, of each filter those "
                          "that it left. Stages that pass all objects on are not shown."};
  figure.x = {.label = "objects", .min = 0};
  figure.height = static_cast<int>(90 + 30 * bars.names.size());
  figure.layers.emplace_back(std::move(bars));
  return figure;
}

// In percent, as precise as a bar can be read.
double part(std::int64_t n, std::int64_t of) {
  if (of <= 0) return kNan;
  return std::round(1000 * static_cast<double>(n) / static_cast<double>(of)) / 10;
}

template <class T>
void add_new(std::vector<T>& list, const T& item) {
  if (std::ranges::find(list, item) == list.end()) list.push_back(item);
}

// Of each light curve what is left behind each cut, of what came to the first of them.
plot::Figure retention(const std::vector<EpochCut>& cuts) {
  std::vector<std::string> stages;
  std::vector<std::string> groups;
  for (const EpochCut& cut : cuts) add_new(stages, cut.stage);
  for (const EpochCut& cut : cuts) add_new(groups, cut.group);
  plot::Figure figure{.id = "retention",
                      .title = "Epochs through the cuts",
                      .alt =
                          "Bars: the part of the epochs of each light curve that is left behind "
                          "each cut.",
                      .caption =
                          "Of the epochs that came to the first cut of a light curve, the "
                          "part that is left behind each stage. The table below has the "
                          "numbers."};
  figure.x = {.label = "epochs left (%)", .min = 0, .max = 110};
  for (const std::string& group : groups) {
    plot::Bars bars{.label = group, .names = {}, .values = {}, .style = plot::style_of_band(group)};
    std::int64_t first = 0;
    double left = kNan;
    for (const std::string& stage : stages) {
      for (const EpochCut& cut : cuts) {
        if (cut.group != group || cut.stage != stage) continue;
        if (first == 0) first = cut.in;
        left = part(cut.kept, first);
      }
      bars.names.push_back("behind " + stage);
      bars.values.push_back(left);
    }
    figure.layers.emplace_back(std::move(bars));
  }
  figure.height = static_cast<int>(110 + stages.size() * (12 + 14 * groups.size()));
  return figure;
}

ReportTable cut_table(const std::vector<EpochCut>& cuts) {
  ReportTable table{.title = "Epochs through the cuts",
                    .names = {"stage", "light curve", "epochs in", "kept", "removed", "part"}};
  for (const EpochCut& cut : cuts) {
    table.rows.push_back({cut.stage, cut.group, grouped(cut.in), grouped(cut.kept),
                          grouped(cut.in - cut.kept), percent(cut.in - cut.kept, cut.in)});
  }
  return table;
}

// The rules of one stage for one light curve.
plot::Figure rule_figure(const std::vector<RuleCount>& rules, std::size_t position) {
  plot::Bars alone{
      .label = "this rule alone", .names = {}, .values = {}, .style = plot::style_of_series(0)};
  plot::Bars in_order{.label = "in the order of rules",
                      .names = {},
                      .values = {},
                      .style = plot::style_of_series(1)};
  for (const RuleCount& rule : rules) {
    alone.names.push_back(rule.rule);
    alone.values.push_back(part(rule.alone, rule.in));
    if (!rule.in_order) continue;
    in_order.names.push_back(rule.rule);
    in_order.values.push_back(part(*rule.in_order, rule.in));
  }
  const RuleCount& first = rules.front();
  plot::Figure figure{
      .id = fmt::format("rules-{}", position),
      .title = fmt::format("What the rules remove: {}, {}", first.stage, first.group),
      .alt =
          "Bars: for each rule the part of the epochs that fail it, and the part that it removes "
          "in the order of rules.",
      .caption = fmt::format("Of {} epochs. Alone: those that fail the rule, whatever others say. "
                             "In order: those that no rule before has removed.",
                             grouped(first.in))};
  figure.x = {.label = "epochs removed (%)", .min = 0};
  figure.height = static_cast<int>(110 + 40 * rules.size());
  const bool has_order = in_order.names.size() == alone.names.size();
  figure.layers.emplace_back(std::move(alone));
  if (has_order) figure.layers.emplace_back(std::move(in_order));
  return figure;
}

void add_rules(const std::vector<RuleCount>& rules, Section& out) {
  if (rules.empty()) return;
  ReportTable table{
      .title = "What the rules remove",
      .names = {"stage", "light curve", "rule", "fail it", "part", "removed in order", "part"}};
  std::map<std::pair<std::string, std::string>, std::vector<RuleCount>> by_curve;
  for (const RuleCount& rule : rules) {
    by_curve[{rule.stage, rule.group}].push_back(rule);
    table.rows.push_back({rule.stage, rule.group, rule.rule, grouped(rule.alone),
                          percent(rule.alone, rule.in),
                          rule.in_order ? grouped(*rule.in_order) : "",
                          rule.in_order ? percent(*rule.in_order, rule.in) : ""});
  }
  std::size_t position = 0;
  for (const auto& [curve, of_curve] : by_curve) {
    out.figures.push_back(rule_figure(of_curve, ++position));
  }
  out.tables.push_back(std::move(table));
}

// Without the numbers in it, which differ from object to object.
std::string kind_of_reason(const std::string& reason) {
  constexpr std::string_view kDigits = "0123456789";
  std::string out;
  for (std::size_t at = 0; at < reason.size();) {
    const std::size_t number = std::min(reason.find_first_of(kDigits, at), reason.size());
    out.append(reason, at, number - at);
    if (number < reason.size()) out += "…";
    at = std::min(reason.find_first_not_of("0123456789.", number), reason.size());
  }
  return out.empty() ? "no reason given" : out;
}

struct Reason {
  std::uint64_t objects = 0;
  std::string example;
};

void add_reasons(const RunProducts& run, Section& out) {
  std::map<std::tuple<std::string, std::string, std::string>, Reason> reasons;
  std::uint64_t others = 0;
  for (const Outcome outcome : {Outcome::Failed, Outcome::BadObject, Outcome::NotFound}) {
    each_object(run.folder(), outcome, [&](const ObjectStatus& object) {
      std::tuple key{object.stage, std::string(name_of(outcome)), kind_of_reason(object.reason)};
      if (reasons.size() >= kMostKeptReasons && !reasons.contains(key)) {
        ++others;
        return true;
      }
      Reason& reason = reasons[std::move(key)];
      if (reason.objects++ == 0) reason.example = object.source_id;
      return true;
    });
  }
  if (reasons.empty()) return;
  std::vector<std::pair<std::uint64_t, std::vector<std::string>>> rows;
  for (const auto& [key, reason] : reasons) {
    const auto& [stage, outcome, why] = key;
    rows.push_back(
        {reason.objects, {stage, outcome, count_text(reason.objects), why, reason.example}});
  }
  std::ranges::stable_sort(rows, std::ranges::greater(), [](const auto& row) { return row.first; });
  ReportTable table{.title = "Why objects were not found, or failed",
                    .names = {"stage", "outcome", "objects", "reason", "for example"}};
  for (auto& [objects, row] : rows) {
    if (table.rows.size() < kMostReasons) {
      table.rows.push_back(std::move(row));
    } else {
      others += objects;
    }
  }
  if (others > 0) table.rows.push_back({"", "", count_text(others), "other reasons", ""});
  out.tables.push_back(std::move(table));
}

// All counts of a stage: an item a row, a column for each kind.
ReportTable count_table(const StageReport& stage) {
  std::vector<std::string> kinds;
  std::vector<std::string> items;
  std::map<std::pair<std::string, std::string>, std::int64_t> counts;
  for (const Counts::Entry& entry : stage.counts) {
    add_new(kinds, entry.what);
    add_new(items, entry.item);
    counts[{entry.item, entry.what}] += entry.n;
  }
  ReportTable table{.title = "Counts of " + stage.label, .names = {""}, .is_folded = true};
  table.names.insert(table.names.end(), kinds.begin(), kinds.end());
  for (const std::string& item : items) {
    std::vector<std::string> row{item};
    for (const std::string& kind : kinds) {
      const auto at = counts.find({item, kind});
      row.push_back(at == counts.end() ? "" : grouped(at->second));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

void add_run(const RunProducts& run, Section& out) {
  const RunStatus& status = *run.status();
  const RunReport& report = status.report;
  std::string progress = state(status) + " " + counted(report.objects, "object");
  if (status.objects_total) progress += fmt::format(" of {}", count_text(*status.objects_total));
  out.paragraphs.push_back(fmt::format("{} in {} committed {}.", progress,
                                       count_text(status.batches),
                                       status.batches == 1 ? "batch" : "batches"));
  for (const std::string& crash : status.crashes) out.paragraphs.push_back("Crashed: " + crash);
  for (const std::string& note : report.notes) out.paragraphs.push_back(note);
  if (report.objects > 0) {
    out.figures.push_back(funnel(report));
    const std::vector<EpochCut> cuts = epoch_cuts(report);
    if (!cuts.empty()) out.figures.push_back(retention(cuts));
    out.tables.push_back(stage_table(report));
    add_reasons(run, out);
    if (!cuts.empty()) out.tables.push_back(cut_table(cuts));
    add_rules(rule_counts(report), out);
  }
  out.tables.push_back(product_table(run));
  for (const StageReport& stage : report.stages) {
    if (!stage.counts.empty()) out.tables.push_back(count_table(stage));
  }
}

}  // namespace

Section outcomes_section(const RunProducts& run) {
  Section out{.id = "outcomes", .title = "Outcomes"};
  if (run.status()) {
    add_run(run, out);
    return out;
  }
  out.paragraphs.emplace_back(
      "The folder holds products but no run (.qsohost/run.db), so that outcomes of objects and "
      "counts of stages are not known; this page shows what the products tell.");
  out.tables.push_back(product_table(run));
  return out;
}

}  // namespace qsohost::cli
