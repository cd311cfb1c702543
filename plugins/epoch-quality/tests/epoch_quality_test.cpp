#include <catch2/catch.hpp>

#include <qsohost/error.hpp>
#include <qsohost/testing.hpp>

#include <cmath>

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

using Options = std::vector<std::pair<std::string, std::string>>;
using Ids = std::vector<std::int64_t>;

const double kNaN = std::nan("");

// Rules as a chain file has them, on one line: {"column = \"chi\", max = 1.5"}.
Options with_rules(const std::vector<std::string>& rules, Options options = {}) {
  std::string text;
  for (const std::string& rule : rules) text += (text.empty() ? "{" : ", {") + rule + "}";
  options.emplace_back("rule", "[" + text + "]");
  return options;
}

// Two objects, epochs 0 to 2 and 3 to 5, with the numbers of `column` in a light curve that has no
// other columns but the usual.
template <class T>
Column& add_curve(Harness& h, const std::string& group, const std::string& name,
                  const std::vector<T>& values) {
  h.light_curves(group, {{{1, 2, 3}, {17, 18, 19}, {0.1, 0.2, 0.3}},
                         {{4, 5, 6}, {20, 21, 22}, {0.1, 0.2, 0.3}}});
  Column& column = h.batch().group(group).add({name, dtype_of<T>(), "", ""});
  for (const T value : values) column.append(value);
  return column;
}

Ids times(Harness& h, const std::string& group = "ps1.g") {
  const auto mjd = h.batch().group(group).at("mjd").values<double>();
  return {mjd.begin(), mjd.end()};
}

// The times left of 1 to 6 by one rule on a column `q` of these values.
template <class T>
Ids left(const std::vector<T>& values, const std::string& rule) {
  Harness h("epoch-quality", with_rules({"column = \"q\", " + rule}));
  add_curve(h, "ps1.g", "q", values);
  h.run();
  return times(h);
}

}  // namespace

TEST_CASE("a range, both limits of which are good values") {
  const std::vector<double> values{1, 2, 3, 4, 5, kNaN};
  CHECK(left(values, "min = 2, max = 4") == Ids{2, 3, 4});
  CHECK(left(values, "min = 3") == Ids{3, 4, 5});
  CHECK(left(values, "max = 3") == Ids{1, 2, 3});
  CHECK(left(values, "max = 3, missing = \"keep\"") == Ids{1, 2, 3, 6});
}

TEST_CASE("a limit is meant in the digits of the column") {
  const float below = std::nextafter(1.8F, 0.0F);
  const float above = std::nextafter(1.8F, 2.0F);
  const std::vector<float> values{1.8F, below, above, 0, 0, 0};
  CHECK(left(values, "max = 1.8") == Ids{1, 2, 4, 5, 6});
  CHECK(left(values, "min = 1.8") == Ids{1, 3});
  CHECK(left(values, "equals = 1.8") == Ids{1});
}

TEST_CASE("one number, or one of several") {
  const std::vector<std::int32_t> values{0, 16, -1, 0, 2, 16};
  CHECK(left(values, "equals = 0") == Ids{1, 4});
  CHECK(left(values, "equals = [16, -1]") == Ids{2, 3, 6});
}

TEST_CASE("bits, to the last of 64") {
  const std::vector<std::int64_t> values{0, 1, 6, 32768, (std::int64_t{1} << 62) + 1, 7};
  CHECK(left(values, "bits_clear = 32769") == Ids{1, 3});
  CHECK(left(values, "bits_set = 6") == Ids{3, 6});
  CHECK(left(values, "bits_set = 6, bits_clear = 1") == Ids{3});
  CHECK(left(values, "bits_clear = 1") == Ids{1, 3, 4});
  CHECK(left(values, "bits_set = 4611686018427387904") == Ids{5});
}

TEST_CASE("flags, as bools and as integers") {
  const std::vector<std::int16_t> numbers{0, 1, 2, 0, 0, 1};
  CHECK(left(numbers, "flag = \"clear\"") == Ids{1, 4, 5});
  CHECK(left(numbers, "flag = \"set\"") == Ids{2, 3, 6});
  Harness h("epoch-quality", with_rules({"column = \"bad\", flag = \"clear\""}));
  Column& bad = add_curve<bool>(h, "ps1.g", "bad", {false, true, true, false, false, true});
  bad.set_null(0);
  h.run();
  CHECK(times(h) == Ids{4, 5});  // a flag that is not known may be set
}

