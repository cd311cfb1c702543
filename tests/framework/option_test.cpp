#include "qsohost/option.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace qsohost;
using Catch::Contains;
using Scalar = OptionValue::Scalar;

namespace {

struct Band : OptionOwner {
  Option<std::string> time{this, "time", required, "column of times"};
  Option<std::int64_t> width{this, "width", 1, "how wide", {.min = 1}};
};

enum class Mean { Median, Profiled };

struct Chosen : OptionOwner {
  Choice<Mean> mean{this,
                    "mean",
                    Mean::Profiled,
                    {{"median", Mean::Median}, {"profiled", Mean::Profiled}},
                    "which mean"};
  Choice<Mean> needed{this,
                      "needed",
                      required,
                      {{"median", Mean::Median}, {"profiled", Mean::Profiled}},
                      "which mean"};
};

struct Owner : OptionOwner {
  OptionTables<Band> band{this, "band", "light curves"};
  Option<std::vector<Path>> files{this, "files", {}, "files"};
  Option<double> radius{this, "radius", 2.0, "cone", {.unit = "arcsec", .min = 0.1, .max = 60}};
  Option<std::int64_t> flags{this, "flags", 0, "bits"};
  Option<std::string> mode{this, "mode", "all", "which", {.choices = {"all", "nearest"}}};
  Option<std::vector<double>> chi{this, "chi", {0.5, 1.5}, "range", {.length = 2}};
  Option<std::vector<std::string>> bands{this, "bands", {"g"}, "bands", {.choices = {"g", "r"}}};
  Option<Url> url{this, "url", {"https://archive.org/api"}, "the archive"};
  Option<Url> other_url{this, "other_url", {}, "another; empty: none"};
  Option<Url> needed_url{this, "needed_url", required, "one more"};
  Option<bool> strict{this, "strict", true, "yes or no"};
};

}  // namespace

TEST_CASE("options take values of their own type") {
  Owner o;
  o.radius.set({Scalar(std::int64_t{3})});
  CHECK(*o.radius == 3.0);
  o.chi.set({std::vector<Scalar>{0.1, std::int64_t{2}}});
  CHECK(*o.chi == std::vector<double>{0.1, 2.0});
  o.bands.set({Scalar(std::string("r"))});
  CHECK(*o.bands == std::vector<std::string>{"r"});
  CHECK(o.bands.is_set());
  CHECK_FALSE(o.strict.is_set());
}

TEST_CASE("options refuse other types, ranges, choices and lengths") {
  Owner o;
  CHECK_THROWS_WITH(o.radius.set({Scalar(std::string("2"))}), Contains("wants a number"));
  CHECK_THROWS_WITH(o.radius.set({Scalar(100.0)}), Contains("must lie in 0.1 .. 60 arcsec"));
  CHECK_THROWS_WITH(o.flags.set({Scalar(1.5)}), Contains("wants an integer"));
  CHECK_THROWS_WITH(o.mode.set({Scalar(std::string("first"))}), Contains("\"nearest\""));
  CHECK_THROWS_WITH(o.chi.set({std::vector<Scalar>{0.1}}), Contains("wants 2 values, not 1"));
  CHECK_THROWS_WITH(o.bands.set({std::vector<Scalar>{std::string("u")}}), Contains("one of"));
  CHECK_THROWS_WITH(o.strict.set({std::vector<Scalar>{true}}), Contains("not a list"));
}

TEST_CASE("an option that refuses a value keeps the one it has") {
  Owner o;
  o.mode.set({Scalar(std::string("nearest"))});
  CHECK_THROWS(o.mode.set({Scalar(std::string("first"))}));
  CHECK(*o.mode == "nearest");
  CHECK_THROWS(o.radius.set({Scalar(100.0)}));
  CHECK(*o.radius == 2.0);
  CHECK_FALSE(o.radius.is_set());
  CHECK_THROWS(o.url.set({Scalar(std::string("ftp://archive.org"))}));
  CHECK(o.url->text == "https://archive.org/api");
}

TEST_CASE("a choice has one of several names") {
  Chosen o;
  CHECK(*o.mean == Mean::Profiled);
  CHECK(to_toml(o.mean.value()) == "\"profiled\"");
  CHECK(o.mean.type_name() == "string");
  CHECK(o.mean.limits().choices == std::vector<std::string>{"median", "profiled"});
  o.mean.set({Scalar(std::string("median"))});
  CHECK(*o.mean == Mean::Median);
  CHECK_THROWS_WITH(o.mean.set({Scalar(std::string("mode"))}),
                    Contains("must be one of \"median\", \"profiled\", not \"mode\""));
  CHECK_THROWS_WITH(o.mean.set({Scalar(1.0)}), Contains("wants a string"));
  CHECK(*o.mean == Mean::Median);
  CHECK(to_toml(o.needed.value()) == "\"\"");
  o.needed.set({Scalar(std::string("profiled"))});
  CHECK(*o.needed == Mean::Profiled);
}

TEST_CASE("a URL of http or https is accepted") {
  const auto good =
      GENERATE(as<std::string>{}, "https://archive.org", "HTTP://127.0.0.1:8000/a?b=c",
               "http://[::1]:8080/x@y", "https://a-b.c_d.org/q?contact=me@home.org",
               "http://localhost/{source_id}.csv");
  Owner o;
  INFO(good);
  CHECK_NOTHROW(o.url.set({Scalar(good)}));
  CHECK(o.url->text == good);
}

