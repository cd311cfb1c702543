#include <fmt/format.h>

#include <array>
#include <cstdint>

#include "plot/figure.hpp"

namespace qsohost::plot {
namespace {

struct NamedStyle {
  std::string_view name;
  Style style;
};

// Blue bands are blue, red ones vermillion; what is often seen together differs in all three.
constexpr std::array<NamedStyle, 17> kBands{{{"u", {0, 3, 3}},
                                             {"g", {2, 0, 0}},
                                             {"r", {1, 1, 1}},
                                             {"i", {3, 2, 2}},
                                             {"z", {5, 3, 3}},
                                             {"y", {7, 7, 1}},
                                             {"gaia.g", {7, 6, 0}},
                                             {"bp", {0, 2, 1}},
                                             {"rp", {5, 7, 2}},
                                             {"b", {0, 2, 1}},
                                             {"v", {6, 4, 2}},
                                             {"c", {4, 3, 2}},
                                             {"o", {5, 7, 3}},
                                             {"w1", {3, 6, 1}},
                                             {"w2", {6, 5, 2}},
                                             {"j", {3, 3, 0}},
                                             {"k", {1, 4, 2}}}};

const Style* known_band(std::string_view name) {
  for (const NamedStyle& band : kBands) {
    if (band.name == name) return &band.style;
  }
  return nullptr;
}

// FNV-1a: equal on every machine.
std::uint32_t hash_of(std::string_view text) {
  std::uint32_t hash = 2166136261u;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  return hash;
}

struct Colour {
  std::string_view name, light, dark;
};

// Okabe and Ito's colours; on a light page the yellow is darker, on a dark one all are lighter.
// Their black, which is the text's, is a grey here.
constexpr std::array<Colour, 14> kColours{{{"c0", "#0072b2", "#4a9be8"},
                                           {"c1", "#d55e00", "#ff7f3f"},
                                           {"c2", "#009e73", "#2cc79b"},
                                           {"c3", "#cc79a7", "#e79ac6"},
                                           {"c4", "#56b4e9", "#8fd6ff"},
                                           {"c5", "#e69f00", "#ffbb45"},
                                           {"c6", "#b3a300", "#f0e442"},
                                           {"c7", "#5f6b76", "#aab4be"},
                                           {"ink", "#1b1f24", "#e6e9ec"},
                                           {"pale", "#b4bcc4", "#59626b"},
                                           {"muted", "#59636e", "#a3adb7"},
                                           {"frame", "#3d444d", "#8b949e"},
                                           {"grid", "#e2e6ea", "#30363d"},
                                           {"paper", "#ffffff", "#14181d"}}};

// A property with the light colour for programs that know no custom properties, and with the
// property for those that do.
std::string coloured(std::string_view property, std::string_view name) {
  for (const Colour& colour : kColours) {
    if (colour.name == name) {
      return fmt::format("{0}:{1};{0}:var(--plot-{2})", property, colour.light, name);
    }
  }
  return {};
}

std::string custom_properties(std::string_view Colour::*theme) {
  std::string text;
  for (const Colour& colour : kColours)
    text += fmt::format("--plot-{}:{};", colour.name, colour.*theme);
  return text;
}

// The dark end of the colour map would not be seen on a dark page.
constexpr const char* kDarkMap = "--plot-map:contrast(.65) brightness(1.25);";

constexpr const char* kShapes =
    R"(.plot .line{fill:none;stroke:currentColor;stroke-width:1.5;stroke-linejoin:round}
.plot .d1{stroke-dasharray:6 3}
.plot .d2{stroke-dasharray:1.5 2.5}
.plot .d3{stroke-dasharray:7 2.5 1.5 2.5}
.plot .dots{fill:none;stroke:currentColor}
.plot .round{stroke-linecap:round}
.plot .square{stroke-linecap:square}
.plot .mark{fill:currentColor}
.plot .open{fill:none;stroke:currentColor;stroke-width:1.2}
.plot .bar{fill:none;stroke:currentColor;stroke-opacity:.55}
.plot .fill{fill:currentColor;fill-opacity:.22}
.plot .block{fill:currentColor;fill-opacity:.85}
.plot .map{filter:var(--plot-map,none)}
.plot .title{font-size:14px;font-weight:600}
.plot .value{font-size:10.5px}
)";

}  // namespace

Style style_of_band(std::string_view group) {
  std::string name(group);
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (const Style* known = known_band(name)) return *known;
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) {
    const auto hash = static_cast<int>(hash_of(name) % 8);
    return {hash, hash, hash % 4};
  }
  // The same colour in every survey; the marker and the dash are the survey's.
  Style style = style_of_band(name.substr(dot + 1));
  const std::string survey = name.substr(0, dot);
  if (survey == "ztf" || survey == "gaia") return style;
  const auto shift = static_cast<int>(1 + hash_of(survey) % 3);
  return {style.colour, (style.marker + shift) % 8, (style.dash + shift) % 4};
}

Style style_of_series(std::size_t position) {
  // Neighbours as far apart as the palette allows.
  constexpr std::array<int, 8> kOrder{0, 1, 2, 5, 3, 4, 7, 6};
  const auto n = static_cast<int>(position % 32);
  return {kOrder[position % 8], n % 8, (n + n / 8) % 4};
}

std::string style_sheet() {
  std::string css = fmt::format(":root{{{}}}\n", custom_properties(&Colour::light));
  const std::string dark = custom_properties(&Colour::dark) + kDarkMap;
  // On screens only: paper is white.
  css += fmt::format(
      "@media screen and (prefers-color-scheme:dark){{:root:not([data-theme=light]){{{0}}}}}\n"
      "@media screen{{[data-theme=dark]{{{0}}}}}\n",
      dark);
  css +=
      ".plot{max-width:100%;height:auto;font:12px/1.2 Helvetica,Arial,\"Liberation "
      "Sans\",sans-serif}\n";
  for (const Colour& colour : kColours) {
    css += fmt::format(".plot .{}{{{}}}\n", colour.name, coloured("color", colour.name));
  }
  css += fmt::format(".plot text{{{}}}\n", coloured("fill", "ink"));
  css += fmt::format(".plot .paper{{{}}}\n", coloured("fill", "paper"));
  css += fmt::format(".plot .axis{{fill:none;{}}}\n", coloured("stroke", "frame"));
  css += fmt::format(".plot .grid{{fill:none;{}}}\n", coloured("stroke", "grid"));
  css += fmt::format(".plot .region{{fill-opacity:.13;{}}}\n", coloured("fill", "muted"));
  css += fmt::format(".plot .hatch{{{};stroke-opacity:.3}}\n", coloured("stroke", "muted"));
  css += fmt::format(".plot .name,.plot .value{{{};paint-order:stroke;stroke-width:3;{}}}\n",
                     coloured("fill", "ink"), coloured("stroke", "paper"));
  css += ".plot .name{font-size:11px;stroke-linejoin:round}\n";
  css += fmt::format(".plot .halo{{fill:none;stroke-width:3.5;stroke-opacity:.6;{}}}\n",
                     coloured("stroke", "paper"));
  css += fmt::format(".plot .empty{{font-size:14px;{}}}\n", coloured("fill", "muted"));
  return css + kShapes;
}

}  // namespace qsohost::plot
