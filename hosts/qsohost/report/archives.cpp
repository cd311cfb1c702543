#include <fmt/format.h>

#include <algorithm>

#include "report/chain_history.hpp"
#include "report/sections.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

std::int64_t count_of(const StageReport& stage, std::string_view item, std::string_view what) {
  for (const Counts::Entry& entry : stage.counts) {
    if (entry.item == item && entry.what == what) return entry.n;
  }
  return 0;
}

std::string bytes_text(std::int64_t bytes) {
  const auto n = static_cast<double>(bytes);
  if (n >= 1e9) return fmt::format("{:.2f} GB", n / 1e9);
  if (n >= 1e6) return fmt::format("{:.1f} MB", n / 1e6);
  return fmt::format("{:.1f} kB", n / 1e3);
}

// Hosts that a stage has asked, as it counts them.
ReportTable request_table(const RunReport& report) {
  ReportTable table{
      .title = "Requests",
      .names = {"stage", "host", "requests", "of these repeated", "received", "bytes"}};
  for (const StageReport& stage : report.stages) {
    for (const Counts::Entry& entry : stage.counts) {
      if (entry.what != "requests") continue;
      const std::int64_t bytes = count_of(stage, entry.item, "bytes");
      table.rows.push_back({stage.label, entry.item, grouped(entry.n),
                            grouped(count_of(stage, entry.item, "asked again")), bytes_text(bytes),
                            grouped(bytes)});
    }
  }
  return table;
}

ReportTable outcome_table(const RunReport& report) {
  ReportTable table{.title = "How objects ended at each archive",
                    .names = {"stage", "objects", "matched", "not found", "failed", "bad"}};
  const auto text = [](std::uint64_t n) { return grouped(static_cast<std::int64_t>(n)); };
  for (const StageReport& s : report.stages) {
    if (s.role != Role::Fetcher) continue;
    table.rows.push_back({s.label, text(s.objects_in), text(s.matched), text(s.not_found),
                          text(s.failed), text(s.bad)});
  }
  return table;
}

plot::Figure outcome_figure(const RunReport& report) {
  plot::Figure figure{.id = "archive-outcomes",
                      .title = "How objects ended at each archive",
                      .alt =
                          "Stacked bars: for each archive the objects that are matched, not "
                          "found, failed and bad.",
                      .caption =
                          "Failed: no trustworthy answer came, which can be asked for "
                          "again. Bad: the answer could not be read."};
  figure.x = {.label = "objects", .min = 0};
  const std::pair<const char*, std::uint64_t StageReport::*> outcomes[] = {
      {"matched", &StageReport::matched},
      {"not found", &StageReport::not_found},
      {"failed", &StageReport::failed},
      {"bad", &StageReport::bad}};
  for (std::size_t i = 0; i < std::size(outcomes); ++i) {
    plot::Bars bars{.label = outcomes[i].first,
                    .names = {},
                    .values = {},
                    .style = plot::style_of_series(i),
                    .is_stacked = true};
    for (const StageReport& s : report.stages) {
      if (s.role != Role::Fetcher) continue;
      bars.names.push_back(s.label);
      bars.values.push_back(static_cast<double>(s.*outcomes[i].second));
    }
    figure.layers.emplace_back(std::move(bars));
  }
  figure.height = 180;
  return figure;
}

// Options by which stages choose among an archive's releases.
ReportTable release_table(const ChainHistory& history) {
  ReportTable table{.title = "Releases", .names = {"stage", "option", "value"}};
  for (const ChainHistory::Stage& stage : history.stages) {
    for (const auto& [name, value] : stage.options) {
      if (name != "collection" && name != "release") continue;
      table.rows.push_back({stage.label, name, value});
    }
  }
  return table;
}

}  // namespace

Section archives_section(const RunProducts& run) {
  Section out{.id = "archives", .title = "Archives"};
  if (!run.status()) return out;
  ReportTable outcomes = outcome_table(run.status()->report);
  ReportTable requests = request_table(run.status()->report);
  if (outcomes.rows.empty() && requests.rows.empty()) return out;
  if (requests.rows.empty()) {
    out.paragraphs.emplace_back("No requests were sent over the network.");
  } else {
    out.paragraphs.emplace_back(
        "Repeated are requests whose response was refused, cut short, or empty and not confirmed.");
    out.tables.push_back(std::move(requests));
  }
  if (!outcomes.rows.empty()) {
    out.figures.push_back(outcome_figure(run.status()->report));
    out.tables.push_back(std::move(outcomes));
  }
  ReportTable releases = release_table(chain_history(run));
  if (!releases.rows.empty()) out.tables.push_back(std::move(releases));
  return out;
}

}  // namespace qsohost::cli
