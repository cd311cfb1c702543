// IPAC tables: '\' keywords and comments, '|' header lines (names, types, units, nulls), then rows
// whose values stand between the bars.
// https://irsa.ipac.caltech.edu/applications/DDGEN/Doc/ipac_tbl.html
#include <algorithm>

#include "text/text_rows.hpp"

namespace qsohost::inline io_v1 {

namespace {

// Types may be shortened to "c".
bool is_text_type(std::string_view type) {
  return type == "char" || type == "c";
}

class IpacReader : public RowReader {
 public:
  IpacReader(std::string_view text, TableOrigin origin) : lines_(text), origin_(origin) {
    read_header(text);
  }

  bool next(std::vector<std::string_view>& cells) override;
  std::size_t line() const override { return line_; }

 private:
  void read_header(std::string_view text);
  void take_header_line(std::string_view line);
  void check_bars(std::string_view row) const;

  Lines lines_;
  TableOrigin origin_;
  std::size_t line_ = 0;
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
    if (line.starts_with('|')) {
      require_line_end(lines_, origin_);
      take_header_line(line);
    }
  }
  if (header_lines_ == 0) {
    broken(origin_,
           fmt::format("an IPAC table without a '|' header line; it says: {}", excerpt(text)));
  }
  nulls_.resize(columns_.size());
}

void IpacReader::take_header_line(std::string_view line) {
  std::vector<std::size_t> bars;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '|') bars.push_back(i);
  }
  if (header_lines_ == 0) bars_ = bars;
  if (bars != bars_ || bars.size() < 2) {
    throw BadObject(
        fmt::format("line {}: the bars of the header lines do not stand one above "
                    "the other",
                    line_));
  }
  for (std::size_t i = 0; i + 1 < bars.size(); ++i) {
    const std::string_view cell = trimmed(line.substr(bars[i] + 1, bars[i + 1] - bars[i] - 1));
    if (header_lines_ == 0) add_field({.name = std::string(cell)});
    if (header_lines_ == 1) fields_[i].is_text = is_text_type(cell);
    if (header_lines_ == 2) fields_[i].unit = cell;
    if (header_lines_ == 3) nulls_.emplace_back(cell);
  }
  ++header_lines_;
}

bool IpacReader::next(std::vector<std::string_view>& cells) {
  std::string_view row;
  if (!lines_.next(row)) return false;
  if (trimmed(row).empty() && trimmed(lines_.rest()).empty()) return false;
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
    throw BadObject(fmt::format("line {}: a value stands across the bar at character {}: {}", line_,
                                bar + 1, excerpt(row)));
  }
  if (row.size() > bars_.back() && !trimmed(row.substr(bars_.back())).empty()) {
    throw BadObject(fmt::format("line {}: text behind the last bar, at character {}: {}", line_,
                                bars_.back() + 1, excerpt(row)));
  }
}

}  // namespace

std::unique_ptr<RowReader> read_ipac(std::string_view text, TableOrigin origin) {
  return std::make_unique<IpacReader>(text, origin);
}

}  // namespace qsohost::inline io_v1
