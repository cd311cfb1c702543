#include "compare_command.hpp"

#include <fmt/format.h>

#include <cmath>

#include "closing_text.hpp"
#include "output.hpp"
#include "qsohost/error.hpp"
#include "run_command.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

std::string number(double value) {
  return std::isnan(value) ? "-" : fmt::format("{:.4g}", value);
}

std::string count(std::uint64_t n) {
  return grouped(static_cast<std::int64_t>(n));
}

std::string fitter_table(const std::vector<FitterScore>& fitters) {
  Table table({{"fitter"},
               {"light curve"},
               {"objects", Align::Right},
               {"failed", Align::Right},
               {"ms each (median)", Align::Right},
               {"CPU in all", Align::Right},
               {"flagged", Align::Right},
               {"with jitter", Align::Right},
               {"at its bound", Align::Right}});
  for (const FitterScore& f : fitters) {
    table.add({f.fitter, f.group, count(f.curves), count(f.failed), number(1e3 * f.median_seconds),
               duration(f.total_seconds), count(f.flagged),
               f.with_jitter == 0 ? "-" : count(f.with_jitter),
               f.with_jitter == 0 ? "-" : count(f.jitter_at_bound)});
  }
  return table.text();
}

// How often there is which of these, e.g. reasons of failures.
std::string table_of(const char* what, const std::vector<FitterScore>& fitters,
                     std::vector<std::pair<std::string, std::uint64_t>> FitterScore::*counts) {
  Table table({{"fitter"}, {"light curve"}, {what, Align::Right}, {"because"}});
  for (const FitterScore& f : fitters) {
    for (const auto& [reason, n] : f.*counts) table.add({f.fitter, f.group, count(n), reason});
  }
  return table.empty() ? "" : "\n" + table.text();
}

std::string left_out(const PairScore& pair) {
  std::string out;
  if (pair.left_out > 0) out += fmt::format("{} left out: flagged\n", count(pair.left_out));
  if (pair.other_epochs > 0) {
    out += fmt::format("{} left out: not fitted to the same number of epochs\n",
                       count(pair.other_epochs));
  }
  return out;
}

std::string pair_table(const PairScore& pair) {
  Table table({{fmt::format("{} - {}, {}", pair.first, pair.second, pair.group)},
               {"objects", Align::Right},
               {"median", Align::Right},
               {"prefer " + pair.first, Align::Right},
               {"prefer " + pair.second, Align::Right}});
  const auto add = [&](const char* name, const PairScore::Criterion& c) {
    if (c.curves == 0) return;
    table.add({name, count(c.curves), number(c.median_difference), count(c.first_is_lower),
               count(c.second_is_lower)});
  };
  add("AIC", pair.aic);
  add("BIC", pair.bic);
  for (const PairScore::Difference& d : pair.others) {
    if (d.curves > 0) table.add({d.name, count(d.curves), number(d.median)});
  }
  // Results of all light curves together, of one of the two alone.
  if (table.empty() && pair.group.empty()) return "";
  if (table.empty()) {
    return fmt::format("\n{} and {} have no result in common for {} ({} light curves compared)\n",
                       pair.first, pair.second, pair.group, count(pair.curves)) +
           left_out(pair);
  }
  return "\n" + table.text() + left_out(pair);
}

std::string ending(const CompareReport& report) {
  const std::string objects = count(report.run.objects_this_run);
  if (report.run.end == RunEnd::Failed) return "Failed; no table was written.\n";
  if (report.table.empty()) return "No objects: no table was written.\n";
  return fmt::format("{} after {} objects in {}. Written\n  {}\n",
                     report.run.end == RunEnd::Interrupted ? "Interrupted" : "Done", objects,
                     duration(report.run.seconds), report.table.string());
}

}  // namespace

std::string comparison_text(const CompareReport& report) {
  std::string out;
  if (!report.fitters.empty()) {
    out += fitter_table(report.fitters) +
           table_of("failed", report.fitters, &FitterScore::reasons) +
           table_of("flagged", report.fitters, &FitterScore::doubts);
  }
  for (const PairScore& pair : report.pairs) out += pair_table(pair);
  std::vector<std::string> notes = report.notes;
  if (report.run.end == RunEnd::Unsettled)  // what was not fetched was not fitted
    notes.insert(notes.end(), report.run.notes.begin(), report.run.notes.end());
  if (!notes.empty()) out += "\nNotes\n";
  for (const std::string& note : notes) out += "  " + note + "\n";
  return out + (out.empty() ? "" : "\n") + ending(report);
}

int compare_fitters(Plugins& plugins, const Arguments& arguments) {
  std::vector<Problem> problems;
  std::optional<Chain> chain =
      Chain::load(arguments.chain, arguments.overrides, arguments.line_up, plugins, problems);
  for (const Problem& problem : problems) complain("{}\n", problem.text());
  if (!chain) return kUsage;
  std::filesystem::path table = arguments.table;
  if (table.empty()) table = chain->settings().name + "_comparison.fits";
  CompareReport report;
  watched(arguments.run, arguments, [&](const RunOptions& options) {
    report = compare(*chain, options, table, arguments.flagged);
    return report.run;
  });
  write_text(Stream::Out, comparison_text(report));
  if (report.run.end == RunEnd::Failed) complain("qsohost: {}\n", report.run.error);
  return exit_code(report.run.end);
}

}  // namespace qsohost::cli
