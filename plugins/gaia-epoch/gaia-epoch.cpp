// Epochs of Gaia: the rows of the table epoch_photometry that have the objects' source_ids, from
// files, a database, or a public archive.
#include <qsohost/names.hpp>
#include <qsohost/plugin.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <memory>
#include <optional>

#include "answer.hpp"
#include "column_roles.hpp"
#include "examination.hpp"
#include "file_archive.hpp"
#include "remote_archive.hpp"
#include "remote_options.hpp"
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

enum class ArchiveKind : std::uint8_t { Wsdb, Files, Tap, DataLink };

// "dr3" and "Gaia DR3" are the same release; "Gaia DR3".
std::string long_name(const std::string& release) {
  std::string name = qsohost::lower_case(release);
  if (name.starts_with("gaia ")) name.erase(0, 5);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  return "Gaia " + name;
}

class GaiaEpoch : public qsohost::Fetcher, public qsohost::HttpStage {
 public:
  qsohost::Choice<ArchiveKind> archive{this,
                                       "archive",
                                       qsohost::required,
                                       {{"wsdb", ArchiveKind::Wsdb},
                                        {"files", ArchiveKind::Files},
                                        {"tap", ArchiveKind::Tap},
                                        {"datalink", ArchiveKind::DataLink}},
                                       "files: files of the table (option paths); wsdb: a "
                                       "PostgreSQL database (options dsn, table, lanes); tap: a "
                                       "public TAP service (option via); datalink: ESA's public "
                                       "archive, about a source a second"};
  gaia::RemoteOptions remote{this};
  qsohost::Option<std::vector<qsohost::Path>> paths{
      this, "paths", std::vector<qsohost::Path>{},
      "files of epoch_photometry, arrays with a row a source or a row a transit: FITS, VOTable, "
      "ECSV, CSV, also gzipped; an index of them is "
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
  qsohost::Option<std::string> release{
      this, "release", "Gaia DR3",
      "Gaia's data release, whose source_ids the objects have: \"Gaia DR3\", \"Gaia DR4\"; \"dr3\" "
      "is the same. An identifier means another source in each"};
  qsohost::Option<std::string> table{
      this, "table", "",
      "table, schema.table; \"\": gaia_dr3.epoch_photometry of a database, "
      "gaiadr3.epoch_photometry of AIP, \"I/355/epphot\" of VizieR"};
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
    if (*archive != ArchiveKind::Files && !paths->empty()) {
      throw UsageError(
          "paths: only archive = \"files\" reads files; remove it, or archive = \"files\"");
    }
    if (is_remote()) return check_remote();
    qsohost::check_dsn(*dsn);
    qsohost::PgTable::parse(table_name());
  }

  void declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const override {
    ports.reads({"", "source_id", std::nullopt, "", "Gaia's identifier of the source"});
    gaia::declare_columns(wanted_columns(), is_remote() ? long_name(*release) : "", ports);
  }

  std::vector<qsohost::Input> fingerprint() const override {
    std::vector<qsohost::Input> inputs;
    for (const qsohost::Path& path : *paths) inputs.push_back(qsohost::file_input(path.text));
    return inputs;
  }

  void examine(qsohost::Examination& archive) const override {
    if (is_remote()) gaia::examine(remote_settings(), archive);
  }

  void open(qsohost::Context& context) override {
    wanted_ = wanted_columns();
    if (is_remote()) return open_remote(context);
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
    if (is_remote()) return 4;  // keeps connections busy while a batch waits for its last answers
    return *archive == ArchiveKind::Wsdb ? static_cast<int>(*connections) : 1;
  }

  qsohost::HttpPolicy policy() const override { return remote.http.policy(); }

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

