// What the ledger of a run says about its stages and objects.
#include <sqlite3.h>

#include <tuple>

#include "base/sqlite.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

StageTotals RunDb::totals(std::size_t stage) const {
  return db_->use([&](SQLite::Database& db) {
    StageTotals out;
    SQLite::Statement sums(db,
                           "SELECT coalesce(sum(objects_in), 0), coalesce(sum(objects_out), 0), "
                           "coalesce(sum(epochs_in), 0), coalesce(sum(epochs_out), 0) "
                           "FROM stage_batch JOIN batch USING(ordinal) "
                           "WHERE stage=? AND committed IS NOT NULL");
    step(sums, std::uint64_t{stage});
    out.sums.objects_in = integer(sums, 0);
    out.sums.objects_out = integer(sums, 1);
    out.sums.epochs_in = integer(sums, 2);
    out.sums.epochs_out = integer(sums, 3);
    SQLite::Statement counts(db,
                             "SELECT item, what, sum(n) FROM counted JOIN batch USING(ordinal) "
                             "WHERE stage=? AND committed IS NOT NULL GROUP BY item, what "
                             "ORDER BY min(item), min(position)");
    bind_values(counts, std::uint64_t{stage});
    while (counts.executeStep()) {
      out.sums.counts.push_back(
          {text(counts, 0), text(counts, 1), static_cast<std::int64_t>(integer(counts, 2))});
    }
    SQLite::Statement outcomes(db,
                               "SELECT outcome, count(*) FROM object JOIN batch USING(ordinal) "
                               "WHERE stage=? AND committed IS NOT NULL GROUP BY outcome");
    bind_values(outcomes, std::uint64_t{stage});
    while (outcomes.executeStep()) {
      switch (static_cast<Outcome>(integer(outcomes, 0))) {
        case Outcome::Matched:
          out.matched = integer(outcomes, 1);
          break;
        case Outcome::NotFound:
          out.not_found = integer(outcomes, 1);
          break;
        case Outcome::Failed:
          out.failed = integer(outcomes, 1);
          break;
        case Outcome::BadObject:
          out.bad = integer(outcomes, 1);
          break;
      }
    }
    return out;
  });
}

std::vector<std::string> RunDb::complaints(std::size_t stage, Outcome outcome,
                                           std::size_t most) const {
  return db_->use([&](SQLite::Database& db) {
    std::vector<std::string> out;
    SQLite::Statement select(db,
                             "SELECT source_id, reason FROM object WHERE stage=? AND outcome=? "
                             "ORDER BY ordinal, source_id, nth LIMIT ?");
    bind_values(select, std::uint64_t{stage}, static_cast<std::uint64_t>(outcome),
                std::uint64_t{most});
    while (select.executeStep()) out.push_back(text(select, 0) + ": " + text(select, 1));
    return out;
  });
}

struct RunDb::Page {
  std::vector<ObjectLine> lines;
  // The last object read.
  bool is_first = true;
  std::uint64_t ordinal = 0;
  std::string source_id;
  std::uint64_t nth = 0;
};

// The objects after the last page; false if there are none.
bool RunDb::read_page(std::size_t stage, Outcome outcome, Page& page) const {
  return db_->use([&](SQLite::Database& db) {
    SQLite::Statement select(
        db,
        "SELECT source_id, reason, epochs, detail, attempts, updated, ordinal, nth "
        "FROM object WHERE stage=? AND outcome=? AND "
        "(ordinal, source_id, nth) > (?, ?, ?) "
        "ORDER BY ordinal, source_id, nth LIMIT 10000");
    // SQLite reads this as -1, which sorts before all ordinals.
    const std::uint64_t from = page.is_first ? ~std::uint64_t{0} : page.ordinal;
    bind_values(select, std::uint64_t{stage}, static_cast<std::uint64_t>(outcome), from,
                page.source_id, page.nth);
    const auto before = std::tuple(from, page.source_id, page.nth);
    page.lines.clear();
    page.is_first = false;
    while (select.executeStep()) {
      ObjectLine& line = page.lines.emplace_back();
      line.record = {text(select, 0), outcome, text(select, 1), integer(select, 2),
                     text(select, 3)};
      line.attempts = integer(select, 4);
      line.updated = text(select, 5);
      page.ordinal = integer(select, 6);
      page.nth = integer(select, 7);
    }
    if (page.lines.empty()) return false;
    page.source_id = page.lines.back().record.source_id;
    // SQLite sorts a blob in place of a text after all texts, so that it would be found for ever.
    if (before == std::tuple(page.ordinal, page.source_id, page.nth)) {
      throw SQLite::Exception("a value in 'object' has the wrong type", SQLITE_CORRUPT);
    }
    return true;
  });
}

bool RunDb::each_object(std::size_t stage, Outcome outcome,
                        const std::function<bool(const ObjectLine&)>& visit) const {
  for (Page page; read_page(stage, outcome, page);) {
    for (const ObjectLine& line : page.lines) {
      if (!visit(line)) return false;
    }
  }
  return true;
}

RunDb::Pace RunDb::pace() const {
  return db_->use([&](SQLite::Database& db) {
    SQLite::Statement select(
        db,
        "SELECT (SELECT count(committed) FROM batch), coalesce(sum(objects), 0), "
        "coalesce(strftime('%s', max(committed)) - strftime('%s', started), 0) "
        "FROM batch, (SELECT value AS started FROM meta WHERE key='started') "
        "WHERE committed >= started");
    select.executeStep();
    Pace pace;
    pace.batches = integer(select, 0);
    pace.objects_lately = integer(select, 1);
    pace.seconds = static_cast<double>(integer(select, 2));
    return pace;
  });
}

}  // namespace qsohost::inline v1
