#include <zlib.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <numeric>

#include "plot/contours.hpp"
#include "plot/escape.hpp"
#include "plot/png.hpp"
#include "plot/sky_map.hpp"
#include "plot/text.hpp"
#include "plot/ticks.hpp"

using namespace qsohost::plot;

namespace {

std::vector<std::string> labels(const Ticks& all) {
  std::vector<std::string> texts;
  for (const Tick& tick : all.ticks) {
    if (!tick.is_minor) {
      texts.push_back(tick.text + (tick.exponent.empty() ? "" : "^" + tick.exponent));
    }
  }
  return texts;
}

using Texts = std::vector<std::string>;

std::uint32_t number_at(const std::string& bytes, std::size_t at) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < 4; ++i)
    value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

// The data of all chunks of a type; every chunk's checksum is checked.
std::string chunks(const std::string& png_bytes, const std::string& type) {
  std::string data;
  for (std::size_t at = 8; at < png_bytes.size();) {
    const std::size_t length = number_at(png_bytes, at);
    const auto* body = reinterpret_cast<const Bytef*>(png_bytes.data() + at + 4);
    CHECK(crc32(0, body, static_cast<uInt>(length + 4)) == number_at(png_bytes, at + 8 + length));
    if (png_bytes.substr(at + 4, 4) == type) data += png_bytes.substr(at + 8, length);
    at += length + 12;
  }
  return data;
}

std::string inflated(const std::string& data, std::size_t size) {
  std::string out(size, '\0');
  uLongf length = size;
  REQUIRE(uncompress(reinterpret_cast<Bytef*>(out.data()), &length,
                     reinterpret_cast<const Bytef*>(data.data()), data.size()) == Z_OK);
  REQUIRE(length == size);
  return out;
}

// Of a round heap of counts on 60 x 40 cells.
std::vector<double> heap() {
  std::vector<double> counts;
  for (int y = 0; y < 40; ++y) {
    for (int x = 0; x < 60; ++x) {
      counts.push_back(
          1000 * std::exp(-0.5 * (std::pow((x - 29.5) / 6, 2) + std::pow((y - 19.5) / 4, 2))));
    }
  }
  return counts;
}

double area(const ContourLine& line) {
  double twice = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const GridPoint a = line[i], b = line[(i + 1) % line.size()];
    twice += a.x * b.y - b.x * a.y;
  }
  return std::abs(twice) / 2;
}

}  // namespace

TEST_CASE("markup is escaped, and what is no text is replaced", "[plot]") {
  CHECK(html_escaped("a<b>&\"'") == "a&lt;b&gt;&amp;&quot;&#39;");
  CHECK(html_escaped("\xCF\x84 \xF0\x9F\x94\xAD\t\n") == "\xCF\x84 \xF0\x9F\x94\xAD\t\n");
  const std::string bad = "\xEF\xBF\xBD";
  for (const char* hostile : {"\x01", "\x7F", "\xFF", "\x80", "\xC3", "\xC2\x85", "\xEF\xBF\xBF"}) {
    CHECK(html_escaped(hostile) == bad);
  }
  CHECK(html_escaped("\xC0\xAF") == bad + bad);                      // an overlong slash
  CHECK(html_escaped("\xED\xA0\x80") == bad + bad + bad);            // half of a surrogate pair
  CHECK(html_escaped("\xF4\x90\x80\x80") == bad + bad + bad + bad);  // beyond Unicode
  CHECK(html_escaped(std::string("a\0b", 3)) == "a" + bad + "b");
}

TEST_CASE("numbers have six digits at most, pixels a tenth", "[plot]") {
  CHECK(number(1.0 / 3) == "0.333333");
  CHECK(number(-0.0) == "0");
  CHECK(number(std::nan("")).empty());
  CHECK(px(1.25) == "1.3");
  CHECK(px(-0.04) == "0");
  CHECK(px(-0.5) == "-0.5");
  CHECK(px(std::nan("")) == "0");
  CHECK(px(1e300) == "100000");
}

