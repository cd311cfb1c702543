#include "qsohost/io/crossmatch_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "qsohost/batch.hpp"
#include "qsohost/context.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/identifiers.hpp"
#include "qsohost/io/input_columns.hpp"
#include "qsohost/names.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline io_v1 {

namespace {

// The identifiers of these rows (source_id as in batches). Throws RunError if one is missing.
Column ids_of(CrossmatchInput& input, std::size_t column, std::span<const std::uint64_t> rows) {
  constexpr std::size_t at_once = 4096;
  Column ids = id_column(Column(input.info(column)));
  for (std::size_t i = 0; i < rows.size(); i += at_once) {
    const auto part = rows.subspan(i, std::min(at_once, rows.size() - i));
    const Column read = id_column(input.read(part, std::span(&column, 1))[0]);
    for (std::size_t k = 0; k < part.size(); ++k) {
      if (!id_is_missing(read, k)) continue;
      throw RunError(fmt::format(
          "{}: {} matches, but its identifier (column '{}', option 'id') is missing; give one or "
          "remove the row",
          input.name(), input.table().place(part[k]), input.columns().columns[column]));
    }
    ids.append_cells(read, 0, read.size());
  }
  return ids;
}

// Ranks of identifiers, from 0: integers by value, texts by bytes; equal ones have equal ranks.
std::vector<std::uint32_t> ranks_of(const Column& ids) {
  std::vector<std::uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), std::uint32_t{0});
  std::vector<std::uint32_t> ranks(ids.size());
  const auto rank_by = [&](const auto& key) {
    std::ranges::sort(order, {}, key);
    std::uint32_t rank = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (i > 0 && key(order[i]) != key(order[i - 1])) ++rank;
      ranks[order[i]] = rank;
    }
  };
  if (ids.dtype() == DType::String) {
    rank_by([&](std::uint32_t i) { return ids.strings()[i]; });
  } else {
    rank_by([values = ids.values<std::int64_t>()](std::uint32_t i) { return values[i]; });
  }
  return ranks;
}

}  // namespace

CrossmatchTables::CrossmatchTables(CrossmatchInput left, CrossmatchInput right,
                                   const CrossmatchOptions& options, Context& context)
    : left_(std::move(left)),
      right_(std::move(right)),
      options_(&options),
      id_(crossmatch_id(right_.columns(), options)),
      layout_(crossmatch_layout(left_.columns(), right_.columns(), options)) {
  // Of a text without rows no types are known.
  if (right_.table().rows() > 0) check_id_type(right_.table().columns()[id_], right_.name());
  for (const CrossmatchInput* input : {&left_, &right_}) {
    for (const std::string& warning : input->table().warnings()) context.warn(warning);
  }
  leave_out_unreadable(context);
}

ColumnInfo CrossmatchTables::info_of(const CrossmatchColumn& column) const {
  return (column.is_right ? right_ : left_).info(column.position);
}

// Whether option `columns` asks for this column by its name, not by "all" or "gaia.*".
bool CrossmatchTables::is_named(const CrossmatchColumn& column) const {
  const std::string& name = (column.is_right ? right_ : left_).columns().columns[column.position];
  const std::string full =
      fmt::format("{}.{}", (*options_->prefixes)[column.is_right ? 1 : 0], name);
  return std::ranges::any_of(*options_->columns, [&](const std::string& entry) {
    const std::string wanted = lower_case(entry);
    return wanted == lower_case(name) || wanted == lower_case(full);
  });
}

// Columns that cannot be read are left out with a warning, unless they are asked for.
void CrossmatchTables::leave_out_unreadable(Context& context) {
  std::string problems;
  std::erase_if(layout_.columns, [&](const CrossmatchColumn& column) {
    const CrossmatchInput& input = column.is_right ? right_ : left_;
    const InputColumn& field = input.table().columns()[column.position];
    const std::string problem = column_problem(field);
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

void CrossmatchTables::set_pairs(std::vector<MatchPair> pairs, Context& context) {
  pairs_ = std::move(pairs);
  next_ = 0;
  if (!pairs_.empty()) {
    const std::vector<std::uint64_t> rows = right_rows(pairs_);
    set_ranks(pairs_, ranks_of(ids_of(right_, id_, rows)));
  }
  found_ = choose_pairs(pairs_, *options_->match, *options_->unique);
  report_pairs(context, left_.rows(), right_.rows(), found_, *options_);
}

void declare_crossmatch(Ports& ports) {
  ports.adds({"", "source_id", std::nullopt, "", "identifier of the object"});
  for (Port& port : crossmatch_ports({})) ports.adds(std::move(port));
  ports.adds_unknown();
}

void CrossmatchTables::declare(Ports& ports) const {
  for (const CrossmatchColumn& column : layout_.columns) {
    const ColumnInfo info = info_of(column);
    const bool is_id = column.is_right && column.position == id_;
    const bool is_integer_id = is_id && info.dtype != DType::String;
    ports.adds({"", column.name, is_integer_id ? DType::I64 : info.dtype, info.unit,
                info.description, 0, info.width});
  }
  for (Port& port : crossmatch_ports(layout_)) ports.adds(std::move(port));
}

std::uint64_t CrossmatchTables::seek(std::uint64_t first) {
  return next_ = std::min<std::uint64_t>(first, pairs_.size());
}

// The columns of one table that the layout names, then its RA and dec.
std::vector<Column> CrossmatchTables::gather(CrossmatchInput& input, bool is_right,
                                             std::span<const MatchPair> pairs) const {
  std::vector<std::size_t> columns;
  for (const CrossmatchColumn& column : layout_.columns) {
    if (column.is_right == is_right) columns.push_back(column.position);
  }
  columns.push_back(input.ra());
  columns.push_back(input.dec());
  std::vector<std::uint64_t> rows;
  for (const MatchPair& pair : pairs) rows.push_back(is_right ? pair.right : pair.left);
  return input.read(rows, columns);
}

bool CrossmatchTables::read(Batch& batch) {
  const std::size_t count = std::min(batch.capacity(), pairs_.size() - next_);
  if (count == 0) return false;
  const std::span<const MatchPair> pairs = std::span(pairs_).subspan(next_, count);
  std::vector<Column> columns = gather(left_, false, pairs);
  columns.erase(columns.end() - 2, columns.end());  // the position is the right row's
  std::ranges::move(gather(right_, true, pairs), std::back_inserter(columns));
  for (std::size_t i = 0; i < layout_.columns.size(); ++i) {
    const CrossmatchColumn& column = layout_.columns[i];
    if (column.is_right && column.position == id_) columns[i] = id_column(columns[i]);
    columns[i].rename(column.name);
    batch.objects().at(column.name) = std::move(columns[i]);
  }
  Column& separation = batch.objects().at("match_separation");
  Column& matches = batch.objects().at("n_matches");
  for (const MatchPair& pair : pairs) {
    separation.append(pair.separation);
    matches.append(pair.n_matches);
  }
  const auto add_position = [&](const char* name, const Column& from) {
    Column& to = batch.objects().at(name);
    const double unit = *degrees_in(from.info().unit);
    for (std::size_t i = 0; i < count; ++i) to.append(unit * from.number(i));
  };
  if (layout_.adds_ra) add_position("ra", columns[columns.size() - 2]);
  if (layout_.adds_dec) add_position("dec", columns.back());
  next_ += count;
  return true;
}

Counts CrossmatchTables::counts() const {
  return crossmatch_counts(left_.rows(), right_.rows(), &found_);
}

}  // namespace qsohost::inline io_v1
