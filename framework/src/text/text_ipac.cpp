// IPAC tables: '\' keywords and comments, '|' header lines (names, types, units, nulls), then rows
// whose values stand between the bars.
// https://irsa.ipac.caltech.edu/applications/DDGEN/Doc/ipac_tbl.html
#include <algorithm>
#include <array>

#include "text/text_rows.hpp"

namespace qsohost::inline io_v1 {

namespace {

// Types may be shortened, to one letter. All digits that are written count, so a "real" has 64
// bits.
CellType type_of(std::string_view spelled) {
  constexpr std::array<std::pair<std::string_view, DType>, 7> kTypes{{{"integer", DType::I64},
                                                                      {"long", DType::I64},
                                                                      {"double", DType::F64},
                                                                      {"float", DType::F64},
                                                                      {"real", DType::F64},
                                                                      {"char", DType::String},
                                                                      {"date", DType::String}}};
  CellType out{.name = std::string(spelled)};
  const std::string type = lower_case(spelled);
  for (const auto& [name, dtype] : kTypes) {
    if (type.empty() || !name.starts_with(type)) continue;
    out.dtype = dtype;
    break;
  }
  return out;
}

class IpacReader : public LineReader {
 public:
  IpacReader(std::string_view text, char line_end, TableOrigin origin)
      : LineReader(text, line_end, origin) {
    read_header(text);
  }

  bool next(std::vector<std::string_view>& cells) override;

 private:
  void read_header(std::string_view text);
  void take_keyword(std::string_view line);
  void take_header_line(std::string_view line);
  void check_bars(std::string_view row) const;

  std::size_t header_lines_ = 0;
  std::vector<std::size_t> bars_;  // one more than columns
  std::vector<std::string> nulls_;
};

void IpacReader::read_header(std::string_view text) {
  std::string_view line;
  for (;;) {
    const std::string_view rest = lines_.rest();
    const bool more = !rest.empty() && (rest[0] == '\\' || rest[0] == '|' || is_blank(rest[0]));
    // The first row starts with a blank too, below the first bar.
    if (!more || (is_blank(rest[0]) && header_lines_ > 0)) break;
    lines_.next(line);
    line_ = lines_.number();
    if (line.starts_with('\\')) take_keyword(line.substr(1));
    if (line.starts_with('|')) {
      require_line_end(lines_, origin_);
      take_header_line(line);
    }
  }
  if (header_lines_ == 0) {
    broken(origin_,
           fmt::format("an IPAC table without the '|' header line that it must have; it says: {}",
                       excerpt(text)));
  }
  types_.resize(columns_.size());
  nulls_.resize(columns_.size());
}

// name = value, or a comment, which has a blank first.
void IpacReader::take_keyword(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos || is_blank(line.front())) return;
  std::string_view value = trimmed(line.substr(equals + 1));
  for (const char quote : {'\'', '"'}) {
    if (value.size() > 1 && value.front() == quote && value.back() == quote) {
      value = trimmed(value.substr(1, value.size() - 2));
      break;
    }
  }
  keywords_.emplace_back(trimmed(line.substr(0, equals)), value);
}

void IpacReader::take_header_line(std::string_view line) {
  std::vector<std::size_t> bars;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '|') bars.push_back(i);
  }
  if (header_lines_ == 0) bars_ = bars;
  if (bars != bars_ || bars.size() < 2) {
    throw BadObject(
        fmt::format("line {}: the bars of the header lines must stand one above "
                    "the other",
                    line_));
  }
  if (header_lines_ == 4) {
    throw BadObject(fmt::format(
        "line {}: a fifth header line; there can be those of names, types, units and nulls only",
        line_));
  }
  for (std::size_t i = 0; i + 1 < bars.size(); ++i) {
    const std::string_view cell = trimmed(line.substr(bars[i] + 1, bars[i + 1] - bars[i] - 1));
    if (header_lines_ == 0) add_field({.name = std::string(cell)});
    if (header_lines_ == 1) {
      types_.push_back(type_of(cell));
      fields_[i].is_text = types_.back().dtype == DType::String;
    }
    if (header_lines_ == 2) fields_[i].unit = cell;
    if (header_lines_ == 3) nulls_.emplace_back(cell);
  }
  ++header_lines_;
}

bool IpacReader::next(std::vector<std::string_view>& cells) {
  std::string_view row;
  if (!lines_.next(row)) return false;
  line_ = lines_.number();
  require_line_end(lines_, origin_);
  check_bars(row);
  cells.clear();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    const std::size_t begin = std::min(bars_[i] + 1, row.size());
    std::string_view cell = trimmed(row.substr(begin, bars_[i + 1] - bars_[i] - 1));
    if (!nulls_[i].empty() && cell == nulls_[i]) cell = {};
    cells.push_back(cell);
  }
  return true;
}

// A value across a bar would be split and read as two wrong numbers.
void IpacReader::check_bars(std::string_view row) const {
  for (const std::size_t bar : bars_) {
    if (bar >= row.size() || is_blank(row[bar])) continue;
    throw BadObject(
        fmt::format("line {}: a value stands across the bar at character {}; values must stand "
                    "between bars: {}",
                    line_, bar + 1, excerpt(row)));
  }
  if (row.size() > bars_.back() && !trimmed(row.substr(bars_.back())).empty()) {
    throw BadObject(fmt::format(
        "line {}: text behind the last bar, at character {}; values must stand between bars: {}",
        line_, bars_.back() + 1, excerpt(row)));
  }
}

}  // namespace

std::unique_ptr<LineReader> read_ipac(std::string_view text, char line_end, TableOrigin origin) {
  return std::make_unique<IpacReader>(text, line_end, origin);
}

}  // namespace qsohost::inline io_v1
