// Conditions on columns.
#include "relate/cut.hpp"

#include <catch2/catch.hpp>
#include <cmath>

#include "qsohost/error.hpp"

namespace {

using qsohost::cli::Cut;

bool holds(std::string_view text, const std::vector<double>& values) {
  return Cut(text, "--cut").holds(values);
}

std::string error_of(std::string_view text) {
  try {
    const Cut cut(text, "--cut");
    return "none";
  } catch (const qsohost::UsageError& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a cut compares columns and numbers") {
  const Cut cut("1 <= z < 1.1 and not (n_epochs < 10 or \"2RXS flux\" > 1e-3)", "--cut");
  CHECK(cut.columns() == std::vector<std::string>{"z", "n_epochs", "2RXS flux"});
  CHECK(cut.holds(std::vector{1.0, 10.0, 0.0}));
  CHECK_FALSE(cut.holds(std::vector{1.1, 10.0, 0.0}));
  CHECK_FALSE(cut.holds(std::vector{1.0, 9.0, 0.0}));
  CHECK_FALSE(cut.holds(std::vector{1.0, 10.0, 0.002}));
}

TEST_CASE("operators of a cut bind as usual") {
  CHECK(holds("1 + 2 * 3 == 7", {}));
  CHECK(holds("(1 + 2) * 3 == 9", {}));
  CHECK(holds("8 / 2 / 2 == 2", {}));
  CHECK(holds("2 - -1 == 3", {}));
  CHECK(holds("1 > 2 and 1 > 2 or 1 < 2", {}));
  CHECK(holds("flags & 131072 == 131072", {131072 + 4}));
  CHECK_FALSE(holds("(flags & 131072) == 0", {131072 + 4}));
  CHECK(holds("x == 1.5e-3", {0.0015}));
}

TEST_CASE("a missing value fails every comparison") {
  for (const char* text : {"x < 1", "x >= 1", "x == 1", "x != 1"}) {
    INFO(text);
    CHECK_FALSE(holds(text, {std::nan("")}));
  }
}

TEST_CASE("a wrong cut is refused with the place of the error") {
  CHECK(error_of("z <") == "--cut 'z <', column 4: a number or a column is needed at the end");
  CHECK(error_of("z = 2") == "--cut 'z = 2', column 3: write '==' for equality");
  CHECK(error_of("z") == "--cut 'z', column 1: a condition such as 'z < 2' is needed here");
  CHECK(error_of("(z > 1") == "--cut '(z > 1', column 1: this '(' needs a ')'");
  CHECK(error_of("z > 1 y") == "--cut 'z > 1 y', column 7: 'y' is not expected here");
  CHECK(error_of("z > \"a") == "--cut 'z > \"a', column 5: this '\"' is not closed; add one");
  CHECK(error_of("(z > 1) + 2 < 3").find("column 1: a number or a column is needed") !=
        std::string::npos);
  CHECK(error_of("z > 1.2.3").find("column 5: '1.2.3' is no number") != std::string::npos);
  CHECK(error_of("").find("column 1") != std::string::npos);
}
