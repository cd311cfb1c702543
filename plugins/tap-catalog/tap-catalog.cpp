// Reads the quasars of a run from a table of a TAP service, one per row.
//
// Rows are read in pages: TOP n by identifier, each page from the last identifier of the one before
// on. They are counted first, so however a service cuts its answers, with a sign or without, the
// rows are all there or the run ends with an error.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <qsohost/adql.hpp>
#include <qsohost/examination.hpp>
#include <qsohost/http.hpp>
#include <qsohost/http_options.hpp>
#include <qsohost/io/text.hpp>
#include <qsohost/plugin.hpp>
#include <qsohost/tap.hpp>

#include "page.hpp"
#include "selection.hpp"

namespace {

using qsohost::Column;
using qsohost::RunError;
using qsohost::UsageError;

enum class Mode : std::uint8_t { Sync, Async };

constexpr std::int64_t kSyncRows = 2000;
constexpr std::int64_t kJobRows = 50'000;
constexpr int kMostTries = 3;

// One query.
class OneQuery final : public qsohost::Conversation {
 public:
  OneQuery(qsohost::TapQuery query, qsohost::TapExchange::Reader read)
      : tap_(std::move(query), std::move(read)) {}

  std::vector<qsohost::Request> begin() override { return {tap_.begin()}; }
  std::vector<qsohost::Request> answer(const qsohost::Request& request,
                                       const qsohost::Response& response) override {
    return listed(tap_.answer(request, response));
  }
  std::vector<qsohost::Request> failed(const qsohost::Request& /*request*/,
                                       const std::string& reason) override {
    return listed(tap_.failed(reason));
  }
  const qsohost::TapExchange& tap() const { return tap_; }

 private:
  static std::vector<qsohost::Request> listed(std::optional<qsohost::Request> next) {
    if (!next) return {};
    return {std::move(*next)};
  }
  qsohost::TapExchange tap_;
};

class TapCatalog final : public qsohost::Source, public qsohost::HttpStage {
 public:
  void validate() const override;
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  void examine(qsohost::Examination& archive) const override;
  void open(qsohost::Context& context) override;
  bool read(qsohost::Batch& batch) override;
  std::optional<std::uint64_t> size() const override { return total_; }
  qsohost::Counts counts() const override { return *counts_; }
  qsohost::HttpPolicy policy() const override { return http_options.policy(); }
  void close() noexcept override;

 private:
  tap_catalog::Selection selection() const;
  std::int64_t rows_a_page() const;
  void ask(std::string adql, std::string about, const qsohost::TapExchange::Reader& read);
  void count_rows();
  void first_page();
  bool next_page();

  qsohost::Option<qsohost::Url> url{this, "url", qsohost::required,
                                    "TAP service: the address that has /sync and /async below it"};
  qsohost::Option<std::string> query{
      this, "query", "",
      "ADQL, instead of table, columns and where; it becomes a table of its own (SELECT ... FROM "
      "(query)), so with TOP it needs ORDER BY"};
  qsohost::Option<std::string> table{
      this, "table", "", "table as the service calls it: gaiadr3.gaia_source, I/355/gaiadr3"};
  qsohost::Option<std::string> where{this, "where", "", "condition in ADQL on the rows of table"};
  qsohost::CatalogOptions of_objects_{this, ", each there once; rows are read in its order",
                                      "names that are words of ADQL in quotes: '\"date\"'"};
  qsohost::Choice<Mode> mode{this,
                             "mode",
                             Mode::Sync,
                             {{"sync", Mode::Sync}, {"async", Mode::Async}},
                             "each page as a request, or as a job of the service, for queries that "
                             "take longer than a request may",
                             {.affects_results = false}};
  qsohost::Option<std::int64_t> page_rows{this,
                                          "page_rows",
                                          0,
                                          "rows to ask for at a time; 0: 2000, of jobs 50000",
                                          {.min = 0, .affects_results = false}};
  qsohost::Option<double> job_timeout{
      this,
      "job_timeout",
      1800,
      "a job that takes longer is deleted, and created again up to twice",
      {.unit = "s", .min = 1, .affects_results = false}};
  // A page begins where the one before has ended, so there is one request at a time.
  qsohost::HttpOptions http_options{
      this, {.max_connections = 1, .timeout = std::chrono::seconds(300)}, 1};

