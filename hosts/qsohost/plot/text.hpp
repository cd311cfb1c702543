// Numbers and lines of text in figures.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace qsohost::plot {

// At most so many significant digits, with a point whatever the locale; "" if not finite.
std::string number(double value, int digits = 6);

// Appends a length in pixels, to a tenth, clamped to where every viewer can still draw.
void append_px(std::string& out, double px);
std::string px(double px);

// About how wide a text is in a sans-serif font, in pixels.
double text_width(std::string_view text, double font_size);
// Breaks a text into lines of about this width, at blanks if there are any; what does not fit into
// `max_lines` ends in an ellipsis. At least one line.
std::vector<std::string> wrapped(std::string_view text, double width, double font_size,
                                 std::size_t max_lines);

// A <text> element; anchor: "start", "middle" or "end".
std::string text_element(double x, double y, std::string_view anchor, std::string_view css_class,
                         std::string_view text);

}  // namespace qsohost::plot
