// Matches quasars of one table with the sources of another, in a PostgreSQL database with q3c.
#include <fmt/format.h>

#include <atomic>
#include <memory>
#include <optional>
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
  void close() noexcept override;

 private:
  bool stopping() const { return closing_ || context_->stop_requested(); }
  std::string options_text() const;
  void ask();
  void tell_of_repeats(const Column& ids);

  qsohost::Option<std::string> dsn{
      this, "dsn", "",
      "the database: libpq connection string, URI, or one word for a service of "
      "~/.pg_service.conf; \"\": as PGHOST, PGDATABASE, ... say. Passwords come from ~/.pgpass, "
      "PGPASSWORD or the service file alone"};
  qsohost::Option<std::string> left{this, "left", "sdssdr16qso.main",
                                    "table of quasars, schema.table"};
  qsohost::Option<std::string> right{
      this, "right", "gaia_dr3.gaia_source",
      "table to match with, schema.table, with an index on q3c_ang2ipix(ra, dec)"};
  qsohost::CrossmatchOptions match_{this};

  qsohost::Context* context_ = nullptr;
  std::atomic<bool> closing_{false};
  std::optional<wsdb::Spool> spool_;
  std::optional<wsdb::Download> download_;
  std::optional<qsohost::PgCopyReader> reader_;
  std::string last_id_;
  std::uint64_t repeats_ = 0;
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
  for (const qsohost::PgColumn& column : reader_->columns()) {
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
  const std::filesystem::path& folder = context.run().work_dir;  // none in a dry run
  spool_.emplace(wsdb::Spool::Settings{
      .folder = folder.empty() ? folder : folder / qsohost::kReceivedFolder,
      .label = label(),
      .options = options_text(),
      .stop = [this] { return stopping(); },
      .warn = [this](const std::string& message) { context_->warn(message); }});
  if (spool_->is_complete()) {
    context.info("all rows have been received before; the database is not asked again");
  } else {
    ask();
  }
  reader_.emplace(spool_->plan().columns,
                  [this](std::string& buffer) { return spool_->read(buffer); });
}

void WsdbCrossmatch::ask() {
  const auto stop = [this] { return stopping(); };
  const auto warn = [this](const std::string& message) { context_->warn(message); };
  qsohost::PgPatience patience({}, stop, warn);
  auto snapshot = patience.run([&] {
    auto begun = wsdb::begin_snapshot(*dsn, stop);
    spool_->begin(wsdb::make_plan(begun, *left, *right, match_, warn));
    return begun;
  });
  download_.emplace(*spool_, *dsn, std::move(snapshot), stop, warn);
}

bool WsdbCrossmatch::read(Batch& batch) {
  std::vector<qsohost::PgCells> cells;
  try {
    cells = reader_->next(batch.capacity());
  } catch (const qsohost::TryAgain&) {
    if (context_->stop_requested()) return false;
    throw;
  }
  if (cells.front().values.size() == 0) {
    if (repeats_ > 0) {
      context_->info(
          fmt::format("{} rows have the source_id of another row: quasars that share a "
                      "match; option 'unique' says what to do with them",
                      repeats_));
    }
    return false;
  }
  // The host has made the columns in the order of declare().
  auto to = batch.objects().begin();
  for (qsohost::PgCells& from : cells) *to++ = std::move(from.values);
  tell_of_repeats(batch.objects().at("source_id"));
  return true;
}

// Rows are sorted by their identifiers.
void WsdbCrossmatch::tell_of_repeats(const Column& ids) {
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (qsohost::id_is_missing(ids, i)) {
      throw RunError(
          fmt::format("{}: a matched row has no identifier (column '{}', option 'id'); give one or "
                      "remove the row",
                      *right, *match_.id));
    }
    std::string id = ids.dtype() == DType::String ? std::string(ids.strings()[i])
                                                  : std::to_string(ids.values<std::int64_t>()[i]);
    repeats_ += id == last_id_ ? 1 : 0;
    last_id_ = std::move(id);
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
