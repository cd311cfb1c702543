#include <catch2/catch.hpp>
#include <string>

#include "qsohost/error.hpp"
#include "report/epoch_counts.hpp"
#include "report/page.hpp"
#include "report/plots_file.hpp"
#include "report/sha256.hpp"
#include "report/side_by_side.hpp"

using namespace qsohost;
using namespace qsohost::cli;

namespace {

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++n;
  return n;
}

plot::Figure points(const std::string& id, std::vector<double> x, std::vector<double> y) {
  plot::Figure figure{.id = id, .title = id};
  figure.layers.emplace_back(plot::Points{.label = "p", .x = std::move(x), .y = std::move(y)});
  return figure;
}

Page page_with(Section section) {
  const std::string id = section.id;
  return {.title = "t", .made = "made here", .sections = {{id, "title", {std::move(section)}}}};
}

}  // namespace

TEST_CASE("SHA-256 of the standard's examples", "[report]") {
  CHECK(sha256_base64("") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
  CHECK(sha256_base64("abc") == "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
  // The length needs a block of its own.
  CHECK(sha256_base64("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "JI1qYdIGOLjlwCaTDD5gOaM85Flk/yFn9uzt1BnbBsE=");
}

TEST_CASE("texts on a page are escaped, and data cannot end a script", "[report]") {
  Section section{.id = "s", .title = "title"};
  section.paragraphs = {"<i>&\"'\xff"};
  section.tables.push_back({"<b>", {"<u>"}, {{"</td>"}}});
  section.figures.push_back(points("f", {1, 2}, {3, 4}));
  section.figures.back().caption = "</figure>";
  std::get<plot::Points>(section.figures.back().layers[0]).label = "</script><script>";
  const std::string text = html(page_with(std::move(section)));
  for (const char* raw : {"<i>", "<b>", "<u>", "</td></td>", "</figure></figcaption>"}) {
    CAPTURE(raw);
    CHECK(times(text, raw) == 0);
  }
  CHECK(times(text, "&lt;i&gt;&amp;&quot;") == 1);
  CHECK(times(text, "\\u003c/script>") > 0);
  CHECK(times(text, "<script>") == 1);
}

TEST_CASE("what makes a page too large is left out, data first, and the page says so", "[report]") {
  Section section{.id = "s", .title = "title"};
  section.figures.push_back(points("large", std::vector<double>(4000, 1.2345678), {}));
  auto& layer = std::get<plot::Points>(section.figures[0].layers[0]);
  layer.y = layer.x;
  section.figures.push_back(points("small", {1, 2}, {3, 4}));
  const Page page = page_with(std::move(section));
  const std::string whole = html(page);
  REQUIRE(times(whole, "class=\"data\"") == 2);
  const std::string less = html(page, whole.size() - 1);
  CHECK(less.size() < whole.size());
  CHECK(times(less, "class=\"data\"") == 1);
  CHECK(times(less, "Without data, for the page would be too large") == 1);
  CHECK(times(less, "<svg") == 2);
  const std::string least = html(page, 0);
  CHECK(times(least, "<svg") == 0);
  CHECK(times(least, "left out, for the page would be too large") == 2);
}

TEST_CASE("long tables are cut, with the number of rows left out", "[report]") {
  Section section{.id = "s", .title = "title"};
  ReportTable table{.title = "long", .names = {"n"}};
  for (int i = 0; i < 1500; ++i) table.rows.push_back({"1,234"});
  section.tables.push_back(table);
  const std::string text = html(page_with(std::move(section)));
  CHECK(times(text, "<td") == 300);
  CHECK(times(text, "1,200 more rows are not shown") == 1);
  CHECK(times(text, "data-value=\"1234\"") == 300);  // as its CSV has it
}

TEST_CASE("figures of two runs have common axes and ids of their own", "[report]") {
  std::vector<Section> sections(2);
  sections[0].figures.push_back(points("f", {1, 5}, {10, 20}));
  sections[1].figures.push_back(points("f", {3, 9}, {-1, 15}));
  sections[1].figures.push_back(points("g", {3, 9}, {-1, 15}));
  set_side_by_side(sections);
  for (const Section& section : sections) {
    const plot::Figure& figure = section.figures[0];
    CHECK(*figure.x.min == Approx(1 - 0.64));
    CHECK(*figure.x.max == Approx(9 + 0.64));
    CHECK(*figure.y.min == Approx(-1 - 1.68));
    CHECK(*figure.y.max == Approx(20 + 1.68));
  }
  CHECK(sections[0].figures[0].id == "a-f");
  CHECK(sections[1].figures[0].id == "b-f");
  CHECK_FALSE(sections[1].figures[1].x.min);
}

TEST_CASE("values that a logarithmic axis cannot show do not widen it", "[report]") {
  std::vector<Section> sections(2);
  for (Section& section : sections) {
    section.figures.push_back(points("f", {-5, 0, 2}, {1, 1, 1}));
    section.figures[0].x.scale = plot::Scale::Log;
  }
  set_side_by_side(sections);
  CHECK(*sections[0].figures[0].x.min == Approx(2));
}

TEST_CASE("epochs through the cuts are read from the counts of any stage", "[report]") {
  RunReport report;
  report.stages.push_back({.label = "cut",
                           .counts = {{"a.g", "epochs in", 100},
                                      {"a.g", "epochs kept", 70},
                                      {"a.g", "failed x < 3", 25},
                                      {"a.g", "removed by x < 3", 20},
                                      {"a.g", "failed y", 10}}});
  report.stages.push_back(
      {.label = "drop", .counts = {{"a.g", "epochs in", 70}, {"a.g", "epochs dropped", 5}}});
  report.stages.push_back({.label = "other", .counts = {{"a.g", "epochs in", 65}}});
  const std::vector<EpochCut> cuts = epoch_cuts(report);
  REQUIRE(cuts.size() == 2);
  CHECK(cuts[0].kept == 70);
  CHECK(cuts[1].stage == "drop");
  CHECK(cuts[1].kept == 65);
  const std::vector<RuleCount> rules = rule_counts(report);
  REQUIRE(rules.size() == 2);
  CHECK(rules[0].rule == "x < 3");
  CHECK(rules[0].in == 100);
  CHECK(rules[0].alone == 25);
  CHECK(rules[0].in_order == 20);
  CHECK_FALSE(rules[1].in_order);
}

TEST_CASE("a cut is conditions joined by 'and'", "[report]") {
  const auto cut = parse_cut({"z<2 and flags != 0  and mag >= -1.5e1", "p.toml:1:7"});
  REQUIRE(cut.size() == 3);
  CHECK(cut[0].column.text == "z");
  CHECK(cut[0].holds(1.9));
  CHECK_FALSE(cut[0].holds(2));
  CHECK(cut[1].holds(3));
  CHECK_FALSE(cut[1].holds(0));
  CHECK(cut[2].holds(-15));
  for (const CutCondition& condition : cut) {
    CHECK_FALSE(condition.holds(std::numeric_limits<double>::quiet_NaN()));
  }
  CHECK_THROWS_AS(parse_cut({"z < 2 and", "p.toml:1:7"}), UsageError);
  CHECK_THROWS_AS(parse_cut({"", "p.toml:1:7"}), UsageError);
}
