#include <array>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdio>
#include <limits>
#include <pugixml.hpp>
#include <set>

#include "plot/figure.hpp"
#include "plot/png.hpp"
#include "plot/sky_map.hpp"

using namespace qsohost::plot;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Parses the SVG and checks what is true of every figure.
pugi::xml_document parsed(const std::string& text) {
  pugi::xml_document document;
  const auto result = document.load_buffer(text.data(), text.size());
  INFO(text.substr(0, 3000));
  REQUIRE(result);
  const pugi::xml_node root = document.child("svg");
  REQUIRE(root);
  std::set<std::string> ids;
  for (const auto& node : document.select_nodes("//*[@id]")) {
    CHECK(ids.insert(node.node().attribute("id").value()).second);
  }
  const std::string id = root.attribute("id").value();
  CHECK(root.attribute("aria-labelledby").value() == id + "-title " + id + "-desc");
  CHECK(root.attribute("role").value() == std::string("img"));
  for (const auto& node : document.select_nodes("//@*")) {
    const std::string name = node.attribute().name(), value = node.attribute().value();
    if (name == "href" || name == "aria-labelledby" || name == "id" || name == "class") continue;
    CHECK(value.find("nan") == std::string::npos);
    CHECK(value.find("inf") == std::string::npos);
  }
  return document;
}

std::string all_text(const pugi::xml_document& document) {
  std::string all;
  for (const auto& node : document.select_nodes("//text()"))
    all += node.node().value() + std::string("\n");
  return all;
}

bool says(const pugi::xml_document& document, const std::string& text) {
  return all_text(document).find(text) != std::string::npos;
}

Figure figure_of(std::vector<Layer> layers) {
  return {.id = "test", .title = "Title", .alt = "What is seen", .layers = std::move(layers)};
}

Density density(std::size_t columns, std::size_t rows) {
  Density grid{.label = "objects", .x_edges = {}, .y_edges = {}, .counts = {}};
  for (std::size_t i = 0; i <= columns; ++i) grid.x_edges.push_back(static_cast<double>(i));
  for (std::size_t i = 0; i <= rows; ++i) grid.y_edges.push_back(static_cast<double>(i));
  for (std::size_t i = 0; i < columns * rows; ++i)
    grid.counts.push_back(static_cast<double>(i % 7));
  return grid;
}

// One of each, each with a name.
std::vector<Layer> every_layer(const std::string& label) {
  Density grid = density(4, 3);
  grid.label = label;
  grid.contours = {0.5};
  return {grid,
          Points{.label = label, .x = {1, 2}, .y = {2, 1}, .y_low = {1, 0}, .y_high = {3, 2}},
          Line{.label = label + "1", .x = {1, kNaN, 2}, .y = {2, 1, 3}},
          Steps{.label = label + "2", .edges = {0, 1, 2}, .counts = {3, 4}, .is_filled = true},
          Band{.label = label + "3", .x = {0, 1}, .lower = {1, 1}, .upper = {2, 3}},
          ColouredPoints{.label = label + "4", .x = {1, 2}, .y = {1, 2}, .value = {5, 6}},
          Region{.label = label + "5", .x = {0, 4, 4}, .y = {0, 0, 3}},
          Text{.x = 1, .y = 1, .text = label + "6"}};
}

}  // namespace

TEST_CASE("each layer is drawn, with title, description and labels", "[plot]") {
  Figure figure = figure_of(every_layer("series"));
  figure.x.label = "tau (d)";
  figure.y.label = "sigma (mag)";
  const pugi::xml_document document = parsed(svg(figure));
  const pugi::xml_node root = document.child("svg");
  CHECK(root.child_value("title") == std::string("Title"));
  CHECK(root.child_value("desc") == std::string("What is seen"));
  for (const char* text : {"tau (d)", "sigma (mag)", "series1", "series2", "series3", "series6"}) {
    CHECK(says(document, text));
  }
  for (const char* css_class : {"bar", "dots round", "c0 line", "fill", "region", "halo"}) {
    CAPTURE(css_class);
    CHECK(document.select_node(
        ("//path[contains(@class,'" + std::string(css_class) + "')]").c_str()));
  }
  CHECK(document.select_nodes("//image").size() == 1);
  CHECK(document.select_nodes("//linearGradient").size() == 2);  // the colour bars
}

TEST_CASE("equal figures give equal bytes", "[plot]") {
  const Figure figure = figure_of(every_layer("series"));
  CHECK(svg(figure) == svg(Figure(figure)));
  CHECK(csv(figure) == csv(Figure(figure)));
}

