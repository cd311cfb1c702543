// Cross-match of two tables on the sky: the rules are those of qsohost/io/crossmatch.hpp.
//
// The places of the table with fewer rows are kept in memory (24 bytes a row), the other table is
// streamed. Pairs use 32 bytes each; rows are read again, by number, when their batch is due. So
// memory does not grow with the larger table.
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <qsohost/io/crossmatch.hpp>
#include <qsohost/io/identifiers.hpp>
#include <qsohost/io/input_columns.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/names.hpp>
#include <qsohost/plugin.hpp>

#include "condition.hpp"
#include "input.hpp"
#include "pairs.hpp"

namespace {

using crossmatch::Condition;
using crossmatch::Input;
using crossmatch::Pair;
using crossmatch::Place;
using qsohost::Column;
using qsohost::ColumnInfo;
using qsohost::DType;
using qsohost::RunError;

class FitsCrossmatch final : public qsohost::Source {
 public:
  void validate() const override { cross.validate(); }
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  std::vector<qsohost::Input> fingerprint() const override {
    return {qsohost::file_input(left->text), qsohost::file_input(right->text)};
  }
  void open(qsohost::Context& context) override;
  bool read(qsohost::Batch& batch) override;
  std::uint64_t seek(std::uint64_t first) override;
  std::optional<std::uint64_t> size() const override {
    if (!is_open()) return std::nullopt;
    return pairs_.size();
  }
  qsohost::Counts counts() const override {
    return qsohost::crossmatch_counts(rows_of(*left_), rows_of(*right_), &found_);
  }
  void close() noexcept override;

 private:
  static qsohost::CrossmatchRows rows_of(const Input& input) {
    return {input.name(), input.taken(), input.off_sky(), input.wrapped()};
  }
  bool is_open() const { return right_ != nullptr; }
  const ColumnInfo& info_of(const qsohost::CrossmatchColumn& column) const;
  bool is_named(const qsohost::CrossmatchColumn& column) const;
  void leave_out_unreadable(qsohost::Context& context);
  void find_pairs(qsohost::Context& context);
  void choose_pairs(qsohost::Context& context);
  int thread_count() const;
  std::vector<Column> gather(Input& input, bool is_right, std::span<const Pair> pairs) const;

  qsohost::Option<qsohost::Path> left{
      this, "left", qsohost::required,
      "table of quasars: FITS, VOTable, IPAC, ECSV, CSV or TSV, also gzipped"};
  qsohost::Option<qsohost::Path> right{this, "right", qsohost::required,
                                       "table of a survey, with identifiers; likewise"};
  qsohost::Option<std::string> left_hdu{
      this, "left_hdu", "",
      "HDU or TABLE of the left file, by name or number (\"2\"; the primary HDU is 0, the first "
      "TABLE 1); empty: the first table"};
  qsohost::Option<std::string> right_hdu{this, "right_hdu", "", "the same of the right file"};
  qsohost::CrossmatchOptions cross{this};
  qsohost::Option<std::int64_t> threads{this,
                                        "threads",
                                        0,
                                        "threads to match with; 0: one a core",
                                        {.min = 0, .max = 256, .affects_results = false}};