TEST_CASE("texts") {
  Harness h("epoch-quality", with_rules({"column = \"quality\", text = [\"G\", \"A\"]"}));
  h.light_curves("asas.V", {{{1, 2, 3, 4, 5}, {1, 1, 1, 1, 1}, {1, 1, 1, 1, 1}}});
  Column& quality = h.batch().group("asas.V").add({"quality", DType::String, "", ""});
  for (const char* text : {"G", "B", "", "A", "Good"}) quality.append_string(text);
  h.run();
  CHECK(times(h, "asas.V") == Ids{1, 4});
  CHECK(h.count("asas.V", "failed quality = G, A") == 3);
  CHECK(h.count("asas.V", "without a value") == 1);
}

TEST_CASE("a rule that says nothing of the value wants one") {
  CHECK(left<double>({1, kNaN, 3, 4, kNaN, 6}, "missing = \"remove\"") == Ids{1, 3, 4, 6});
  Harness h("epoch-quality", with_rules({"column = \"note\""}));
  h.light_curves("asas.V", {{{1, 2}, {1, 1}, {1, 1}}});
  Column& note = h.batch().group("asas.V").add({"note", DType::String, "", ""});
  for (const char* text : {"", "blended"}) note.append_string(text);
  h.run();
  CHECK(times(h, "asas.V") == Ids{2});
  CHECK(h.count("asas.V", "failed note has a value") == 1);
}

TEST_CASE("time, magnitude and its error, whatever the columns are called") {
  const auto left_by = [](const char* option, const char* value) {
    Harness h("epoch-quality", {{option, value}});
    add_curve<double>(h, "ps1.g", "q", std::vector<double>(6, 0));
    h.batch().group("ps1.g").at("mag").values<float>()[2] = NAN;
    h.batch().group("ps1.g").at("magerr").values<float>()[5] = -99;
    h.run();
    return times(h);
  };
  CHECK(left_by("time_range", "[2, 5]") == Ids{2, 3, 4, 5});
  CHECK(left_by("time_range", "[-inf, 2.5]") == Ids{1, 2});
  CHECK(left_by("time_range", "[5, inf]") == Ids{5, 6});
  CHECK(left_by("mag_range", "[18, 21]") == Ids{2, 4, 5});
  CHECK(left_by("max_mag_err", "0.2") == Ids{1, 2, 4, 5});
}

TEST_CASE("an epoch must pass all rules of its light curve; each rule counts what it fails") {
  Harness h("epoch-quality",
            with_rules({"column = \"q\", max = 3", "column = \"q\", equals = [1, 4, 5]",
                        "column = \"mag\", max = 16.5, groups = [\"ps1.r\"]"},
                       {{"time_range", "[1.5, inf]"}}));
  add_curve<double>(h, "ps1.g", "q", {1, 2, 3, 4, 5, kNaN});
  add_curve<double>(h, "ps1.r", "q", {1, 1, 1, 1, 1, 1});
  h.run();
  CHECK(times(h).empty());
  CHECK(h.batch().rows() == 2);
  CHECK(h.count("ps1.g", "epochs in") == 6);
  CHECK(h.count("ps1.g", "epochs kept") == 0);
  CHECK(h.count("ps1.g", "failed time_range") == 1);
  CHECK(h.count("ps1.g", "failed q <= 3") == 3);
  CHECK(h.count("ps1.g", "failed q = 1, 4, 5") == 3);
  CHECK(h.count("ps1.g", "removed by time_range") == 1);
  CHECK(h.count("ps1.g", "removed by q <= 3") == 3);
  CHECK(h.count("ps1.g", "removed by q = 1, 4, 5") == 2);
  CHECK(h.count("ps1.g", "without a value") == 2);
  CHECK(h.count("ps1.g", "objects left with none") == 2);
  CHECK(h.count("ps1.g", "failed mag <= 16.5") == 0);
  CHECK(h.count("ps1.r", "failed mag <= 16.5") == 6);
}

