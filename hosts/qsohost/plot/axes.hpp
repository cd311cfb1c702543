// Axes and colour bars: lines, ticks, labels.
#pragma once

#include <string>
#include <vector>

#include "plot/frame.hpp"
#include "plot/ticks.hpp"

namespace qsohost::plot {

constexpr double kTickFont = 11, kLabelFont = 12.5;

// Room that the texts of y's ticks need, px.
double widest_tick(const Ticks& ticks);

Ticks x_ticks(const Frame& frame);
Ticks y_ticks(const Frame& frame);

void draw_x_axis(const Axis& axis, const Frame& frame, std::string& out);
void draw_y_axis(const Axis& axis, const Frame& frame, double label_x, std::string& out);
// The names of categories instead of y's ticks; one line each, cut to the width if too long.
void draw_categories(const std::vector<std::string>& names, const Frame& frame, double width,
                     std::string& out);
void draw_box(const Frame& frame, std::string& out);

// Of the layers that have colours by value, to the right of the area.
constexpr double kColourBarWidth = 78;
std::size_t count_colour_bars(const Figure& figure);
void draw_colour_bars(const Figure& figure, const Frame& frame, std::string& out);

}  // namespace qsohost::plot
