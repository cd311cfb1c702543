// Matches quasars of one table with the sources of another, in a PostgreSQL database with q3c.
#include <fmt/format.h>

#include <atomic>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <qsohost/io/crossmatch.hpp>
#include <qsohost/io/identifiers.hpp>
#include <qsohost/plugin.hpp>
#include <qsohost/postgres.hpp>

#include "download.hpp"
#include "match_plan.hpp"
#include "spool.hpp"

namespace {

using qsohost::Batch;
using qsohost::Column;
using qsohost::DType;
using qsohost::RunError;

class WsdbCrossmatch final : public qsohost::Source {
 public:
  void validate() const override;
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  void open(qsohost::Context& context) override;
  bool read(Batch& batch) override;
  qsohost::Counts counts() const override {
    return qsohost::crossmatch_counts(left_rows_, right_rows_, pairs_ ? &*pairs_ : nullptr);
  }
  void close() noexcept override;

 private:
  bool stopping() const { return closing_ || context_->stop_requested(); }
  std::function<bool()> stop() const {
    return [this] { return stopping(); };
  }
  std::function<void(const std::string&)> warn() const {
    return [this](const std::string& message) { context_->warn(message); };
  }
  std::string options_text() const;
  void plan();
  void report(const Column& numbers);
  void check_ids(const Column& ids) const;

  qsohost::Option<std::string> dsn{
      this, "dsn", "",
      "the database: libpq connection string, URI, or one word for a service of "
      "~/.pg_service.conf; \"\": as PGHOST, PGDATABASE, ... say. Passwords come from ~/.pgpass, "
      "PGPASSWORD or the service file alone"};
  qsohost::Option<std::string> left{this, "left", "sdssdr16qso.main",
                                    "table of quasars, schema.table"};
  qsohost::Option<std::string> right{
      this, "right", "gaia_dr3.gaia_source",
      "table to match with, schema.table, with an index on q3c_ang2ipix(ra, dec); also a "
      "partitioned table, a view or a foreign table that such an index reaches"};
  qsohost::CrossmatchOptions match_{this};

  qsohost::Context* context_ = nullptr;
  std::atomic<bool> closing_{false};
  std::optional<wsdb::Spool> spool_;
  std::optional<wsdb::Download> download_;
  std::optional<qsohost::PgCopyReader> reader_;
  qsohost::CrossmatchRows left_rows_;
  qsohost::CrossmatchRows right_rows_;
  std::optional<qsohost::CrossmatchPairs> pairs_;  // known with the first row
};

void WsdbCrossmatch::validate() const {
  qsohost::check_dsn(*dsn);
  qsohost::PgTable::parse(*left);
  qsohost::PgTable::parse(*right);
  match_.validate();
}

void WsdbCrossmatch::declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const {
  if (!reader_) {
    ports.adds({"", "source_id", std::nullopt, "", "identifier of the object"});
    for (qsohost::Port& port : qsohost::crossmatch_ports({})) ports.adds(std::move(port));
    return ports.adds_unknown();
  }
  const std::span<const qsohost::PgColumn> columns = reader_->columns();
  for (const qsohost::PgColumn& column : columns.first(columns.size() - 1)) {
    const qsohost::ColumnInfo& info = column.info;
    ports.adds({"", info.name, info.dtype, info.unit, info.description, 0, info.width});
  }
}

// Identifies the query that a stored result must belong to.
std::string WsdbCrossmatch::options_text() const {
  std::string text;
  for (const qsohost::OptionBase* option : options()) {
    text += fmt::format("{} = {}; ", option->name(), to_toml(option->value()));
  }
  return text;
}

void WsdbCrossmatch::open(qsohost::Context& context) {
  context_ = &context;
  closing_ = false;
  pairs_.reset();
  left_rows_ = {*left};
  right_rows_ = {*right};
  const std::filesystem::path& folder = context.run().work_dir;  // none in a dry run
  spool_.emplace(
      wsdb::Spool::Settings{.folder = folder.empty() ? folder : folder / qsohost::kReceivedFolder,
                            .label = label(),
                            .options = options_text(),
                            .stop = stop(),
                            .warn = warn()});
  if (spool_->is_complete()) {
    context.info("all rows have been received before; the database is not asked again");
  } else {
    plan();
  }
  reader_.emplace(spool_->plan().columns,
                  [this](std::string& buffer) { return spool_->read(buffer); });
}

void WsdbCrossmatch::plan() {
  qsohost::PgPatience patience({}, stop(), warn());
  patience.run([&] {
    auto snapshot = wsdb::begin_snapshot(*dsn, stop());
    wsdb::PlannedMatch planned = wsdb::plan_match(snapshot, *left, *right, match_, *context_);
    left_rows_ = std::move(planned.left);
    right_rows_ = std::move(planned.right);
    spool_->begin(std::move(planned.plan));
  });
}

bool WsdbCrossmatch::read(Batch& batch) {
  // Only now, since other stages may find at open() that they cannot use the columns.
  if (!download_ && !spool_->is_complete()) download_.emplace(*spool_, *dsn, stop(), warn());
  std::vector<qsohost::PgCells> cells;
  try {
    cells = reader_->next(batch.capacity());
  } catch (const qsohost::TryAgain&) {
    if (context_->stop_requested()) return false;
    throw;
  }
  report(cells.back().values);
  cells.pop_back();
  if (cells.front().values.size() == 0) return false;
  // The host has made the columns in the order of declare().
  auto to = batch.objects().begin();
  for (qsohost::PgCells& from : cells) *to++ = std::move(from.values);
  check_ids(batch.objects().at("source_id"));
  return true;
}

// Of the first rows, or of none at all: `numbers` are those of match_sql().
void WsdbCrossmatch::report(const Column& numbers) {
  if (pairs_) return;
  pairs_.emplace();
  if (numbers.size() > 0) {
    const auto first = numbers.values<std::int64_t>().first<4>();
    const auto count = [&](std::size_t i) { return static_cast<std::uint64_t>(first[i]); };
    *pairs_ = {.left_rows = count(1), .found = count(0), .kept = count(2), .contested = count(3)};
  }
  report_pairs(*context_, left_rows_, right_rows_, *pairs_, match_);
}

void WsdbCrossmatch::check_ids(const Column& ids) const {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!qsohost::id_is_missing(ids, i)) continue;
    throw RunError(
        fmt::format("{}: a matched row has no identifier (column '{}', option 'id'); give one or "
                    "remove the row",
                    *right, *match_.id));
  }
}

void WsdbCrossmatch::close() noexcept {
  closing_ = true;
  reader_.reset();
  download_.reset();
  spool_.reset();
}

}  // namespace

QSOHOST_PLUGIN("wsdb-crossmatch", QSOHOST_VERSION,
               qsohost::stage<WsdbCrossmatch>("wsdb-crossmatch",
                                              "cross-match of two tables in PostgreSQL with q3c"));