TEST_CASE("a URL that HTTP cannot use is refused with the reason") {
  const auto [bad, why] = GENERATE(table<std::string, std::string>({
      {"archive.org", "must begin with https://"},
      {"ftp://archive.org", "must begin with https://"},
      {"http://127.0.0.1:${PORT}", "port '${PORT}' must be a number"},
      {"http://host:0", "port '0' must be a number from 1 to 65535"},
      {"http://host:65536/", "port '65536' must be a number from 1 to 65535"},
      {"http://host:/", "port '' must be a number"},
      {"https://", "'' is no name of a host"},
      {"https:///path", "'' is no name of a host"},
      {"https://...", "'...' is no name of a host"},
      {"http://[::1", "is no name of a host"},
      {"https://a b.org", "'a b.org' is no name of a host"},
      {"https://a.org/b c", "must be escaped"},
      {"https://a.org/b\n", "must be escaped"},
      {"https://a.org/b#c", "fragment"},
  }));
  Owner o;
  INFO(bad);
  CHECK_THROWS_WITH(o.url.set({Scalar(bad)}), Contains(why) && Contains("wants a URL"));
}

TEST_CASE("a URL with a secret in it is refused without showing it") {
  const auto bad = GENERATE(as<std::string>{}, "https://me:secret@host", "https://secret@host/path",
                            "me:secret@host", "https://me:sec/secret@host",
                            "https://me:12#secret@host", "https://me:?secret@host/path",
                            "https://me:a@b-secret@host:x", "ftp://me:secret@host",
                            "https://secret secret@host", "https://host/path?token=secret",
                            "https://host?a=1&Api_Key=secret&b=2", "ftp://host?password=secret");
  Owner o;
  try {
    o.url.set({Scalar(bad)});
    FAIL("no error for " << bad);
  } catch (const UsageError& e) {
    INFO(e.what());
    CHECK_THAT(e.what(), !Contains("secret") && !Contains("me:") && Contains("host"));
  }
  CHECK_THROWS_WITH(o.url.set({Scalar(std::string("https://me:word@host/path"))}),
                    Contains("\"https://host/path\"") && Contains("user name, password or token"));
  CHECK_NOTHROW(o.url.set({Scalar(std::string("https://host/tokens?tokens=2&format=token"))}));
}

TEST_CASE("a URL is empty only where none is the default") {
  Owner o;
  const OptionValue none{Scalar(std::string())};
  CHECK_NOTHROW(o.other_url.set(none));
  CHECK_THROWS_WITH(o.url.set(none), Contains("not an empty text"));
  CHECK_THROWS_WITH(o.needed_url.set(none), Contains("not an empty text"));
}

TEST_CASE("values are written as TOML") {
  CHECK(to_toml({Scalar(2.0)}) == "2.0");
  CHECK(to_toml({Scalar(1e-30)}) == "1e-30");
  CHECK(to_toml({Scalar(std::string("a \"b\""))}) == "\"a \\\"b\\\"\"");
  // Any bytes may be in the name of a file, but not in TOML.
  CHECK(to_toml({Scalar(std::string("\x1b[\n\tcaf\xe9 \u03b1"))}) ==
        "\"\\u001B[\\n\tcaf\\U0010FFE9 \u03b1\"");
  CHECK(to_toml({std::vector<Scalar>{true, false}}) == "[true, false]");
}

namespace {

OptionValue::Table table(std::vector<OptionValue::Table::Entry> entries, int line) {
  return {std::move(entries), {"a.toml", line, 1}};
}

}  // namespace

TEST_CASE("lists of tables have options of their own") {
  Owner o;
  const OptionValue mjd{Scalar(std::string("mjd"))};
  o.band.set({std::vector{table({{"time", mjd, {"a.toml", 3, 1}}}, 2)}});
  REQUIRE(o.band.size() == 1);
  CHECK(*o.band[0].time == "mjd");
  CHECK(to_toml(o.band.value()) == "[{ time = \"mjd\", width = 1 }]");
  o.band.set({std::vector<Scalar>{}});
  CHECK(o.band.empty());
  CHECK_THROWS_WITH(o.band.set(mjd), Contains("[[stage.band]]"));
  CHECK(o.band.table()->options().size() == 2);
}

TEST_CASE("all mistakes in tables are reported with their places") {
  Owner o;
  const OptionValue zero{Scalar(std::int64_t{0})};
  try {
    o.band.set({std::vector{table({{"tmie", zero, {"a.toml", 3, 1}}}, 2),
                            table({{"time", zero, {"a.toml", 6, 1}}}, 5)}});
    FAIL("no error");
  } catch (const TableError& e) {
    REQUIRE(e.problems().size() == 3);
    CHECK(e.problems()[0].place.line == 3);
    CHECK_THAT(e.problems()[0].message, Contains("did you mean 'time'"));
    CHECK(e.problems()[1].place.line == 2);
    CHECK_THAT(e.problems()[1].message, Contains("needs option 'time' (string)"));
    CHECK(e.problems()[2].place.line == 6);
    CHECK_THAT(e.problems()[2].message, Contains("wants a string"));
  }
  CHECK(o.band.empty());
}

TEST_CASE("what is no name of a variable and no file is refused as a secret, and not shown") {
  struct Owner : OptionOwner {
    Option<Secret> token{this, "token", Secret{"MY_TOKEN"}, "token of the archive"};
  } owner;
  owner.token.set({std::string("file:/run/secrets/token")});
  owner.token.set({std::string("OTHER_TOKEN_2")});
  CHECK(owner.token->where == "OTHER_TOKEN_2");
  for (const char* text : {"", "file:", "t0ken-of-mine", "9abc9f", "a b"}) {
    try {
      owner.token.set({std::string(text)});
      FAIL("taken: " << text);
    } catch (const UsageError& e) {
      CHECK_THAT(e.what(), Contains("never the secret itself"));
      CHECK_THAT(e.what(), !Contains("t0ken-of-mine") && !Contains("9abc9f"));
    }
  }
}
