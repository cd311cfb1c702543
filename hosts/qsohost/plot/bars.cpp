#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "plot/draw.hpp"
#include "plot/text.hpp"

namespace qsohost::plot {

void draw_bars(const BarPlaces& bars, const Frame& frame, std::string& out) {
  if (bars.categories == 0) return;
  const double category = frame.area.height / static_cast<double>(bars.categories);
  const double thick = 0.76 * category / static_cast<double>(bars.slots);
  for (const BarPlace& place : bars.places) {
    std::string path, values;
    for (std::size_t i = 0; i < place.to.size(); ++i) {
      const double top = frame.area.top + category * (static_cast<double>(i) + 0.12) +
                         thick * static_cast<double>(place.slot);
      const double from = frame.x.px_clamped(place.from[i]);
      const double to = frame.x.px_clamped(place.to[i]);
      if (to != from) {
        path += fmt::format("M{} {}H{}v{}H{}z", px(from), px(top), px(to), px(thick), px(from));
      }
      if (!bars.are_stacked() && thick >= 9) {
        const double value = place.bars->values[i];
        values += text_element(std::max(from, to) + 4, top + thick / 2 + 3.5, "start", "value",
                               number(value, value == std::round(value) ? 9 : 3));
      }
    }
    out += fmt::format("<path class=\"{} block\" d=\"{}\"/>\n{}", colour_class(place.bars->style),
                       path, values);
  }
}

}  // namespace qsohost::plot
