#include "page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include <qsohost/adql.hpp>
#include <qsohost/error.hpp>
#include <qsohost/io/identifiers.hpp>
#include <qsohost/io/input_table.hpp>

namespace tap_catalog {

namespace {

using qsohost::Cells;
using qsohost::Column;
using qsohost::InputTable;
using qsohost::RunError;
using qsohost::TryAgain;

// What cannot be read as a table was damaged on its way, for all that is known.
template <class Read>
auto trusting_no_damage(const Read& read) {
  try {
    return read();
  } catch (const RunError& e) {
    throw TryAgain(e.what());
  }
}

InputTable table_in(const std::string& name, const std::string& body) {
  InputTable table = trusting_no_damage([&] { return InputTable::in_response(name, body); });
  if (table.form() != "VOTable") throw TryAgain(name + " is no VOTable");
  return table;
}

bool is_same(const Column& a, std::size_t i, const Column& b, std::size_t k) {
  return qsohost::id_text(a, i) == qsohost::id_text(b, k);
}

bool is_as_before(const qsohost::ColumnInfo& now, const qsohost::ColumnInfo& first) {
  return now.name == first.name && now.dtype == first.dtype && now.unit == first.unit &&
         now.width == first.width;
}

// A count that is null, negative or a text is none.
std::uint64_t number_of_rows(const Column& column) {
  const double number = column.number(0);
  constexpr double most = 1e15;  // of which a double holds all digits
  if (number >= 0 && number <= most) return static_cast<std::uint64_t>(number);
  throw TryAgain(fmt::format("the number of rows ({}) is '{}'", column.name(), number));
}

}  // namespace

Count read_count(const qsohost::TapAnswer& answer) {
  InputTable table = table_in("the number of rows", answer.body);
  if (table.rows() != 1 || table.columns().size() != 2) {
    throw TryAgain(
        fmt::format("the number of rows was asked for, but the answer has {} rows of {} "
                    "columns",
                    table.rows(), table.columns().size()));
  }
  return trusting_no_damage([&] {
    const auto cells = table.read(0, 1, std::array<std::size_t, 2>{0, 1});
    return Count{number_of_rows(cells[0].values), number_of_rows(cells[1].values)};
  });
}

Page PageReader::read(const qsohost::TapAnswer& answer, const std::optional<Column>& begin) {
  InputTable table = table_in(name_, answer.body);
  const std::uint64_t rows = table.rows();
  if (rows == 0) throw TryAgain(name_ + " has no rows, but it must have some");
  choose(table);
  auto cells = trusting_no_damage([&] { return table.read(0, rows, chosen_->positions()); });
  Page page{chosen_->of_objects(std::move(cells)), rows, answer.is_overflow};
  check_rows(page.columns);
  if (!begin) return page;
  if (!is_same(page.columns.front(), 0, *begin, 0)) {
    throw TryAgain(fmt::format("{} begins with the identifier {}, but it must begin with {}", name_,
                               qsohost::id_text(page.columns.front(), 0),
                               qsohost::id_text(*begin, 0)));
  }
  std::vector<std::uint8_t> mask(rows, 1);
  mask.front() = 0;
  for (Column& column : page.columns) column.keep(mask);
  --page.rows;
  return page;
}

void PageReader::read_empty(const qsohost::TapAnswer& answer) {
  const InputTable table = table_in(name_, answer.body);
  if (table.rows() > 0) throw TryAgain(name_ + " has rows, but the archive counts none");
  choose(table);
}

// Later stages rely on the types of the first page.
void PageReader::choose(const InputTable& table) {
  std::vector<qsohost::ColumnInfo> now;
  for (const qsohost::InputColumn& column : table.columns()) now.push_back(column.info);
  if (chosen_) {
    if (std::ranges::equal(now, first_, is_as_before)) return;
    throw RunError(fmt::format(
        "{}: its columns have other names, types or units than those of the first page, so the "
        "table has changed; begin anew (--restart)",
        name_));
  }
  for (const std::string& warning : table.warnings()) warn_(warning);
  chosen_.emplace(table, names_, warn_);
  qsohost::check_id_type(table.columns()[chosen_->positions().front()], name_);
  first_ = std::move(now);
}

void PageReader::check_rows(const std::vector<Column>& columns) const {
  const Column& ids = columns[0];
  const bool is_text = ids.dtype() == qsohost::DType::String;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string id = qsohost::id_text(ids, i);
    if (qsohost::id_is_missing(ids, i)) {
      throw RunError(name_ + ": a row has no identifier; leave such rows out by a condition");
    }
    if (i > 0 && is_same(ids, i - 1, ids, i)) {
      throw RunError(fmt::format(
          "{}: the identifier {} is there twice, but each may be there once; choose another column "
          "(option 'id'), or rows by a condition",
          name_, id));
    }
    // How a service orders texts is its own affair.
    if (i > 0 && !is_text && ids.values<std::int64_t>()[i] < ids.values<std::int64_t>()[i - 1]) {
      throw RunError(fmt::format(
          "{}: the service does not order rows by their identifiers, so they cannot be read in "
          "pages; ask for all in one (page_rows)",
          name_));
    }
    const double ra = columns[1].values<double>()[i];
    const double dec = columns[2].values<double>()[i];
    if (const std::string problem = qsohost::position_problem(ra, dec); !problem.empty()) {
      throw RunError(
          fmt::format("{}: {}: {} (ra {}, dec {}, both in degrees); leave the row out by "
                      "a condition",
                      name_, id, problem, ra, dec));
    }
  }
}

Column last_id(const Page& page) {
  const Column& ids = page.columns.front();
  Column last(ids.info());
  last.append_cells(ids, ids.size() - 1, 1);
  return last;
}

std::string literal(const Column& id) {
  const std::string text = qsohost::id_text(id, 0);
  return id.dtype() == qsohost::DType::String ? qsohost::adql_literal(text) : text;
}

}  // namespace tap_catalog