    gaia::LookUp found;
    std::string problem;
    try {
      found = archive_->look_up(asked, {batch.ordinal(), outcomes.counts()});
    } catch (const qsohost::TryAgain& e) {
      problem = e.what();
    }
    gaia::EpochWriter writer(wanted_, found.blocks, batch);
    outcomes.end_each(batch, [&](const qsohost::Object& object) -> qsohost::Ending {
      const auto id = source_id_of(ids, object.row());
      if (!id) throw qsohost::BadObject("its source_id must be a number, as those of Gaia are");
      if (!problem.empty()) throw qsohost::TryAgain(problem);
      const auto ending = found.endings.find(*id);
      if (ending != found.endings.end()) return ending->second;
      writer.write(*id, object.row(), *duplicates, outcomes.counts());
      if (is_remote()) {
        outcomes.set_detail(object.row(), fmt::format("{} {}", long_name(*release), *id));
      }
      return {};
    });
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      if (outcomes.states()[row].outcome != qsohost::Outcome::Matched) writer.set_no_row(row);
    }
  }

 private:
  std::vector<gaia::Wanted> wanted_columns() const {
    auto wanted = gaia::wanted_columns(*columns, *duplicates != gaia::Duplicates::Error);
    if (is_remote() && road() == gaia::Road::Vizier) {
      // It has few of the flags. Without transit_id, a transit is known by nothing.
      std::erase_if(wanted, [](const gaia::Wanted& w) {
        return w.group != gaia::kNowhere && gaia::role_called(w.table.name).vizier.empty();
      });
    }
    return wanted;
  }
  // gaia_dr3.epoch_photometry
  std::string table_name() const {
    if (!table->empty()) return *table;
    std::string name = qsohost::lower_case(long_name(*release));
    std::ranges::replace(name, ' ', '_');
    return name + ".epoch_photometry";
  }

  bool is_remote() const {
    return *archive == ArchiveKind::Tap || *archive == ArchiveKind::DataLink;
  }
  gaia::Road road() const {
    if (*archive == ArchiveKind::DataLink) return gaia::Road::DataLink;
    return *remote.via == gaia::Via::Vizier ? gaia::Road::Vizier : gaia::Road::Aip;
  }

  void check_remote() const {
    const std::string name = long_name(*release);
    if (name != "Gaia DR3" && name != "Gaia DR4") {
      throw UsageError(
          fmt::format("release = \"{}\": it must be one whose epochs public archives serve, \"Gaia "
                      "DR3\" or \"Gaia DR4\"",
                      *release));
    }
    if (*archive == ArchiveKind::DataLink) {
      if (remote.via.is_set()) throw UsageError("via: of archive = \"tap\" only; remove it");
      if (!table->empty()) throw UsageError("table: DataLink has no tables; remove it");
      return;
    }
    if (*remote.via == gaia::Via::Esa) {
      throw UsageError(
          "via = \"esa\": ESA's TAP has no epoch_photometry, only its flag in gaia_source; use "
          "archive = \"datalink\", or via = \"aip\" or \"vizier\"");
    }
    if (*remote.via != gaia::Via::Vizier) return;
    if (name != "Gaia DR3" && table->empty()) {
      throw UsageError(
          fmt::format("via = \"vizier\": its table I/355/epphot is of Gaia DR3, not of {}; use via "
                      "= \"aip\" or "
                      "archive = \"datalink\", or name the table of that release (option table)",
                      name));
    }
    for (const std::string& column : *columns) {
      if (!gaia::role_called(column).vizier.empty()) continue;
      throw UsageError(fmt::format(
          "columns: VizieR does not have '{}'; remove it, or use via = \"aip\"", column));
    }
  }

  gaia::RemoteSettings remote_settings() const {
    const std::string table = *archive == ArchiveKind::Tap ? *this->table : "";
    gaia::RemoteSettings settings = remote.settings(road(), long_name(*release), table);
    settings.label = label();
    settings.wanted = wanted_columns();
    return settings;
  }

  void open_remote(qsohost::Context& context) {
    if (road() == gaia::Road::DataLink) {
      context.info(gaia::datalink_estimate(context.run().objects));
    }
    archive_ = std::make_unique<gaia::RemoteArchive>(remote_settings(), policy(), http(), context);
  }

  std::vector<gaia::Wanted> wanted_;
  std::unique_ptr<gaia::Archive> archive_;
};

}  // namespace

QSOHOST_PLUGIN("gaia-epoch", QSOHOST_VERSION,
               qsohost::stage<GaiaEpoch>("gaia-epoch",
                                         "Gaia light curves from the table epoch_photometry"));