TEST_CASE("only the groups that are named") {
  Harness h("epoch-quality", with_rules({"column = \"q\", min = 2"}, {{"groups", "[\"ps1.r\"]"}}));
  add_curve<double>(h, "ps1.g", "q", {1, 1, 1, 1, 1, 1});
  add_curve<double>(h, "ps1.r", "q", {1, 2, 1, 2, 1, 2});
  h.run();
  CHECK(times(h, "ps1.g").size() == 6);
  CHECK(times(h, "ps1.r") == Ids{2, 4, 6});
}

TEST_CASE("a rule that cannot be applied is an error, not nothing") {
  const auto problem = [](const Options& options, auto matcher) {
    Harness h("epoch-quality", options);
    add_curve<double>(h, "ps1.g", "q", std::vector<double>(6, 0));
    Column& text = h.batch().group("ps1.g").add({"note", DType::String, "", ""});
    for (int i = 0; i < 6; ++i) text.append_string("x");
    h.batch().add_group({"other.table", "other", "table"});
    CHECK_THROWS_WITH(h.run(), matcher);
  };
  const Options only_g{{"groups", "[\"ps1.g\"]"}};
  problem(with_rules({"column = \"q\", min = 1", "column = \"chi\", max = 2"}, only_g),
          Contains("rule 2: light curve 'ps1.g' has no column 'chi'"));
  problem(with_rules({"column = \"q\", min = 1"}), Contains("'other.table' has no column 'q'"));
  problem(with_rules({"column = \"q\", min = 1, groups = [\"ps1.i\"]"}),
          Contains("no light curve 'ps1.i'") && Contains("ps1.g"));
  problem(with_rules({"column = \"q\", bits_clear = 1"}, only_g), Contains("no bits"));
  problem(with_rules({"column = \"q\", flag = \"set\""}, only_g), Contains("not flags"));
  problem(with_rules({"column = \"q\", text = \"G\""}, only_g), Contains("it holds numbers"));
  problem(with_rules({"column = \"note\", equals = 1"}, only_g), Contains("it holds texts"));
  problem(with_rules({"column = \"note\", text = \"G\", min = 1"}, only_g), Contains("alone"));
  problem({{"mag_range", "[1, 2]"}},
          Contains("mag_range: light curve 'other.table' does not say which of its columns"));
}

TEST_CASE("one range of times is not meant for two time systems") {
  Harness h("epoch-quality", {{"time_range", "[1, 2]"}});
  add_curve<double>(h, "ps1.g", "q", std::vector<double>(6, 0));
  Group& gaia = h.batch().add_group({"gaia.g", "gaia", "g", "time", "mag", "mag_err", kGaiaTime});
  for (const char* name : {"time", "mag", "mag_err"}) gaia.add({name, DType::F64, "", ""});
  gaia.close_row();
  gaia.close_row();
  CHECK_THROWS_WITH(h.run(), Contains("MJD UTC") && Contains("BJD TCB - 2455197.5"));
}

TEST_CASE("options that cannot be meant") {
  const auto refused = [](const Options& options, auto matcher) {
    CHECK_THROWS_AS(Harness("epoch-quality", options), UsageError);
    CHECK_THROWS_WITH(Harness("epoch-quality", options), matcher);
  };
  refused({}, Contains("judges by nothing"));
  refused({{"mag_range", "[20, 10]"}}, Contains("mag_range: the first limit, 20"));
  refused({{"time_range", "[nan, 1]"}}, Contains("time_range"));
  refused(with_rules({"column = \"q\", missing = \"keep\""}),
          Contains("rule 1 (column 'q')") && Contains("keeps every epoch"));
  refused(with_rules({"column = \"q\", min = 2, max = 1"}), Contains("rule 1"));
  refused(with_rules({"column = \"q\", min = 2, groups = \"ps1.r\""}, {{"groups", "\"ps1.g\""}}),
          Contains("'ps1.r'") && Contains("not among the groups"));
  refused(with_rules({"column = \"oid\", equals = 9007199254740993"}), Contains("must lie in"));
  refused(with_rules({"column = \"q\", minimum = 2"}), Contains("minimum"));
}
