// What the ledger of a run says of its stages and objects.
#include "base/sqlite.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

StageTotals RunDb::totals(std::size_t stage) const {
  const std::lock_guard lock(mutex_);
  StageTotals out;
  Statement sums(db_.get(), file_,
                 "SELECT coalesce(sum(objects_in), 0), coalesce(sum(objects_out), 0), "
                 "coalesce(sum(epochs_in), 0), coalesce(sum(epochs_out), 0) "
                 "FROM stage_batch JOIN batch USING(ordinal) "
                 "WHERE stage=? AND committed IS NOT NULL");
  sums.bind(std::uint64_t{stage}).step();
  out.sums.objects_in = sums.integer(0);
  out.sums.objects_out = sums.integer(1);
  out.sums.epochs_in = sums.integer(2);
  out.sums.epochs_out = sums.integer(3);
  Statement counts(db_.get(), file_,
                   "SELECT item, what, sum(n) FROM counted JOIN batch USING(ordinal) "
                   "WHERE stage=? AND committed IS NOT NULL GROUP BY item, what "
                   "ORDER BY min(item), min(position)");
  counts.bind(std::uint64_t{stage});
  while (counts.step()) {
    out.sums.counts.push_back(
        {counts.text(0), counts.text(1), static_cast<std::int64_t>(counts.integer(2))});
  }
  Statement outcomes(db_.get(), file_,
                     "SELECT outcome, count(*) FROM object JOIN batch USING(ordinal) "
                     "WHERE stage=? AND committed IS NOT NULL GROUP BY outcome");
  outcomes.bind(std::uint64_t{stage});
  while (outcomes.step()) {
    switch (static_cast<Outcome>(outcomes.integer(0))) {
      case Outcome::Matched:
        out.matched = outcomes.integer(1);
        break;
      case Outcome::NotFound:
        out.not_found = outcomes.integer(1);
        break;
      case Outcome::TryAgain:
        out.failed = outcomes.integer(1);
        break;
      case Outcome::BadObject:
        out.bad = outcomes.integer(1);
        break;
    }
  }
  return out;
}

std::vector<std::string> RunDb::complaints(std::size_t stage, Outcome outcome,
                                           std::size_t most) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> out;
  Statement select(db_.get(), file_,
                   "SELECT source_id, reason FROM object WHERE stage=? AND outcome=? "
                   "ORDER BY ordinal, source_id, nth LIMIT ?");
  select.bind(std::uint64_t{stage}, static_cast<std::uint64_t>(outcome), std::uint64_t{most});
  while (select.step()) out.push_back(select.text(0) + ": " + select.text(1));
  return out;
}

struct RunDb::Page {
  std::vector<ObjectLine> lines;
  // The last object read.
  bool is_first = true;
  std::uint64_t ordinal = 0;
  std::string source_id;
  std::uint64_t nth = 0;
};

// The objects behind the last page; false if there are none.
bool RunDb::read_page(std::size_t stage, Outcome outcome, Page& page) const {
  const std::lock_guard lock(mutex_);
  Statement select(db_.get(), file_,
                   "SELECT source_id, reason, epochs, detail, attempts, updated, ordinal, nth "
                   "FROM object WHERE stage=? AND outcome=? AND "
                   "(ordinal, source_id, nth) > (?, ?, ?) "
                   "ORDER BY ordinal, source_id, nth LIMIT 10000");
  // As SQLite reads it, this is -1, which comes before all.
  const std::uint64_t from = page.is_first ? ~std::uint64_t{0} : page.ordinal;
  select.bind(std::uint64_t{stage}, static_cast<std::uint64_t>(outcome), from, page.source_id,
              page.nth);
  page.lines.clear();
  page.is_first = false;
  while (select.step()) {
    ObjectLine& line = page.lines.emplace_back();
    line.record = {select.text(0), outcome, select.text(1), select.integer(2), select.text(3)};
    line.attempts = select.integer(4);
    line.updated = select.text(5);
    page.ordinal = select.integer(6);
    page.nth = select.integer(7);
  }
  if (!page.lines.empty()) page.source_id = page.lines.back().record.source_id;
  return !page.lines.empty();
}

bool RunDb::each_object(std::size_t stage, Outcome outcome,
                        const std::function<bool(const ObjectLine&)>& tell) const {
  for (Page page; read_page(stage, outcome, page);) {
    for (const ObjectLine& line : page.lines) {
      if (!tell(line)) return false;
    }
  }
  return true;
}

RunDb::Pace RunDb::pace() const {
  const std::lock_guard lock(mutex_);
  Statement select(db_.get(), file_,
                   "SELECT (SELECT count(committed) FROM batch), coalesce(sum(objects), 0), "
                   "coalesce(strftime('%s', max(committed)) - strftime('%s', started), 0) "
                   "FROM batch, (SELECT value AS started FROM meta WHERE key='started') "
                   "WHERE committed >= started");
  select.step();
  Pace pace;
  pace.batches = select.integer(0);
  pace.objects_lately = select.integer(1);
  pace.seconds = static_cast<double>(select.integer(2));
  return pace;
}

}  // namespace qsohost::inline v1