TEST_CASE("hostile texts are harmless in every place", "[plot]") {
  const std::string hostile = "\"'></text><script>alert(1)</script>]]>&\x01\xFF\xC3\n--><!--";
  Figure figure = figure_of(every_layer(hostile));
  figure.title = figure.alt = figure.x.label = figure.y.label = hostile;
  figure.id = "a\"><script>";
  figure.layers.emplace_back(Bars{.label = hostile, .names = {hostile, hostile}, .values = {1, 2}});
  for (const std::string& text : {svg(figure), svg_file(figure)}) {
    CHECK(text.find("<script") == std::string::npos);
    const pugi::xml_document document = parsed(text);
    CHECK(document.select_nodes("//script").empty());
    CHECK(document.child("svg").attribute("id").value() == std::string("a---script-"));
  }
}

TEST_CASE("values that cannot be drawn are left out of the drawing", "[plot]") {
  for (const Scale scale : {Scale::Linear, Scale::Log}) {
    for (const double value :
         {kNaN, kInfinity, -kInfinity, 0.0, -1.0, 1e-320, 1e300, -1e300, 1e308}) {
      CAPTURE(value);
      const std::vector<double> v{value, 1, value};
      Density grid = density(2, 2);
      grid.counts = {value, value, 1, value};
      grid.contours = {value};
      Density edges = density(2, 2);
      edges.x_edges = v;
      Figure figure = figure_of(
          {Points{.label = "p", .x = v, .y = v, .x_low = v, .x_high = v, .y_low = v, .y_high = v},
           Line{.label = "l", .x = v, .y = v}, Band{.label = "b", .x = v, .lower = v, .upper = v},
           Steps{.label = "s", .edges = v, .counts = {value, value}},
           ColouredPoints{.label = "c", .x = v, .y = v, .value = v}, grid, edges,
           Region{.label = "r", .x = v, .y = v}, Text{.x = value, .y = value, .text = "t"}});
      figure.x.scale = figure.y.scale = scale;
      parsed(svg(figure));
      figure.x.min = value;
      figure.y.max = value;
      figure.y.is_reversed = true;
      parsed(svg(figure));
      figure.layers = {Bars{.label = "b", .names = {"a", "b"}, .values = {value, 1}}};
      parsed(svg(figure));
    }
  }
}

TEST_CASE("nothing, one point and equal values are figures as well", "[plot]") {
  CHECK(says(parsed(svg(figure_of({}))), "no data"));
  CHECK(says(parsed(svg(figure_of({Points{.label = "p", .x = {kNaN}, .y = {1}}}))), "no data"));
  CHECK(says(parsed(svg(Figure{})), "no data"));
  CHECK(says(parsed(svg(figure_of({Bars{.label = "b", .names = {}, .values = {}}}))), "no data"));
  CHECK(says(parsed(svg(sky_map("sky", "Sky", SkyCounts()))), "no data"));
  for (const double value : {0.0, 19.5, -3e200, 1e-310}) {
    const auto document =
        parsed(svg(figure_of({Points{.label = "", .x = {value, value}, .y = {value, value}}})));
    CHECK(!says(document, "no data"));
    CHECK(document.select_node("//path[@class='dots round']"));
  }
}

TEST_CASE("vectors of unequal length are drawn as far as they go", "[plot]") {
  Density grid = density(3, 3);
  grid.counts.resize(5);
  parsed(svg(figure_of({Points{.label = "p", .x = {1, 2, 3}, .y = {1}, .y_low = {0}, .y_high = {}},
                        Line{.label = "l", .x = {1, 2}, .y = {}}, grid,
                        Steps{.label = "s", .edges = {}, .counts = {1, 2}},
                        Bars{.label = "b", .names = {"a"}, .values = {1, 2, 3}},
                        SkyCells{.label = "sky", .rows = 9, .counts = {1, 2}}})));
}

TEST_CASE("axes go where they are told, and backwards if reversed", "[plot]") {
  Figure figure = figure_of({Line{.label = "", .x = {0, 10}, .y = {0, 10}}});
  figure.x.min = figure.y.min = 0;
  figure.x.max = figure.y.max = 10;
  const auto path = [&] {
    const auto document = parsed(svg(figure));
    double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    const char* d = document.select_node("//path[@class='c0 line']").node().attribute("d").value();
    REQUIRE(std::sscanf(d, "M%lf %lfL%lf %lf", &x0, &y0, &x1, &y1) == 4);
    return std::array<double, 4>{x0, y0, x1, y1};
  };
  const auto straight = path();
  CHECK(straight[0] < straight[2]);
  CHECK(straight[1] > straight[3]);
  figure.y.is_reversed = true;
  const auto reversed = path();
  CHECK(reversed[1] == straight[3]);
  CHECK(reversed[3] == straight[1]);
}

