#include "wsdb_archive.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <qsohost/error.hpp>

namespace gaia {

namespace {

using qsohost::PgAccess;
using qsohost::PgColumn;
using qsohost::PgConnection;
using qsohost::PgShape;
using qsohost::PgTransaction;
using qsohost::RunError;

constexpr const char* kUploads = "pg_temp.qsohost_source_ids";
constexpr qsohost::PgRetry kRetry{.attempts = 12, .first = 0.5, .longest = 30};

// The table lives as long as the transaction: behind a pooler of connections each transaction may
// have another session of the server, and a session may be another client's next. A role may be set
// to read-only; temporary tables are not meant by that.
void upload(PgTransaction& transaction, std::span<const std::int64_t> ids) {
  transaction.execute(
      "SET TRANSACTION READ WRITE; "
      "CREATE TEMPORARY TABLE qsohost_source_ids (source_id bigint) ON COMMIT DROP");
  qsohost::PgCopyIn copy(transaction, fmt::format("{} (source_id)", kUploads));
  for (const std::int64_t id : ids) {
    copy.begin_row(1);
    copy.put(id);
  }
  copy.finish();
  transaction.execute(fmt::format("ANALYZE {}", kUploads));
}

// Temporary tables are what the user's database may refuse.
void check_upload(PgTransaction& transaction) {
  const auto [is_standby, may_upload, database, role] =
      transaction
          .query<bool, bool, std::string, std::string>(
              "SELECT pg_is_in_recovery(), has_database_privilege(current_database(), "
              "'TEMPORARY'), quote_ident(current_database()), quote_ident(current_user)")
          .at(0);
  if (is_standby) {
    throw RunError(
        "the server is a standby, read-only as a whole, but gaia-epoch uploads identifiers to a "
        "temporary table: connect to the primary server, or use archive = \"files\"");
  }
  if (may_upload) return;
  throw RunError(fmt::format(
      "gaia-epoch uploads identifiers to a temporary table, which the role may not make "
      "in this database; ask its owner for GRANT TEMPORARY ON DATABASE {} TO {}",
      database, role));
}

Block block_of(std::vector<qsohost::PgCells> cells) {
  Block block;
  const auto ids = std::as_const(cells[0].values).values<std::int64_t>();
  block.ids.assign(ids.begin(), ids.end());
  for (std::size_t i = 1; i < cells.size(); ++i) {
    block.cells.emplace_back(std::move(cells[i].values), cells[i].lengths);
  }
  return block;
}

}  // namespace

WsdbArchive::WsdbArchive(std::string dsn, const std::string& table,
                         const std::vector<Wanted>& wanted, qsohost::Context& context)
    : context_(context), dsn_(std::move(dsn)) {
  qsohost::PgPatience patience(
      {}, [this] { return stopping(); },
      [this](const std::string& message) { context_.warn(message); });
  patience.run([&] {
    Session session = connect();
    PgTransaction transaction(*session, PgAccess::Snapshot);
    check_upload(transaction);
    inspect(transaction, table, wanted);
    transaction.commit();
    put_back(std::move(session));
  });
}

WsdbArchive::Session WsdbArchive::connect() const {
  return std::make_unique<PgConnection>(dsn_, [this] { return stopping(); });
}

void WsdbArchive::inspect(PgTransaction& transaction, const std::string& table,
                          const std::vector<Wanted>& wanted) {
  const qsohost::PgTable name = qsohost::PgTable::parse(table);
  const std::vector<PgColumn> all = qsohost::columns_of(transaction, name);
  std::vector<Found> found;
  for (const PgColumn& column : all) {
    found.push_back(
        {column.info.name, column.info.dtype, column.shape != PgShape::Scalar, column.trouble});
  }
  columns_.clear();
  std::string list;
  for (const std::size_t i : match_columns(table, found, wanted)) {
    PgColumn& column = columns_.emplace_back(all[i]);
    // In a small table arrays may have equal lengths by chance.
    if (column.shape == PgShape::Fixed) column.shape = PgShape::Varying;
    list += (list.empty() ? "" : ", ") +
            column.value_of("e." + qsohost::quote_identifier(column.info.name));
  }
  query_ = fmt::format("SELECT {} FROM {} e JOIN {} q ON e.{} = q.source_id", list, name.sql(),
                       kUploads, qsohost::quote_identifier(columns_[0].info.name));
  warn_without_index(transaction, name);
  const std::string hidden = qsohost::hidden_rows_warning(transaction, name);
  if (!hidden.empty()) context_.warn(hidden);
}

void WsdbArchive::warn_without_index(PgTransaction& transaction,
                                     const qsohost::PgTable& table) const {
  const std::vector<std::string> parameters{table.sql(), columns_[0].info.name};
  // For tables and materialised views; a view may rely on an index that is not visible here.
  const auto rows = transaction.query<int>(
      "SELECT 1 FROM pg_class c WHERE c.oid = $1::regclass AND c.relkind IN ('r', 'm') AND NOT "
      "EXISTS (SELECT 1 FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND "
      "a.attnum = i.indkey[0] WHERE i.indrelid = c.oid AND i.indisvalid AND a.attname = $2)",
      parameters);
  if (rows.empty()) return;
  context_.warn(fmt::format(
      "table {} has no index on {}: every batch reads the whole of it; CREATE INDEX ON {} ({}), or "
      "ask the administrator for it",
      table.sql(), parameters[1], table.sql(), parameters[1]));
}

WsdbArchive::Session WsdbArchive::take() {
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      Session session = std::move(idle_.back());
      idle_.pop_back();
      return session;
    }
  }
  return connect();
}

void WsdbArchive::put_back(Session session) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(session));
}

std::vector<Block> WsdbArchive::ask(PgConnection& connection,
                                    std::span<const std::int64_t> ids) const {
  PgTransaction transaction(connection, PgAccess::ReadWrite);
  upload(transaction, ids);
  qsohost::PgCopyOut copy(transaction, query_);
  qsohost::PgCopyReader reader(columns_, [&](std::string& buffer) { return copy.next(buffer); });
  std::vector<Block> blocks;
  for (;;) {
    std::vector<qsohost::PgCells> cells = reader.next(ids.size());
    if (cells[0].values.size() == 0) break;
    blocks.push_back(block_of(std::move(cells)));
  }
  // Reads to the end, so that an error after the last row is reported.
  for (std::string rest; copy.next(rest);) rest.clear();
  transaction.commit();
  return blocks;
}

LookUp WsdbArchive::look_up(std::span<const std::int64_t> ids, const BatchInfo& /*batch*/) {
  if (ids.empty()) return {};
  qsohost::PgPatience patience(
      kRetry, [this] { return stopping(); },
      [this](const std::string& message) { context_.warn(message); });
  return patience.run([&] {
    Session session = take();  // not returned to the pool after an error
    std::vector<Block> blocks = ask(*session, ids);
    put_back(std::move(session));
    return LookUp{std::move(blocks)};
  });
}

}  // namespace gaia
