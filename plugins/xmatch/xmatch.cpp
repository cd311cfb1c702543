// Cross-match with a table of VizieR by the service of the CDS: the rules are those of
// qsohost/io/crossmatch.hpp, with the distances that the service measures.
//
// http://cdsxmatch.u-strasbg.fr/xmatch/doc/API-calls.html
//
// Kept in memory: the left table's positions (24 bytes a row), the pairs (40 bytes each) and one
// block. The right table's rows go to a file. A resumed run gets the blocks that were received from
// its ledger.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <qsohost/http.hpp>
#include <qsohost/http_options.hpp>
#include <qsohost/io/crossmatch_tables.hpp>
#include <qsohost/io/text.hpp>
#include <qsohost/names.hpp>
#include <qsohost/plugin.hpp>

#include "examination.hpp"
#include "gaia_columns.hpp"
#include "known_tables.hpp"
#include "match_block.hpp"
#include "right_file.hpp"

namespace {

using qsohost::CrossmatchInput;
using qsohost::RunError;
using qsohost::SkyPlace;
using qsohost::UsageError;

constexpr double kLargestRadius = 180;
// The service answers a block of 50,000 rows within minutes. A job that is given up too early would
// be at work beside its repetition, which the service punishes.
constexpr std::chrono::minutes kLongestJob{10};
constexpr int kTapConnections = 4;

using GaiaRows = std::map<std::int64_t, std::vector<std::string>>;

// An identifier of Gaia's.
std::int64_t gaia_id(const std::string& text) {
  if (const auto id = qsohost::parse_int(text)) return *id;
  throw RunError(fmt::format(
      "option 'tap_columns': the identifier '{}' is no number, and only Gaia's sources have these "
      "columns",
      text));
}

class XMatch final : public qsohost::Source, public qsohost::HttpStage {
 public:
  void validate() const override;
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  std::vector<qsohost::Input> fingerprint() const override {
    return {qsohost::file_input(left->text)};
  }
  qsohost::HttpPolicy policy() const override { return http_options.policy(); }
  void examine(qsohost::Examination& archive) const override {
    xmatch::examine(service(), id_name(), gaia_table(), archive);
  }
  void open(qsohost::Context& context) override;
  bool read(qsohost::Batch& batch) override { return tables_->read(batch); }
  std::uint64_t seek(std::uint64_t first) override { return tables_->seek(first); }
  std::optional<std::uint64_t> size() const override {
    if (!tables_) return std::nullopt;
    return tables_->size();
  }
  qsohost::Counts counts() const override;
  void close() noexcept override;

 private:
  std::string id_name() const;
  xmatch::Service service() const { return {url->text, *right, *cross.radius_arcsec}; }
  xmatch::GaiaTable gaia_table() const;
  CrossmatchInput open_left() const;
  std::vector<SkyPlace> places_of(CrossmatchInput& input, qsohost::Context& context) const;
  std::vector<qsohost::MatchPair> match(const CrossmatchInput& input,
                                        std::span<const SkyPlace> places,
                                        xmatch::RightColumns& columns, qsohost::Context& context);
  void keep(std::span<const xmatch::MatchedRow> rows, std::uint64_t block,
            std::vector<qsohost::MatchPair>& pairs);
  GaiaRows gaia_rows(std::span<const xmatch::MatchedRow> rows, std::uint64_t block);
  void check_columns(const CrossmatchInput& input, const xmatch::RightColumns& columns) const;
  CrossmatchInput open_right(const xmatch::RightColumns& columns) const;
  std::pair<std::string, std::string> positions(const xmatch::RightColumns& columns) const;