TEST_CASE("a hundred thousand points are one path", "[plot]") {
  Points points{.label = "many", .x = {}, .y = {}};
  for (int i = 0; i < 100000; ++i) {
    points.x.push_back(std::fmod(i * 0.618, 1));
    points.y.push_back(i);
  }
  const std::string text = svg(figure_of({points}));
  CHECK(text.size() < 2'000'000);
  CHECK(parsed(text).select_nodes("//path[@class='dots round']").size() == 2);  // and the legend's
}

TEST_CASE("bands have the same style in every figure, and differ in shape as well", "[plot]") {
  const Style g = style_of_band("ztf.g"), r = style_of_band("ztf.r");
  CHECK(g.colour != r.colour);
  CHECK(g.marker != r.marker);
  CHECK(g.dash != r.dash);
  CHECK(style_of_band("ZTF.G").colour == g.colour);
  CHECK(style_of_band("ps1.g").colour == g.colour);
  CHECK(style_of_band("ps1.g").marker != g.marker);
  for (const char* name : {"", ".", "x.", "unknown", "a.b.c", "\xFF"}) {
    const Style style = style_of_band(name);
    CHECK((style.colour >= 0 && style.colour < 8 && style.marker < 8 && style.dash < 4));
  }
}

TEST_CASE("the table of a figure has every value, quoted where needed", "[plot]") {
  const Figure figure = figure_of(
      {Points{.label = "a \"b\", c", .x = {58000.12345}, .y = {kNaN}, .y_low = {1}, .y_high = {2}},
       Line{.label = "line", .x = {1}, .y = {1.0 / 3}},
       Bars{.label = "bars", .names = {"a,b"}, .values = {3}}});
  CHECK(csv(figure) ==
        "series,x,y,y_low,y_high,value,name\r\n"
        "\"a \"\"b\"\", c\",58000.1234,nan,1,2,,\r\n"
        "line,1,0.333333333,,,,\r\n"
        "bars,,,,,3,\"a,b\"\r\n");
  const Figure grid = figure_of({density(2, 1)});
  CHECK(csv(grid) == "series,x_low,x_high,y_low,y_high,value\r\nobjects,1,2,0,1,1\r\n");
  CHECK(csv(Figure{}) == "series\r\n");
}

TEST_CASE("the picture of a grid has large values of y on top, unless the axis is reversed",
          "[plot]") {
  Density grid = density(2, 2);
  grid.counts = {1, 0, 0, 10};  // lower left and upper right
  Figure figure = figure_of({grid});
  const auto shows = [&](std::vector<std::uint8_t> pixels) {
    const Picture picture{.width = 2, .height = 2, .pixels = std::move(pixels)};
    return svg(figure).find(png_data_uri(png(picture, map_palette()))) != std::string::npos;
  };
  CHECK(shows({0, 255, 1, 0}));
  figure.y.is_reversed = true;
  CHECK(shows({1, 0, 0, 255}));
  figure.x.is_reversed = true;
  CHECK(shows({0, 1, 255, 0}));
}

TEST_CASE("the style sheet is in a file, for light and dark, and fetches nothing", "[plot]") {
  const std::string css = style_sheet();
  CHECK(css.find("prefers-color-scheme:dark") != std::string::npos);
  CHECK(css.find("[data-theme=dark]") != std::string::npos);
  CHECK(css.find("url(") == std::string::npos);
  CHECK(css.find("@import") == std::string::npos);
  CHECK(svg_file(figure_of({})).find(css) != std::string::npos);
  CHECK(svg(figure_of({})).find("<style") == std::string::npos);
}

TEST_CASE("a map of the sky tells how many objects it shows, and its table where they are",
          "[plot]") {
  SkyCounts counts(2);
  for (int i = 0; i < 3; ++i) counts.add(10, -45);
  const Figure figure = sky_map("sky", "Sky", counts, "quasars");
  CHECK(figure.alt.find("3 quasars in 1 of") != std::string::npos);
  const auto document = parsed(svg(figure));
  CHECK(document.select_nodes("//image").size() == 1);
  CHECK(csv(figure) == "series,x_low,x_high,y_low,y_high,value\r\nquasars,0,120,-90,0,3\r\n");
}
