#include "plot/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "plot/escape.hpp"

namespace qsohost::plot {
namespace {

// In units of the font's size, as in DejaVu Sans; Helvetica and its kin are narrower.
double character_width(const std::string& character) {
  if (character.size() > 2) return 0.9;  // beyond Greek: perhaps of full width
  const char c = character[0];
  if (std::string_view("ijl.,:;|'!ft()[] ").find(c) != std::string_view::npos) return 0.37;
  if (std::string_view("mwMW@%").find(c) != std::string_view::npos) return 0.96;
  if (c >= 'A' && c <= 'Z') return 0.7;
  return 0.62;
}

}  // namespace

std::string number(double value, int digits) {
  if (!std::isfinite(value)) return {};
  if (value == 0) return "0";  // not "-0"
  std::string text(32, '\0');
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value,
                                 std::chars_format::general, digits);
  text.resize(static_cast<std::size_t>(end.ptr - text.data()));
  return text;
}

void append_px(std::string& out, double px) {
  const auto tenths = std::isnan(px) ? 0 : std::lround(std::clamp(px, -1e5, 1e5) * 10);
  if (tenths < 0) out += '-';
  out += std::to_string(std::abs(tenths) / 10);
  if (tenths % 10 != 0) {
    out += '.';
    out += static_cast<char>('0' + std::abs(tenths) % 10);
  }
}

std::string px(double px) {
  std::string out;
  append_px(out, px);
  return out;
}

double text_width(std::string_view text, double font_size) {
  double width = 0;
  for (const std::string& character : characters(text)) width += character_width(character);
  return width * font_size;
}

std::vector<std::string> wrapped(std::string_view text, double width, double font_size,
                                 std::size_t max_lines) {
  std::vector<std::string> lines(1);
  double used = 0;
  for (const std::string& character : characters(text)) {
    const double more = character_width(character) * font_size;
    std::string& line = lines.back();
    if (used + more > width && !line.empty()) {
      if (lines.size() == max_lines) {
        line += "\xE2\x80\xA6";
        return lines;
      }
      const std::size_t blank = line.rfind(' ');
      std::string rest = blank == std::string::npos ? "" : line.substr(blank + 1);
      if (blank != std::string::npos) line.resize(blank);
      used = text_width(rest, font_size);
      lines.push_back(std::move(rest));
    }
    lines.back() += character;
    used += more;
  }
  return lines;
}

std::string text_element(double x, double y, std::string_view anchor, std::string_view css_class,
                         std::string_view text) {
  return fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"{}\" class=\"{}\">{}</text>\n", px(x),
                     px(y), anchor, css_class, html_escaped(text));
}

}  // namespace qsohost::plot