  qsohost::Option<qsohost::Url> url{
      this, "url", {"https://cdsxmatch.cds.unistra.fr/xmatch/api/v1/sync"}, "the service"};
  qsohost::Option<qsohost::Path> left{
      this, "left", qsohost::required,
      "table of quasars: FITS, VOTable, IPAC, ECSV, CSV or TSV, also gzipped"};
  qsohost::Option<std::string> left_hdu{
      this, "left_hdu", "",
      "HDU or TABLE of the left file, by name or number (\"2\"; the primary HDU is 0, the first "
      "TABLE 1); empty: the first table"};
  qsohost::Option<std::string> right{
      this, "right", "vizier:I/355/gaiadr3",
      "table to match with, \"vizier:\" and its name there, or \"simbad\""};
  qsohost::CrossmatchOptions cross{
      this,
      {.right_ra = "",
       .right_dec = "",
       .id = "",
       .largest_radius = kLargestRadius,
       .help_of_right_names = "; \"\": as tables of VizieR call it (Gaia's: Source, RA_ICRS, "
                              "DE_ICRS)"}};
  qsohost::Option<std::int64_t> block_rows{
      this,
      "block_rows",
      50000,
      "left rows that are sent together; blocks are sent one after the other",
      {.min = 1, .max = 1000000, .affects_results = false}};
  qsohost::Option<qsohost::Url> tap_url{this,
                                        "tap_url",
                                        {"https://gea.esac.esa.int/tap-server/tap"},
                                        "TAP service that has the table of tap_columns"};
  qsohost::Option<std::vector<std::string>> tap_columns{
      this,
      "tap_columns",
      {},
      "columns of Gaia's own table that VizieR's lacks, such as has_epoch_photometry; added by "
      "source_id"};
  qsohost::Option<std::string> tap_table{this, "tap_table", "",
                                         "their table; \"\": that of `right`, gaiadr3.gaia_source"};
  // An address with more than one job at a time gets banned.
  qsohost::HttpOptions http_options{this, {.max_connections = 1, .timeout = kLongestJob}, 1};

