#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <optional>

#include "match/row_condition.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/crossmatch_tables.hpp"
#include "qsohost/io/input_columns.hpp"
#include "qsohost/io/text.hpp"
#include "qsohost/sphere.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::uint64_t kRowsAtOnce = 2048;           // wide rows have several kilobytes
constexpr std::size_t kBlock = std::size_t{1} << 17;  // places, to keep all threads busy

Column flags_of(const Column& texts) {
  ColumnInfo info = texts.info();
  info.dtype = DType::Bool;
  Column flags(std::move(info));
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string_view text = trimmed(texts.strings()[i]);
    if (texts.is_null(i) || is_missing(text)) {
      flags.append_null();
    } else {
      flags.append(std::tolower(static_cast<unsigned char>(text[0])) == 't');
    }
  }
  return flags;
}

// A pass over the positions of a table.
class Scan {
 public:
  Scan(InputTable& table, std::size_t ra, std::size_t dec, const RowCondition* condition)
      : table_(table), condition_(condition) {
    if (condition != nullptr) fields_ = condition->fields();
    fields_.push_back(ra);
    fields_.push_back(dec);
  }

  // Adds the places of these rows that are on the sky; counts all that are taken.
  void add_rows(std::uint64_t first, std::uint64_t count, std::vector<SkyPlace>& places,
                CrossmatchRows& rows, std::uint64_t& first_off_sky) {
    std::vector<Cells> cells = table_.read(first, count, fields_);
    const Column dec = std::move(cells.back().values);
    cells.pop_back();
    const Column ra = std::move(cells.back().values);
    cells.pop_back();
    const double ra_unit = *degrees_in(ra.info().unit);
    const double dec_unit = *degrees_in(dec.info().unit);
    std::vector<std::uint8_t> taken(count, 1);
    if (condition_ != nullptr) taken = condition_->test(cells, count, first);
    for (std::size_t i = 0; i < count; ++i) {
      if (taken[i] == 0) continue;
      ++*rows.rows;
      const double a = ra_unit * ra.number(i);
      const double d = dec_unit * dec.number(i);
      if (is_on_sky(a, d)) {
        places.push_back(place_of(a, d, first + i));
        if (a < 0 || a >= 360) ++rows.wrapped;
      } else if (rows.off_sky++ == 0) {
        first_off_sky = first + i;
      }
    }
  }

 private:
  InputTable& table_;
  const RowCondition* condition_;
  std::vector<std::size_t> fields_;
};

}  // namespace

SkyPlace place_of(double ra, double dec, std::uint64_t row) {
  return {wrapped_ra(ra), dec, row};
}

CrossmatchInput::CrossmatchInput(const Settings& settings)
    : table_(settings.path, settings.hdu),
      names_{settings.name.empty() ? settings.path : settings.name, table_.column_names(),
             settings.id, settings.is_position_added},
      ra_(find_position(settings.ra, settings.ra_option)),
      dec_(find_position(settings.dec, settings.dec_option)),
      rows_{names_.name} {
  for (std::size_t i = 0; i < names_.columns.size(); ++i) {
    if (std::ranges::find(settings.flags, names_.columns[i]) == settings.flags.end()) continue;
    if (table_.columns()[i].info.dtype == DType::String) flags_.push_back(i);
  }
}

std::size_t CrossmatchInput::find_position(const std::string& column,
                                           const std::string& option) const {
  const std::size_t position = find_column(table_, column, option);
  check_position_column(table_.columns()[position], name(), option);
  return position;
}

bool CrossmatchInput::is_flag(std::size_t column) const {
  return std::ranges::find(flags_, column) != flags_.end();
}

ColumnInfo CrossmatchInput::info(std::size_t column) const {
  ColumnInfo info = table_.columns()[column].info;
  if (is_flag(column)) info.dtype = DType::Bool;
  return info;
}

std::vector<Column> CrossmatchInput::read(std::span<const std::uint64_t> rows,
                                          std::span<const std::size_t> columns) {
  std::vector<Column> out;
  for (Cells& cells : table_.read(rows, columns)) {
    const bool is_text_of_flags = is_flag(columns[out.size()]);
    out.push_back(is_text_of_flags ? flags_of(cells.values) : std::move(cells.values));
  }
  return out;
}

void CrossmatchInput::for_each_block(const std::string& where,
                                     const std::function<void(std::span<const SkyPlace>)>& see) {
  std::optional<RowCondition> condition;
  if (!where.empty()) condition.emplace(table_, name(), where);
  Scan scan(table_, ra_, dec_, condition ? &*condition : nullptr);
  rows_ = {name(), 0};
  std::vector<SkyPlace> places;
  for (std::uint64_t first = 0; first < table_.rows(); first += kRowsAtOnce) {
    scan.add_rows(first, std::min(kRowsAtOnce, table_.rows() - first), places, rows_,
                  first_off_sky_);
    if (places.size() < kBlock) continue;
    see(places);
    places.clear();
  }
  see(places);
}

std::string CrossmatchInput::first_off_sky() const {
  return fmt::format("row {}", first_off_sky_ + 1);
}

}  // namespace qsohost::inline io_v1
