// Writes products: FITS tables with one row per quasar. Every batch becomes a small table of the
// same form, a chunk; at the end the chunks are merged as a stream.
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <numeric>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <qsohost/io/fits.hpp>
#include <qsohost/plugin.hpp>
#include <qsohost/source_row.hpp>

#include "products.hpp"

namespace {

namespace fs = std::filesystem;
using products::Product;
using products::ProductColumn;
using qsohost::Batch;
using qsohost::Column;
using qsohost::RunError;
using qsohost::UsageError;

// Last column of chunks; not in products.
constexpr const char* kSortKey = "_sort_key";

class FitsSink final : public qsohost::Sink {
 public:
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  void open(qsohost::Context& context) override;
  void write(const Batch& batch, const qsohost::Chunk& chunk) override;
  void finish(std::span<const qsohost::Chunk> chunks, qsohost::Products& files) override;
  bool keeps_chunks() const override { return *keep_chunks; }

 private:
  products::Plan plan(const qsohost::Schema& schema) const;
  std::vector<qsohost::FitsColumn> columns_of(const Product& product, const Batch& batch) const;
  std::vector<std::size_t> rows_of(const Product& product, const Batch& batch) const;
  fs::path file_of(const Product& product, const qsohost::Chunk& chunk) const;
  std::optional<qsohost::TimeSystem> times_of(const Product& product) const;
  qsohost::FitsHeader header_of(const Product& product) const;
  qsohost::FitsOrder order_of(const Product& product) const;
  void report_replaced(const Product& product, const std::vector<qsohost::FitsReplaced>& replaced);
  void write_empty(const Product& product, const fs::path& file) const;
  void merge_parts(const Product& product, std::span<const fs::path> parts, const fs::path& file,
                   const qsohost::CheckPart& check) const;
  void merge(const Product& product, std::span<const qsohost::Chunk> chunks,
             const fs::path& file) const;

  qsohost::Option<std::string> what{
      this, "what", "catalog",
      "\"catalog\", \"targets\" (positions only), a survey (its epochs), the label of a fitter "
      "(its results, one file per group, or one in all if it fits them together), or one table of "
      "a stage's results, e.g. \"ztf.sources\""};
  qsohost::Option<std::string> path{
      this, "path", "",
      "file to write, from the run directory; {name} of the chain, {what}, {survey}, {group} and "
      "{band} are filled in; empty: {name}_catalog.fits, {name}_targets.fits, "
      "{name}_{survey}_lc.fits or {name}_{what}_{survey}_{band}.fits"};
  qsohost::Option<std::vector<std::string>> columns{
      this, "columns", std::vector<std::string>{},
      "columns besides identifier and position, as they are called in the chain; empty: all of a "
      "catalogue or fitter, the usual ones of a survey"};
  qsohost::Option<std::string> sort_by{
      this, "sort_by", "", "sort rows by this column of the objects; empty: order of the source"};
  qsohost::Option<bool> drop_empty{this, "drop_empty", false,
                                   "leave out objects without any epoch in this product"};
  qsohost::Option<bool> keep_chunks{
      this, "keep_chunks", false,
      "keep the tables of single batches when the run is done, for `qsohost merge` (shards)"};