  std::optional<tap_catalog::PageReader> reader_;
  std::optional<std::uint64_t> total_;
  std::uint64_t received_ = 0;
  std::uint64_t asked_ = 0;  // queries so far
  tap_catalog::Page page_;
  std::uint64_t next_ = 0;  // row of the page
  bool has_ended_ = false;
  std::optional<qsohost::Counts> counts_;
};

void TapCatalog::validate() const {
  if (query->empty() == table->empty()) {
    throw UsageError("either 'query' or 'table' must say what to read");
  }
  if (!query->empty() && (!where->empty() || of_objects_.columns.is_set())) {
    throw UsageError(
        "'columns' and 'where' belong to 'table'; write them into the 'query', or leave it out");
  }
  if (page_rows.is_set() && *page_rows == 1) {
    throw UsageError(
        "'page_rows' must be 2 or more: a page repeats the last row of the one before");
  }
}

// One row shows the columns of a query as well as those of a table.
void TapCatalog::examine(qsohost::Examination& archive) const {
  archive.about("catalogue (TAP)", url->text, [&] {
    const std::string body = archive.ask_tap({.url = url->text,
                                              .adql = tap_catalog::example_query(selection()),
                                              .format = "csv",
                                              .about = "one row"});
    const qsohost::CatalogNames names = tap_catalog::names_in_answer(selection().names);
    std::vector<qsohost::ColumnRole> roles{
        {"identifier", {names.id}}, {"right ascension", {names.ra}}, {"declination", {names.dec}}};
    for (const std::string& column : names.columns) {
      if (!names.wants_all()) roles.push_back({column, {column}});
    }
    archive.check_columns(qsohost::TableReader(body).columns(), roles);
  });
}

tap_catalog::Selection TapCatalog::selection() const {
  return {*query, *table, *where, of_objects_.names()};
}

std::int64_t TapCatalog::rows_a_page() const {
  if (*page_rows > 0) return *page_rows;
  return *mode == Mode::Sync ? kSyncRows : kJobRows;
}

void TapCatalog::declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const {
  if (reader_ && reader_->columns()) return reader_->columns()->declare(ports);
  qsohost::declare_unopened(tap_catalog::names_in_answer(selection().names), ports);
}

void TapCatalog::open(qsohost::Context& context) {
  reader_.emplace("the answer of " + url->text, tap_catalog::names_in_answer(selection().names),
                  [&context](const std::string& warning) { context.warn(warning); });
  received_ = asked_ = next_ = 0;
  has_ended_ = false;
  page_ = {};
  counts_.emplace();
  count_rows();
  first_page();
}

// A job that the service leaves in its queue is given up, and the query sent once more.
void TapCatalog::ask(std::string adql, std::string about,
                     const qsohost::TapExchange::Reader& read) {
  qsohost::TapQuery tap{.url = url->text, .adql = std::move(adql), .about = std::move(about)};
  tap.as_job = *mode == Mode::Async;
  tap.deletes_job = true;
  tap.job_timeout = qsohost::to_milliseconds(*job_timeout);
  const std::uint64_t part = asked_++;
  for (;;) {
    OneQuery one(tap, read);
    http().hold(one, policy(), label(), qsohost::source_ordinal(part), *counts_);
    const std::string& failure = one.tap().failure();
    if (failure.empty()) return;
    if (one.tap().is_timed_out() && ++tap.turn < kMostTries) continue;
    throw RunError(fmt::format("{}: {}: {}; go on with --resume, or correct the query: {}",
                               url->text, tap.about, failure, tap.adql));
  }
}

void TapCatalog::count_rows() {
  tap_catalog::Count count;
  ask(tap_catalog::count_query(selection()), "the number of rows",
      [&](const qsohost::TapAnswer& answer) { count = tap_catalog::read_count(answer); });
  if (count.with_id < count.rows) {
    const std::string& id = *of_objects_.id;
    throw RunError(fmt::format(
        "{}: {} of {} rows have no identifier (column '{}', option 'id'); leave them out: {} IS "
        "NOT "
        "NULL",
        url->text, count.rows - count.with_id, count.rows, id, qsohost::adql_name(id)));
  }
  total_ = count.rows;
}

void TapCatalog::first_page() {
  ask(tap_catalog::page_query(selection(), rows_a_page(), ""), "the first rows",
      [&](const qsohost::TapAnswer& answer) {
        if (*total_ == 0) return reader_->read_empty(answer);
        page_ = reader_->read(answer, std::nullopt);
      });
  received_ = page_.rows;
}

// False at the end. A page that is shorter than it may be is no sign of it, because services cut
// their answers: all rows that were counted must be there.
bool TapCatalog::next_page() {
  if (has_ended_ || *total_ == 0) return false;
  if (received_ < *total_ || page_.is_cut) {
    const Column last = tap_catalog::last_id(page_);
    ask(tap_catalog::page_query(selection(), rows_a_page(), tap_catalog::literal(last)),
        fmt::format("rows after {}", received_),
        [&](const qsohost::TapAnswer& answer) { page_ = reader_->read(answer, last); });
    received_ += page_.rows;
    next_ = 0;
    if (page_.rows > 0 && received_ <= *total_) return true;
  }
  has_ended_ = true;
  if (received_ == *total_) return false;
  throw RunError(fmt::format(
      "{}: the archive counts {} rows, but its pages have {}: either the table has changed "
      "meanwhile (begin anew, --restart), or the service cuts before it orders (ask for all rows "
      "at "
      "once: mode = \"async\", page_rows = {})",
      url->text, *total_, received_, std::max(*total_, received_) + 1));
}

bool TapCatalog::read(qsohost::Batch& batch) {
  std::uint64_t rows = 0;
  while (rows < batch.capacity()) {
    if (next_ == page_.rows && !next_page()) break;
    const std::uint64_t count = std::min(batch.capacity() - rows, page_.rows - next_);
    for (const Column& from : page_.columns) {
      Column& to = batch.objects().at(from.name());
      if (rows == 0) to = Column(from.info());  // the host's lacks the description
      to.append_cells(from, next_, count);
    }
    rows += count;
    next_ += count;
  }
  return rows > 0;
}

void TapCatalog::close() noexcept {
  reader_.reset();
  total_.reset();
  page_ = {};
}

}  // namespace

QSOHOST_PLUGIN("tap-catalog", QSOHOST_VERSION,
               qsohost::stage<TapCatalog>("tap-catalog",
                                          "objects from a table of a TAP service, or a query"));
