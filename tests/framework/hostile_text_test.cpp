// Texts that others have made, where they become part of a path, a query, or what a terminal shows.
#include <catch2/catch.hpp>

#include <string>

#include "qsohost/adql.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/printable.hpp"
#include "qsohost/object_path.hpp"

using namespace qsohost;
using namespace std::string_literals;
using Catch::Matchers::Contains;

TEST_CASE("an identifier becomes a part of a path, wherever the pattern has it") {
  CHECK(object_path("answers/{source_id}.csv", "42") == "answers/42.csv");
  CHECK(object_path("/a/{source_id}/{source_id}.csv", "-rf") == "/a/-rf/-rf.csv");
  CHECK(object_path("../{source_id}/", "..x") == "../..x/");
  CHECK(object_path("a{source_id}b", "..") == "a..b");  // not a folder of its own
  CHECK(object_path("{source_id}", "{source_id}") == "{source_id}");
}

TEST_CASE("an identifier that leads out of the pattern's folder is bad") {
  const auto refused = [](const std::string& pattern, const std::string& id, const char* why) {
    CHECK_THROWS_AS(object_path(pattern, id), BadObject);
    CHECK_THROWS_WITH(object_path(pattern, id),
                      Contains("cannot be part of a file name") && Contains(why));
  };
  refused("a/{source_id}/lc.csv", "..", "'..' is another folder");
  refused("a/{source_id}/lc.csv", ".", "'.' is another folder");
  refused("a/.{source_id}/lc.csv", ".", "'..' is another folder");
  refused("a/{source_id}{source_id}", ".", "'..' is another folder");
  refused("a/{source_id}.csv", "../../etc/passwd", "'/'");
  refused("a/{source_id}.csv", "/etc/passwd", "'/'");
  refused("a/{source_id}.csv", "", "empty");
  refused("a/{source_id}.csv", "x\0y"s, "control character");
  refused("a/{source_id}.csv", "x\ny", "control character");
  refused("a/{source_id}.csv", std::string(252, 'x'), "has 256 bytes; a name has at most 255");
}

TEST_CASE("names in ADQL stay names") {
  for (const char* good :
       {"gaia_source", "gaiadr3.gaia_source", "\"I/355/gaiadr3\"", "a.\"b.c\".d", "\"a\"\"b\""}) {
    CHECK(adql_name(good) == good);
  }
  CHECK(adql_name("I/355/gaiadr3") == "\"I/355/gaiadr3\"");
  CHECK(adql_name("x; DROP TABLE y") == "\"x; DROP TABLE y\"");
  CHECK(adql_name("x\"; DROP TABLE y --") == "\"x\"\"; DROP TABLE y --\"");
  CHECK(adql_name("\"x\"; DROP TABLE \"y\"") == "\"\"\"x\"\"; DROP TABLE \"\"y\"\"\"");
  CHECK(adql_name("a.\"b") == "\"a.\"\"b\"");
  CHECK(adql_name("a.") == "\"a.\"");
  CHECK(adql_name("x /* */") == "\"x /* */\"");
  CHECK(adql_name("1a") == "\"1a\"");
  CHECK(adql_name("\"\"") == "\"\"\"\"\"\"");
  CHECK(adql_name("") == "\"\"");
  CHECK(adql_literal("it's '") == "'it''s '''");
}

TEST_CASE("what a terminal would obey is shown by its code") {
  const std::string plain = "a\tb\n\xC3\xA9 \xE2\x80\x94 \xF0\x9F\x94\xAD {\"\\\"}";
  CHECK(printable(plain) == plain);
  CHECK(printable("\x1b[2J\x07\r\x7f") == "\\u001b[2J\\u0007\\u000d\\u007f");
  CHECK(printable("a\0b"s) == "a\\u0000b");
  CHECK(printable("\xC2\x9B"
                  "31m") == "\\u009b31m");                           // C1: another CSI
  CHECK(printable("\xE2\x80\xAE\xE2\x81\xA6") == "\\u202e\\u2066");  // direction
  CHECK(printable("\xE2\x80\xA8") == "\\u2028");
  CHECK(printable("\x9B"
                  "31m\xFF") == "\\x9b31m\\xff");
  CHECK(printable("\xC0\xAF") == "\\xc0\\xaf");           // an overlong slash
  CHECK(printable("\xED\xA0\x80") == "\\xed\\xa0\\x80");  // half of a surrogate pair
  CHECK(printable("\xE2\x80") == "\\xe2\\x80");
}