TEST_CASE("lines break at blanks, long words anywhere, and the last one tells of more", "[plot]") {
  CHECK(wrapped("one two", 1000, 10, 3) == Texts{"one two"});
  CHECK(wrapped("", 10, 10, 3) == Texts{""});
  const Texts two = wrapped("epochs removed by rule", 90, 10, 3);
  REQUIRE(two.size() == 2);
  CHECK(two[0] + " " + two[1] == "epochs removed by rule");
  const Texts cut = wrapped(std::string(500, 'x'), 50, 10, 2);
  REQUIRE(cut.size() == 2);
  CHECK(cut[1].ends_with("\xE2\x80\xA6"));
}

TEST_CASE("linear ticks are at steps of 1, 2 or 5", "[plot]") {
  CHECK(labels(ticks(Scale::Linear, 0, 1, 5)) == Texts{"0.0", "0.2", "0.4", "0.6", "0.8", "1.0"});
  CHECK(labels(ticks(Scale::Linear, -1, 1, 4)) == Texts{"\xE2\x88\x92"
                                                        "1.0",
                                                        "\xE2\x88\x92"
                                                        "0.5",
                                                        "0.0", "0.5", "1.0"});
  CHECK(labels(ticks(Scale::Linear, 58100, 59900, 4)) == Texts{"58500", "59000", "59500"});
  const Ticks large = ticks(Scale::Linear, 0, 4e6, 4);
  CHECK(large.exponent == 6);
  CHECK(labels(large) == Texts{"0", "1", "2", "3", "4"});
  CHECK(labels(ticks(Scale::Linear, 2458000.5, 2458002.5, 4)) ==
        Texts{"2458000.5", "2458001.0", "2458001.5", "2458002.0", "2458002.5"});
}

TEST_CASE("logarithmic ticks are at decades, or at 1, 2, 5 if there are few", "[plot]") {
  CHECK(labels(ticks(Scale::Log, 1, 1000, 4)) == Texts{"1", "10", "100", "1000"});
  CHECK(labels(ticks(Scale::Log, 0.9, 60, 8)) == Texts{"1", "2", "5", "10", "20", "50"});
  CHECK(labels(ticks(Scale::Log, 1e-6, 1e2, 9)).front() ==
        "10^\xE2\x88\x92"
        "6");
  CHECK(labels(ticks(Scale::Log, 3.1, 3.3, 4)) == Texts{"3.10", "3.15", "3.20", "3.25", "3.30"});
  const Ticks decades = ticks(Scale::Log, 1, 1000, 4);
  CHECK(std::count_if(decades.ticks.begin(), decades.ticks.end(),
                      [](const Tick& t) { return t.is_minor; }) == 24);
}

TEST_CASE("ticks of hard ranges are few, ordered and inside", "[plot]") {
  struct Case {
    Scale scale;
    double lo, hi;
  };
  for (const Case& c : {Case{Scale::Linear, -1e300, 1e300}, Case{Scale::Linear, 0, 1e-299},
                        Case{Scale::Linear, 1e-300, 1e300}, Case{Scale::Log, 1e-300, 1e300},
                        Case{Scale::Linear, 1, 1 + 1e-8}, Case{Scale::Log, 1, 1 + 1e-8},
                        Case{Scale::Linear, -58000.001, -58000}, Case{Scale::Log, 9.99e9, 1.01e10},
                        Case{Scale::Log, 1e-308, 2e-308}}) {
    for (const int wanted : {0, 2, 6, 12}) {
      CAPTURE(c.lo, c.hi, wanted);
      const Ticks all = ticks(c.scale, c.lo, c.hi, wanted);
      const Texts texts = labels(all);
      CHECK(!texts.empty());
      CHECK(texts.size() <= 2u * static_cast<unsigned>(std::max(wanted, 2)) + 2);
      CHECK(all.ticks.size() < 200);
      const double slack = 1e-6 * (c.hi - c.lo);
      for (const Tick& tick : all.ticks) {
        CHECK((tick.value >= c.lo - slack && tick.value <= c.hi + slack));
      }
      Texts unique = texts;
      std::sort(unique.begin(), unique.end());
      CHECK(std::adjacent_find(unique.begin(), unique.end()) == unique.end());
    }
  }
}