  qsohost::Context* context_ = nullptr;
  qsohost::RunInfo run_;
  std::vector<Product> products_;
  std::set<std::pair<std::string, std::string>> replaced_;  // products and columns that are told of
};

products::Plan FitsSink::plan(const qsohost::Schema& schema) const {
  products::Plan plan = products::plan_products(*what, *columns, schema);
  for (std::string& problem : products::path_problems(plan.products, *path)) {
    plan.problems.push_back(std::move(problem));
  }
  for (const Product& product : plan.products) {
    std::string many = products::count_problem(product, order_of(product).drop_column, schema);
    if (!many.empty()) plan.problems.push_back(std::move(many));
  }
  for (const Product& product : plan.products) {
    if (*drop_empty && product.epochs.empty()) {
      plan.problems.push_back(
          fmt::format("drop_empty has no meaning for what = \"{}\", which has no epochs", *what));
      break;
    }
  }
  if (*what == "targets" && !columns->empty()) {
    plan.problems.push_back("what = \"targets\" has no other columns; use what = \"catalog\"");
  }
  return plan;
}

void FitsSink::declare(const qsohost::Schema& before, qsohost::Ports& ports) const {
  products::Plan plan = this->plan(before);
  for (std::string& problem : plan.problems) ports.problem(std::move(problem));
  for (const Product& product : plan.products) {
    ports.writes(products::path_of(product, *path, "{name}"));
    for (const ProductColumn& column : product.columns) {
      ports.reads({.group = column.from.group,
                   .name = column.from.name,
                   .dtype = std::nullopt,
                   .width = qsohost::kAnyWidth});
    }
  }
  ports.rows(fmt::format("sort_by = \"{}\", drop_empty = {}", *sort_by, *drop_empty));
  if (!sort_by->empty()) {
    ports.reads({"", *sort_by, std::nullopt, "", "option 'sort_by'"});
  }
}

void FitsSink::open(qsohost::Context& context) {
  context_ = &context;
  replaced_.clear();
  run_ = context.run();
  products::Plan plan = this->plan(run_.schema);
  if (!plan.problems.empty()) throw UsageError(plan.problems.front());
  products_ = std::move(plan.products);
}

fs::path FitsSink::file_of(const Product& product, const qsohost::Chunk& chunk) const {
  return run_.chunk_dir / chunk.file_name("fits", product.key());
}

std::vector<std::size_t> FitsSink::rows_of(const Product& product, const Batch& batch) const {
  std::vector<std::size_t> rows(batch.rows());
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  if (!*drop_empty) return rows;
  std::erase_if(rows, [&](std::size_t row) {
    return std::ranges::all_of(product.epochs, [&](const std::string& group) {
      return batch.group(group).slice(row).count == 0;
    });
  });
  return rows;
}

std::vector<qsohost::FitsColumn> FitsSink::columns_of(const Product& product,
                                                      const Batch& batch) const {
  std::vector<qsohost::FitsColumn> columns;
  const auto add = [&](const Column& values, std::string name, std::string description,
                       std::span<const std::uint64_t> offsets) {
    qsohost::ColumnInfo info = values.info();
    info.name = std::move(name);
    if (!description.empty()) info.description = std::move(description);
    columns.push_back({std::move(info), &values, offsets});
  };
  for (const ProductColumn& column : product.columns) {
    const qsohost::Port& from = column.from;
    if (from.group.empty()) {
      add(batch.objects().at(from.name), column.name, "", {});
    } else {
      const qsohost::Group& group = batch.group(from.group);
      add(group.at(from.name), column.name, from.help, group.offsets());
    }
  }
  if (order_of(product).drop_column) add(batch.objects().at(*sort_by), kSortKey, "", {});
  if (const Column* row = batch.objects().find(qsohost::kSourceRow)) {
    add(*row, qsohost::kSourceRow, "", {});
  }
  return columns;
}

void FitsSink::write(const Batch& batch, const qsohost::Chunk& chunk) {
  for (const Product& product : products_) {
    const fs::path file = file_of(product, chunk);
    const fs::path temporary = file.string() + ".part";
    report_replaced(product,
                    qsohost::write_fits_table(temporary, {product.key(), {}, {}},
                                              columns_of(product, batch), rows_of(product, batch)));
    qsohost::publish_file(temporary, file);
  }
}

void FitsSink::report_replaced(const Product& product,
                               const std::vector<qsohost::FitsReplaced>& replaced) {
  for (const auto& [column, first] : replaced) {
    if (column == kSortKey || !replaced_.emplace(product.key(), column).second) continue;
    context_->warn(
        fmt::format("column '{}' of '{}' holds characters that FITS cannot, which are written as "
                    "'?'; the first "
                    "such text is '{}'",
                    column, product.key(), first));
  }
}

// The time system of all light curves of the product, if they share one. A column of other times
// (`hjd` of ZTF, a Julian date) has its description alone: TCTYPn or TRPOSn would make it a time
// coordinate, which FITS counts from MJDREF (4.0, 9.2.2), the same for all columns.
std::optional<qsohost::TimeSystem> FitsSink::times_of(const Product& product) const {
  std::optional<qsohost::TimeSystem> times;
  for (const std::string& name : product.epochs) {
    const auto* group = run_.schema.find_group(name);
    if (group == nullptr || !group->info.time_system.is_known()) return std::nullopt;
    if (times && *times != group->info.time_system) return std::nullopt;
    times = group->info.time_system;
  }
  return times;
}

qsohost::FitsHeader FitsSink::header_of(const Product& product) const {
  qsohost::FitsHeader header{
      product.key(),
      {{"CHAIN", run_.chain_name, "name of the chain"},
       {"CHAINHSH", run_.chain_hash, "hash of all that decides the products"}},
      run_.history};
  if (const auto times = times_of(product)) {
    const auto add = [&](const char* name, std::string_view value, const char* comment) {
      header.keywords.push_back({name, std::string(value), comment});
    };
    add("TIMESYS", qsohost::fits_name_of(times->scale), "time scale");
    add("TREFPOS", qsohost::fits_name_of(times->place), "place of the times");
    add("TIMEUNIT", "d", "unit of times");
    header.keywords.push_back(
        {"MJDREF", "", "MJD at which times are 0", times->zero - qsohost::kMjdZero});
  }
  const auto epochs = qsohost::epoch_keywords(products::epochs_of(product, run_.schema));
  header.keywords.insert(header.keywords.end(), epochs.begin(), epochs.end());
  return header;
}

qsohost::FitsOrder FitsSink::order_of(const Product& product) const {
  if (sort_by->empty()) return {};
  for (const ProductColumn& column : product.columns) {
    if (column.from.group.empty() && column.from.name == *sort_by) return {column.name, false};
  }
  return {kSortKey, true};
}

// Without any batch the table is empty but has all its columns.
void FitsSink::write_empty(const Product& product, const fs::path& file) const {
  static constexpr std::uint64_t kNoRows[] = {0};
  std::deque<Column> values;
  std::vector<qsohost::FitsColumn> columns;
  for (const ProductColumn& column : product.columns) {
    const qsohost::Port& from = column.from;
    const qsohost::ColumnInfo info{column.name, from.dtype.value_or(qsohost::DType::F64), from.unit,
                                   from.help, from.width};
    columns.push_back({info, &values.emplace_back(info), {}});
    if (!from.group.empty()) columns.back().offsets = kNoRows;
  }
  qsohost::write_fits_table(file, header_of(product), columns, {});
}

// Chunks of shards by hash are put in the order of the source first.
void FitsSink::merge_parts(const Product& product, std::span<const fs::path> parts,
                           const fs::path& file, const qsohost::CheckPart& check) const {
  const qsohost::FitsHeader header = header_of(product);
  const qsohost::FitsOrder order = order_of(product);
  if (!qsohost::FitsTable(parts.front()).find(qsohost::kSourceRow)) {
    return qsohost::merge_fits_tables(parts, file, header, order, check);
  }
  const qsohost::FitsOrder of_source{qsohost::kSourceRow, true};
  if (order.column.empty()) {
    return qsohost::merge_fits_tables(parts, file, header, of_source, check);
  }
  const std::vector<fs::path> in_order{file.string() + ".in_order"};
  qsohost::merge_fits_tables(parts, in_order.front(), header, of_source, check);
  qsohost::merge_fits_tables(in_order, file, header, order);
  fs::remove(in_order.front());
}

void FitsSink::merge(const Product& product, std::span<const qsohost::Chunk> chunks,
                     const fs::path& file) const {
  std::vector<fs::path> parts;
  for (const qsohost::Chunk& chunk : chunks) parts.push_back(file_of(product, chunk));
  // A chunk whose row count differs from the ledger's objects would shift all later rows.
  const auto check = [&](std::size_t part, std::uint64_t rows) {
    const std::uint64_t objects = chunks[part].objects;
    if (rows == objects || (*drop_empty && rows < objects)) return;
    throw RunError(fmt::format(
        "{}: this chunk has {} rows, but the ledger of the run says {} objects; it is not what the "
        "run has written; do the run again (--restart)",
        parts[part].string(), rows, objects));
  };
  if (parts.empty()) {
    write_empty(product, file);
  } else {
    merge_parts(product, parts, file, check);
  }
  qsohost::verify_fits(file);
}

// The host removes chunks when no object is left to retry.
void FitsSink::finish(std::span<const qsohost::Chunk> chunks, qsohost::Products& files) {
  for (const Product& product : products_) {
    merge(product, chunks, files.part(products::path_of(product, *path, run_.chain_name)));
  }
}

}  // namespace

QSOHOST_PLUGIN("fits-sink", QSOHOST_VERSION,
               qsohost::stage<FitsSink>("fits-sink", "products: FITS tables, one row per object"));
