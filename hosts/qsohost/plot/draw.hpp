// How the layers of a figure are drawn: each appends its elements to the SVG.
#pragma once

#include <string>
#include <string_view>

#include "plot/frame.hpp"

namespace qsohost::plot {

void draw(const Points& points, const Frame& frame, std::string& out);
void draw(const ColouredPoints& points, const Frame& frame, std::string& out);
void draw(const Line& line, const Frame& frame, std::string& out);
void draw(const Steps& steps, const Frame& frame, std::string& out);
void draw(const Band& band, const Frame& frame, std::string& out);
void draw(const Region& region, const Frame& frame, std::string& out);
void draw(const Text& text, const Frame& frame, std::string& out);
void draw(const Density& density, const Frame& frame, std::string& out);
void draw_bars(const BarPlaces& bars, const Frame& frame, std::string& out);
// The map of the sky with its own grid; the frame is that of keep_sky_round (sky_map.hpp).
void draw_sky(const SkyCells& sky, const Frame& frame, std::string& out);

// "c1 d2": the CSS classes of a style's colour, and of its dash.
std::string colour_class(const Style& style);
std::string line_classes(const Style& style);
// Appends one marker to the path of a series, whose attributes are marker_attributes.
void append_marker(std::string& path, const Style& style, double x, double y, double size);
std::string marker_attributes(const Style& style, double size);

// Is there room for the region's name inside of it? Else its name is for the legend.
bool has_room_for_name(const Region& region, const Frame& frame);

}  // namespace qsohost::plot