TEST_CASE("a PNG holds the pixels and the palette given", "[plot]") {
  const Picture picture{.width = 3, .height = 2, .pixels = {0, 1, 2, 255, 1, 0}};
  const std::string bytes = png(picture, map_palette());
  CHECK(bytes.starts_with("\x89PNG\r\n\x1A\n"));
  const std::string header = chunks(bytes, "IHDR");
  CHECK(number_at(header, 0) == 3);
  CHECK(number_at(header, 4) == 2);
  CHECK(inflated(chunks(bytes, "IDAT"), 8) ==
        std::string("\0\0\1\2\0\xFF\1\0", 8));  // each row begins with its filter
  const std::string palette = chunks(bytes, "PLTE");
  CHECK(palette.size() == 3 * 256);
  CHECK(palette.substr(3, 3) == "\x44\x01\x54");
  CHECK(palette.substr(3 * 255) == "\xFD\xE7\x25");
  CHECK(chunks(bytes, "tRNS") == std::string(1, '\0'));
  CHECK(png_data_uri("M") == "data:image/png;base64,TQ==");
  CHECK(png_data_uri("Ma") == "data:image/png;base64,TWE=");
  CHECK(png_data_uri("Man") == "data:image/png;base64,TWFu");
}

TEST_CASE("a contour is a closed line around its fraction of the counts", "[plot]") {
  for (const double fraction : {0.2, 0.39, 0.86}) {
    const ContourLines lines = contours(heap(), 60, 40, fraction);
    REQUIRE(lines.size() == 1);
    // Of a Gaussian heap, smoothed by 1:2:1 (which adds 0.5 to the variances).
    const double radius2 = -2 * std::log(1 - fraction);
    const double expected = 3.14159265 * radius2 * std::sqrt(36.5 * 16.5);
    CHECK(area(lines[0]) == Approx(expected).epsilon(0.03));
    for (const GridPoint& point : lines[0]) {
      const double r2 = std::pow((point.x - 30), 2) / 36.5 + std::pow((point.y - 20), 2) / 16.5;
      CHECK(r2 == Approx(radius2).epsilon(0.08));
    }
  }
}

TEST_CASE("contours of odd grids are closed too", "[plot]") {
  CHECK(contours(std::vector<double>(12, 0), 4, 3, 0.5).empty());
  CHECK(contours(heap(), 60, 40, 0).empty());
  CHECK(contours(heap(), 60, 40, std::nan("")).empty());
  CHECK(contours(std::vector<double>{7}, 1, 1, 0.5).size() == 1);
  CHECK(contours(std::vector<double>(12, 1), 4, 3, 0.9).size() == 1);
  std::vector<double> two(100, 0);
  two[22] = two[77] = 100;
  two[50] = std::nan("");
  two[51] = -5;
  CHECK(contours(two, 10, 10, 0.9).size() == 2);
}

TEST_CASE("cells of the sky have equal areas, and objects are counted where they are", "[plot]") {
  const std::vector<SkyCell> cells = sky_cells(18);
  SkyCounts counts(18);
  REQUIRE(counts.counts().size() == cells.size());
  const double rad = std::acos(-1.0) / 180;
  double total = 0;
  for (const SkyCell& cell : cells) {
    const double area = (cell.ra_high - cell.ra_low) * rad *
                        (std::sin(cell.dec_high * rad) - std::sin(cell.dec_low * rad));
    CHECK(area == Approx(4 * std::acos(-1.0) / static_cast<double>(cells.size())));
    total += area;
    counts.add((cell.ra_low + cell.ra_high) / 2 - 360, (cell.dec_low + cell.dec_high) / 2);
  }
  CHECK(total == Approx(4 * std::acos(-1.0)));
  CHECK(counts.counts() == std::vector<double>(cells.size(), 1));
  for (const double dec : {-90.0, 90.0}) {
    counts.add(0, dec);
    counts.add(360, dec);
  }
  counts.add(std::nan(""), 0);
  counts.add(10, 91);
  CHECK(counts.left_out() == 2);
  CHECK(counts.counted() == cells.size() + 4);
  CHECK(std::accumulate(counts.counts().begin(), counts.counts().end(), 0.0) ==
        static_cast<double>(cells.size() + 4));
}
