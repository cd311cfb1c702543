#include "run/ledger_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace qsohost::inline v1 {

namespace {

using Json = nlohmann::json;
constexpr const char* kSourceCounts = "source counts";

std::vector<Counts::Entry> source_counts(const RunDb& db) {
  std::vector<Counts::Entry> entries;
  try {
    for (const Json& e : Json::parse(db.meta(kSourceCounts).value_or("[]"))) {
      entries.push_back({e.at(0), e.at(1), e.at(2)});
    }
  } catch (const Json::exception& e) {
    db.refuse(fmt::format("'{}': {}", kSourceCounts, e.what()));
  }
  return entries;
}

}  // namespace

void store_source_counts(const Counts& counts, RunDb& db) {
  std::vector<Counts::Entry> entries = source_counts(db);
  for (const Counts::Entry& now : counts.entries()) {
    const auto known = std::ranges::find_if(
        entries, [&](const Counts::Entry& e) { return e.item == now.item && e.what == now.what; });
    if (known == entries.end()) {
      entries.push_back(now);
    } else {
      known->n = now.n;
    }
  }
  Json out = Json::array();
  for (const Counts::Entry& e : entries) out.push_back({e.item, e.what, e.n});
  // Names of files may contain any bytes.
  db.set_meta(kSourceCounts, out.dump(-1, ' ', false, Json::error_handler_t::replace));
}

StageReport stage_report(const std::string& label, Role role, std::size_t index, const RunDb& db) {
  StageTotals totals = db.totals(index);
  StageReport report;
  report.label = label;
  report.role = role;
  report.objects_in = totals.sums.objects_in;
  report.objects_out = totals.sums.objects_out;
  report.epochs_in = totals.sums.epochs_in;
  report.epochs_out = totals.sums.epochs_out;
  report.matched = totals.matched;
  report.not_found = totals.not_found;
  report.failed = totals.failed;
  report.bad = totals.bad;
  report.counts = role == Role::Source ? source_counts(db) : std::move(totals.sums.counts);
  return report;
}

void add_notes(const StageReport& stage, std::size_t index, const RunDb& db, RunReport& report) {
  constexpr std::size_t most = 5;
  const auto note = [&](Outcome outcome, std::uint64_t n, const char* what) {
    if (n == 0) return;
    report.notes.push_back(fmt::format("{}: {} {}", stage.label, n, what));
    for (const std::string& line : db.complaints(index, outcome, most)) {
      report.notes.push_back("  " + line);
    }
    if (n > most)
      report.notes.push_back(
          fmt::format("  and {} more; `qsohost status RUN_DIR --failed` lists them", n - most));
  };
  note(Outcome::Failed, stage.failed, "objects failed and can be tried again");
  note(Outcome::BadObject, stage.bad, "objects could not be done");
}

void fill_report(const Chain& chain, const RunDb& db, RunReport& report) {
  report.objects = db.committed_objects();
  for (std::size_t i = 0; i < chain.stages().size(); ++i) {
    const ChainStage& of_chain = chain.stages()[i];
    StageReport stage = stage_report(of_chain.label, of_chain.offer.role, i, db);
    add_notes(stage, i, db, report);
    report.stages.push_back(std::move(stage));
  }
}

bool has_unsettled(const RunReport& report) {
  for (const StageReport& stage : report.stages) {
    // A light curve that cannot be fitted is flagged in its product; one that could not be fetched
    // is missing from it.
    if (stage.failed > 0) return true;
    if (stage.role == Role::Fetcher && stage.bad > 0) return true;
  }
  return false;
}

}  // namespace qsohost::inline v1