  std::unique_ptr<Input> left_;
  std::unique_ptr<Input> right_;
  std::size_t id_ = 0;  // field of the right table
  qsohost::CrossmatchLayout layout_;
  std::vector<Pair> pairs_;
  qsohost::CrossmatchPairs found_;
  std::size_t next_ = 0;
};

const ColumnInfo& FitsCrossmatch::info_of(const qsohost::CrossmatchColumn& column) const {
  return (column.is_right ? right_ : left_)->table().columns()[column.position].info;
}

void FitsCrossmatch::declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const {
  if (!is_open()) {
    ports.adds({"", "source_id", std::nullopt, "", "identifier of the object"});
    for (qsohost::Port& port : qsohost::crossmatch_ports({})) ports.adds(std::move(port));
    return ports.adds_unknown();
  }
  for (const qsohost::CrossmatchColumn& column : layout_.columns) {
    const ColumnInfo& info = info_of(column);
    const bool is_id = column.is_right && column.position == id_;
    const bool is_integer_id = is_id && info.dtype != DType::String;
    ports.adds({"", column.name, is_integer_id ? DType::I64 : info.dtype, info.unit,
                info.description, 0, info.width});
  }
  for (qsohost::Port& port : qsohost::crossmatch_ports(layout_)) ports.adds(std::move(port));
}

// Whether option `columns` asks for this column by its name, not by "all" or "gaia.*".
bool FitsCrossmatch::is_named(const qsohost::CrossmatchColumn& column) const {
  const std::string& name = (column.is_right ? right_ : left_)->columns().columns[column.position];
  const std::string full = fmt::format("{}.{}", (*cross.prefixes)[column.is_right ? 1 : 0], name);
  return std::ranges::any_of(*cross.columns, [&](const std::string& entry) {
    const std::string wanted = qsohost::lower_case(entry);
    return wanted == qsohost::lower_case(name) || wanted == qsohost::lower_case(full);
  });
}

// Columns that cannot be read are left out with a warning, unless they are asked for.
void FitsCrossmatch::leave_out_unreadable(qsohost::Context& context) {
  std::string problems;
  std::erase_if(layout_.columns, [&](const qsohost::CrossmatchColumn& column) {
    const Input& input = column.is_right ? *right_ : *left_;
    const qsohost::InputColumn& field = input.table().columns()[column.position];
    const std::string problem = qsohost::column_problem(field);
    if (problem.empty()) return false;
    if (is_named(column)) {
      problems += fmt::format("{}: column '{}' (option 'columns') cannot be taken: {}\n",
                              input.name(), field.info.name, problem);
    } else {
      context.warn(
          fmt::format("{}: column '{}' is left out: {}", input.name(), field.info.name, problem));
    }
    return true;
  });
  if (!problems.empty()) throw RunError(problems + "leave them out of option 'columns'");
}

void FitsCrossmatch::open(qsohost::Context& context) {
  auto left_input = std::make_unique<Input>(
      left->text, *left_hdu,
      Input::PositionNames{*cross.left_ra, *cross.left_dec, "left_ra", "left_dec"});
  auto right_input = std::make_unique<Input>(
      right->text, *right_hdu,
      Input::PositionNames{*cross.right_ra, *cross.right_dec, "right_ra", "right_dec"});
  id_ = qsohost::find_id(right_input->table(), *cross.id);
  layout_ = qsohost::crossmatch_layout(left_input->columns(), right_input->columns(), cross);
  left_ = std::move(left_input);
  right_ = std::move(right_input);
  for (const Input* input : {left_.get(), right_.get()}) {
    for (const std::string& warning : input->table().warnings()) context.warn(warning);
  }
  leave_out_unreadable(context);
  find_pairs(context);
  choose_pairs(context);
}

int FitsCrossmatch::thread_count() const {
  if (*threads > 0) return static_cast<int>(*threads);
  return static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
}

void FitsCrossmatch::find_pairs(qsohost::Context& context) {
  pairs_.clear();
  next_ = 0;
  std::optional<Condition> where;
  if (!cross.where->empty()) where.emplace(left_->table(), left_->name(), *cross.where);
  const bool left_is_larger = left_->table().rows() > right_->table().rows();
  const auto scan = [&](Input& input, const auto& see) {
    const Condition* condition = &input == left_.get() && where ? &*where : nullptr;
    input.for_each_block(condition, [&](std::span<const Place> places) {
      if (context.stop_requested()) throw qsohost::TryAgain("stopped while matching");
      see(places);
    });
    report_positions(context, rows_of(input), fmt::format("row {}", input.first_off_sky() + 1));
  };
  std::vector<Place> kept;
  scan(left_is_larger ? *right_ : *left_, [&](std::span<const Place> places) {
    kept.insert(kept.end(), places.begin(), places.end());
  });
  const crossmatch::Zones zones(std::exchange(kept, {}), *cross.radius_arcsec);
  const auto indexed = left_is_larger ? crossmatch::Indexed::Right : crossmatch::Indexed::Left;
  scan(left_is_larger ? *left_ : *right_, [&](std::span<const Place> places) {
    crossmatch::find_pairs(zones, indexed, places, thread_count(), pairs_);
  });
}

void FitsCrossmatch::choose_pairs(qsohost::Context& context) {
  const std::vector<std::uint64_t> rows = crossmatch::right_rows(pairs_);
  crossmatch::set_ranks(pairs_, crossmatch::ranks_of(crossmatch::ids_of(*right_, id_, rows)));
  const std::size_t found = pairs_.size();
  const crossmatch::Chosen chosen =
      crossmatch::choose(pairs_, *cross.match == qsohost::PairsKept::Nearest, *cross.unique);
  found_ = {chosen.left_rows, found, pairs_.size(), chosen.contested};
  report_pairs(context, rows_of(*left_), rows_of(*right_), found_, cross);
}

// The columns of one table that the layout names, then its RA and dec.
std::vector<Column> FitsCrossmatch::gather(Input& input, bool is_right,
                                           std::span<const Pair> pairs) const {
  std::vector<std::size_t> fields;
  for (const qsohost::CrossmatchColumn& column : layout_.columns) {
    if (column.is_right == is_right) fields.push_back(column.position);
  }
  fields.push_back(input.ra());
  fields.push_back(input.dec());
  std::vector<std::uint64_t> rows;
  for (const Pair& pair : pairs) rows.push_back(is_right ? pair.right : pair.left);
  std::vector<Column> columns;
  for (qsohost::Cells& cells : input.table().read(rows, fields)) {
    columns.push_back(std::move(cells.values));
  }
  return columns;
}

std::uint64_t FitsCrossmatch::seek(std::uint64_t first) {
  return next_ = std::min<std::uint64_t>(first, pairs_.size());
}

bool FitsCrossmatch::read(qsohost::Batch& batch) {
  const std::size_t count = std::min(batch.capacity(), pairs_.size() - next_);
  if (count == 0) return false;
  const std::span<const Pair> pairs = std::span(pairs_).subspan(next_, count);
  std::vector<Column> columns = gather(*left_, false, pairs);
  columns.erase(columns.end() - 2, columns.end());  // the position is the right row's
  std::ranges::move(gather(*right_, true, pairs), std::back_inserter(columns));
  for (std::size_t i = 0; i < layout_.columns.size(); ++i) {
    const qsohost::CrossmatchColumn& column = layout_.columns[i];
    if (column.is_right && column.position == id_) columns[i] = qsohost::id_column(columns[i]);
    columns[i].rename(column.name);
    batch.objects().at(column.name) = std::move(columns[i]);
  }
  Column& separation = batch.objects().at("match_separation");
  Column& matches = batch.objects().at("n_matches");
  for (const Pair& pair : pairs) {
    separation.append(pair.separation);
    matches.append(pair.n_matches);
  }
  const auto add_position = [&](const char* name, const Column& from) {
    Column& to = batch.objects().at(name);
    const double unit = *qsohost::degrees_in(from.info().unit);
    for (std::size_t i = 0; i < count; ++i) to.append(unit * from.number(i));
  };
  if (layout_.adds_ra) add_position("ra", columns[columns.size() - 2]);
  if (layout_.adds_dec) add_position("dec", columns.back());
  next_ += count;
  return true;
}

void FitsCrossmatch::close() noexcept {
  left_.reset();
  right_.reset();
  pairs_ = {};
}

}  // namespace

QSOHOST_PLUGIN("fits-crossmatch", QSOHOST_VERSION,
               qsohost::stage<FitsCrossmatch>("fits-crossmatch",
                                              "pairs of rows of two tables in files, by position"));
