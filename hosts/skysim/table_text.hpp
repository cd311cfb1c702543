// Table formats of archives: CSV, TSV, IPAC table and VOTable.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace qsohost::skysim {

enum class TextFormat { Csv, Tsv, Ipac, VoTable };
// "csv", "tsv", "ipac_table", "votable", ignoring case; none for other formats.
std::optional<TextFormat> text_format(std::string_view name);
std::string_view content_type(TextFormat format);

constexpr std::size_t kIpacWidth = 24;  // of a column; wider than any number

struct TextColumn {
  std::string_view name;
  std::string_view ipac_type;  // "long", "int", "double", "float", "char"
  std::string_view unit;
};

// Begins with the header, appends row after row; finish() ends it.
class TableText {
 public:
  TableText(TextFormat format, std::vector<TextColumn> columns);

  void begin_row();
  void integer(std::int64_t value);
  void hexadecimal(std::int64_t value);  // 0x5
  void number(double value);             // the shortest text that parses to the same number; NaN
  void number(float value);
  void text(std::string_view value);
  void end_row();
  std::string finish();

 private:
  template <class... Args>
  void cell(const char* format, Args... args);
  void header();

  TextFormat format_;
  std::vector<TextColumn> columns_;
  std::size_t column_ = 0;
  std::string out_;
};

// A VOTable that reports an error, like IRSA's services.
std::string error_votable(std::string_view message);

std::string lower(std::string_view text);

}  // namespace qsohost::skysim
