// Epochs of Gaia: the rows of the table epoch_photometry that have the objects' source_ids.
#include <qsohost/plugin.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>

#include "answer.hpp"
#include "file_archive.hpp"
#include "table_columns.hpp"
#include "wsdb_archive.hpp"

namespace {

using qsohost::UsageError;

// None if it is not a number: a source_id of Gaia always is one.
std::optional<std::int64_t> source_id_of(const qsohost::Column& ids, std::size_t row) {
  if (ids.is_null(row)) return std::nullopt;
  if (ids.dtype() == qsohost::DType::I64) return ids.values<std::int64_t>()[row];
  const std::string_view text = ids.strings()[row];
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

enum class ArchiveKind : std::uint8_t { Wsdb, Files };

class GaiaEpoch : public qsohost::Fetcher {
 public:
  qsohost::Choice<ArchiveKind> archive{this,
                                       "archive",
                                       qsohost::required,
                                       {{"wsdb", ArchiveKind::Wsdb}, {"files", ArchiveKind::Files}},
                                       "files: files of the table (option paths); wsdb: a "
                                       "PostgreSQL database (options dsn, table, lanes)"};
  qsohost::Option<std::vector<qsohost::Path>> paths{
      this, "paths", std::vector<qsohost::Path>{},
      "files with rows of epoch_photometry: FITS, VOTable, ECSV, also gzipped; an index of them is "
      "kept in the run directory"};
  qsohost::Option<std::string> hdu{this, "hdu", "",
                                   "HDU or TABLE of these files, by name or number (\"2\"; the "
                                   "primary HDU is 0, the first TABLE "
                                   "1); empty: the first table"};
  qsohost::Option<std::string> dsn{
      this, "dsn", "",
      "the database: libpq connection string, URI, or one word for a service of "
      "~/.pg_service.conf; \"\": as PGHOST, PGDATABASE, ... say. Passwords come from ~/.pgpass, "
      "PGPASSWORD or the service file alone"};
  qsohost::Option<std::string> release{this, "release", "dr3",
                                       "Gaia's data release, whose source_ids the objects have"};
  qsohost::Option<std::string> table{
      this, "table", "",
      "table of the database, schema.table; \"\": gaia_<release>.epoch_photometry"};
  qsohost::Option<std::int64_t> connections{this,
                                            "lanes",
                                            2,
                                            "connections to the database at once",
                                            {.min = 1, .max = 16, .affects_results = false}};
  qsohost::Option<std::vector<std::string>> columns{
      this,
      "columns",
      std::vector<std::string>{},
      "columns of the table besides those of the product, e.g. [\"transit_id\"]; n_transits and "
      "solution_id become columns of the objects",
      {.choices = gaia::extra_columns()}};
  qsohost::Choice<gaia::Duplicates> duplicates{
      this,
      "duplicates",
      gaia::Duplicates::Drop,
      {{"drop", gaia::Duplicates::Drop},
       {"keep", gaia::Duplicates::Keep},
       {"error", gaia::Duplicates::Error}},
      "transits that are there more than once, in one row of a source or in several. drop: every "
      "transit is taken once, by transit_id, and the others are counted (two rows that give one "
      "transit different values are a bad object); keep: all are taken; error: a source of several "
      "rows is a bad object"};

  void validate() const override {
    if (*archive == ArchiveKind::Files && paths->empty()) {
      throw UsageError("archive = \"files\" needs paths = [\"epoch_photometry.fits\"]");
    }
    if (*archive == ArchiveKind::Wsdb && !paths->empty()) {
      throw UsageError(
          "paths: archive = \"wsdb\" reads no files; remove it, or archive = \"files\"");
    }
    qsohost::check_dsn(*dsn);
    qsohost::PgTable::parse(table_name());
  }

  void declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const override {
    ports.reads({"", "source_id", std::nullopt, "", "Gaia's identifier of the source"});
    gaia::declare_columns(wanted_columns(), ports);
  }

  std::vector<qsohost::Input> fingerprint() const override {
    std::vector<qsohost::Input> inputs;
    for (const qsohost::Path& path : *paths) inputs.push_back(qsohost::file_input(path.text));
    return inputs;
  }

  void open(qsohost::Context& context) override {
    wanted_ = wanted_columns();
    if (*archive == ArchiveKind::Wsdb) {
      archive_ = std::make_unique<gaia::WsdbArchive>(*dsn, table_name(), wanted_, context);
      return;
    }
    std::vector<std::string> files;
    for (const qsohost::Path& path : *paths) files.push_back(path.text);
    const std::filesystem::path& folder = context.run().work_dir;  // none in a dry run
    const std::filesystem::path index =
        folder.empty() ? folder : folder / qsohost::kIndexFolder / label();
    archive_ = std::make_unique<gaia::FileArchive>(files, *hdu, wanted_, index, context);
  }

  // A file is read by only one thread at a time.
  int lanes() const override {
    return *archive == ArchiveKind::Wsdb ? static_cast<int>(*connections) : 1;
  }

  void close() noexcept override { archive_.reset(); }

  void fetch(qsohost::Batch& batch, qsohost::Outcomes& outcomes) override {
    const qsohost::Column& ids = batch.objects().at("source_id");
    std::vector<std::int64_t> asked;
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      if (const auto id = source_id_of(ids, row)) asked.push_back(*id);
    }
    // Two objects may be the same source.
    std::ranges::sort(asked);
    asked.erase(std::unique(asked.begin(), asked.end()), asked.end());

    std::vector<gaia::Block> blocks;
    std::string problem;
    try {
      blocks = archive_->look_up(asked);
    } catch (const qsohost::TryAgain& e) {
      problem = e.what();
    }
    gaia::EpochWriter writer(wanted_, blocks, batch);
    outcomes.for_each(batch, [&](const qsohost::Object& object) {
      const auto id = source_id_of(ids, object.row());
      if (!id) throw qsohost::BadObject("its source_id is not a number, as those of Gaia are");
      if (!problem.empty()) throw qsohost::TryAgain(problem);
      writer.write(*id, object.row(), *duplicates, outcomes.counts());
    });
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      if (outcomes.states()[row].outcome != qsohost::Outcome::Matched) writer.set_no_row(row);
    }
  }

 private:
  std::vector<gaia::Wanted> wanted_columns() const {
    return gaia::wanted_columns(*columns, *duplicates != gaia::Duplicates::Error);
  }
  std::string table_name() const {
    return table->empty() ? fmt::format("gaia_{}.epoch_photometry", *release) : *table;
  }

  std::vector<gaia::Wanted> wanted_;
  std::unique_ptr<gaia::Archive> archive_;
};

}  // namespace

QSOHOST_PLUGIN("gaia-epoch", QSOHOST_VERSION,
               qsohost::stage<GaiaEpoch>("gaia-epoch",
                                         "Gaia light curves from the table epoch_photometry"));