  std::unique_ptr<xmatch::RightFile> file_;
  std::optional<qsohost::CrossmatchTables> tables_;
  std::optional<qsohost::Counts> http_counts_;  // of this run
};

std::string XMatch::id_name() const {
  if (!cross.id->empty()) return *cross.id;
  const auto known = xmatch::known_table(*right);
  return known ? std::string(known->id) : std::string();
}

// Without columns where none are wanted.
xmatch::GaiaTable XMatch::gaia_table() const {
  if (tap_columns->empty()) return {};
  return {tap_url->text,
          tap_table->empty() ? std::string(xmatch::known_table(*right)->gaia_source) : *tap_table,
          *tap_columns};
}

void XMatch::validate() const {
  cross.validate();
  if (*cross.radius_arcsec <= 0) {
    throw UsageError("option 'radius_arcsec': the service needs a radius above 0");
  }
  if (id_name().empty()) {
    throw UsageError(fmt::format(
        "option 'id' must say which column of {} holds the identifiers (they become source_id)",
        *right));
  }
  if (tap_columns->empty()) return;
  for (const std::string& name : *tap_columns) xmatch::check_column_name(name);
  if (tap_table->empty() && !xmatch::known_table(*right)) {
    throw UsageError(
        fmt::format("option 'tap_table' must say which table has the columns of {} in {}", *right,
                    tap_url->text));
  }
}

void XMatch::declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const {
  if (!tables_) return qsohost::declare_crossmatch(ports);
  tables_->declare(ports);
}

CrossmatchInput XMatch::open_left() const {
  return CrossmatchInput({.path = left->text,
                          .hdu = *left_hdu,
                          .ra = *cross.left_ra,
                          .dec = *cross.left_dec,
                          .ra_option = "left_ra",
                          .dec_option = "left_dec"});
}

std::vector<SkyPlace> XMatch::places_of(CrossmatchInput& input, qsohost::Context& context) const {
  std::vector<SkyPlace> places;
  input.for_each_block(*cross.where, [&](std::span<const SkyPlace> block) {
    if (context.stop_requested()) throw qsohost::TryAgain("stopped while reading positions");
    places.insert(places.end(), block.begin(), block.end());
  });
  report_positions(context, input.rows(), input.first_off_sky());
  if (places.empty()) {
    throw RunError(
        fmt::format("{}: no row with a position{}, so there is nothing to match; check options "
                    "'left_ra', 'left_dec' and 'where'",
                    input.name(), cross.where->empty() ? "" : " meets the condition 'where'"));
  }
  return places;
}

void XMatch::open(qsohost::Context& context) {
  http_counts_.emplace();
  CrossmatchInput on_left = open_left();
  const std::vector<SkyPlace> places = places_of(on_left, context);
  const auto& work_dir = context.run().work_dir;
  file_ = std::make_unique<xmatch::RightFile>(
      work_dir.empty() ? work_dir : work_dir / qsohost::kReceivedFolder, label());
  xmatch::RightColumns columns{*right, id_name()};
  std::vector<qsohost::MatchPair> pairs = match(on_left, places, columns, context);
  file_->finish();
  tables_.emplace(std::move(on_left), open_right(columns), cross, context);
  tables_->set_pairs(std::move(pairs), context);
}

std::vector<qsohost::MatchPair> XMatch::match(const CrossmatchInput& input,
                                              std::span<const SkyPlace> places,
                                              xmatch::RightColumns& columns,
                                              qsohost::Context& context) {
  const xmatch::Service asked = service();
  const auto rows_at_once = static_cast<std::size_t>(*block_rows);
  xmatch::RowLimit limit;
  std::vector<qsohost::MatchPair> pairs;
  for (std::size_t first = 0; first < places.size(); first += rows_at_once) {
    const std::uint64_t number = first / rows_at_once;
    const auto part = places.subspan(first, std::min(rows_at_once, places.size() - first));
    xmatch::MatchBlock block(asked, part, columns, limit);
    http().hold(block, policy(), label(), qsohost::source_ordinal(2 * number), *http_counts_);
    if (first == 0) {
      check_columns(input, columns);
      file_->begin(columns.names, *tap_columns);
    }
    keep(block.rows(), number, pairs);
    context.info(fmt::format("{} of {} rows matched: {} pairs", first + part.size(), places.size(),
                             pairs.size()));
  }
  return pairs;
}

// Mistakes in options are told after the first block.
void XMatch::check_columns(const CrossmatchInput& input,
                           const xmatch::RightColumns& columns) const {
  std::vector<std::string> names = columns.names;
  for (const std::string& name : *tap_columns) {
    const auto same = std::ranges::find(names, qsohost::lower_case(name), qsohost::lower_case);
    if (same != names.end()) {
      throw RunError(fmt::format("option 'tap_columns': leave out '{}', for {} has a column '{}'",
                                 name, *right, *same));
    }
    names.push_back(name);
  }
  positions(columns);
  crossmatch_layout(input.columns(), {*right, std::move(names), columns.id, true}, cross);
}

void XMatch::keep(std::span<const xmatch::MatchedRow> rows, std::uint64_t block,
                  std::vector<qsohost::MatchPair>& pairs) {
  const GaiaRows gaia = gaia_rows(rows, block);
  for (const xmatch::MatchedRow& row : rows) {
    std::vector<std::string> more;
    if (!tap_columns->empty()) {
      if (const auto it = gaia.find(gaia_id(row.id)); it != gaia.end()) more = it->second;
    }
    file_->add(row.cells, more);
    const std::uint64_t right_row = pairs.size();
    pairs.push_back({.left = row.left, .right = right_row, .separation = row.separation});
  }
}

// The columns from TAP of a block's sources.
GaiaRows XMatch::gaia_rows(std::span<const xmatch::MatchedRow> rows, std::uint64_t block) {
  if (tap_columns->empty()) return {};
  std::set<std::int64_t> ids;
  for (const xmatch::MatchedRow& row : rows) ids.insert(gaia_id(row.id));
  const xmatch::GaiaTable table = gaia_table();
  xmatch::GaiaColumns columns(table, ids);
  qsohost::HttpPolicy policy = http_options.policy();
  policy.max_connections = kTapConnections;
  http().hold(columns, policy, label(), qsohost::source_ordinal(2 * block + 1), *http_counts_);
  const auto add = [&](const char* what, std::size_t n) {
    http_counts_->add(table.table, what, static_cast<std::int64_t>(n));
  };
  add("sources", ids.size());
  add("not there", ids.size() - columns.rows().size());
  return std::move(columns.rows());
}

std::pair<std::string, std::string> XMatch::positions(const xmatch::RightColumns& columns) const {
  auto usual = xmatch::position_columns(columns.names);
  if (!usual && (cross.right_ra->empty() || cross.right_dec->empty())) {
    throw RunError(
        fmt::format("{}: options 'right_ra' and 'right_dec' must say which columns hold the "
                    "position; it has: {}",
                    *right, fmt::join(columns.names, ", ")));
  }
  return {cross.right_ra->empty() ? usual->first : *cross.right_ra,
          cross.right_dec->empty() ? usual->second : *cross.right_dec};
}

CrossmatchInput XMatch::open_right(const xmatch::RightColumns& columns) const {
  const auto [ra, dec] = positions(columns);
  return CrossmatchInput({.path = file_->path().string(),
                          .ra = ra,
                          .dec = dec,
                          .ra_option = "right_ra",
                          .dec_option = "right_dec",
                          .name = *right,
                          .flags = file_->flags(),
                          .id = columns.id,
                          .is_position_added = true});
}

qsohost::Counts XMatch::counts() const {
  qsohost::Counts counts;
  if (tables_) counts.add(tables_->counts());
  if (http_counts_) counts.add(*http_counts_);
  return counts;
}

void XMatch::close() noexcept {
  tables_.reset();
  file_.reset();
}

}  // namespace

QSOHOST_PLUGIN("xmatch", QSOHOST_VERSION,
               qsohost::stage<XMatch>("xmatch",
                                      "cross-match with a table of VizieR by the service "
                                      "of the CDS"));
