// How a text table is written: its form, what separates its cells, and where its header is.
#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "text/text_rows.hpp"

namespace qsohost::inline io_v1 {

inline constexpr std::array kSeparators{',', '\t', ';', ' '};
std::string_view name_of_separator(char separator);  // "commas", "blanks", ...

// The cells of a line, without blanks and quotes around them. No line end can be in a cell.
std::vector<std::string_view> cells_of(std::string_view line, char separator);

// Comma, tab or semicolon: which of them the line has most of; a blank if it has none.
char separator_of(std::string_view line);

enum class TextForm : std::uint8_t { Separated, Ecsv, Ipac };

struct TextLayout {
  TextForm form = TextForm::Separated;
  SeparatedLayout cells{};  // of ECSV and IPAC tables only the line end
};

// Throws BadObject if there is no header.
TextLayout find_layout(std::string_view text);

}  // namespace qsohost::inline io_v1
