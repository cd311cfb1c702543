#include <catch2/catch.hpp>

#include <qsohost/io/text.hpp>

#include <cmath>
#include <limits>
#include <string>

using namespace qsohost;

TEST_CASE("integers: 64 bits, hexadecimal, blanks, plus") {
  CHECK(parse_int("675103300002930") == 675103300002930);
  CHECK(parse_int("9223372036854775807") == std::numeric_limits<std::int64_t>::max());
  CHECK(parse_int("-12") == -12);
  CHECK(parse_int("0x5") == 5);
  CHECK(parse_int("0Xf") == 15);
  CHECK(parse_int("  7\t") == 7);
  CHECK(parse_int("+7") == 7);
  CHECK(parse_int("007") == 7);
}

TEST_CASE("what is no integer gives none") {
  for (const char* text : {"", " ", "null", "5.0", "1e3", "0x", "0xg", "0x-5", "+-5", "12a",
                           "9223372036854775808", "nan"}) {
    INFO(text);
    CHECK_FALSE(parse_int(text).has_value());
  }
}

TEST_CASE("floats") {
  CHECK(parse_double("58296.483044000001") == 58296.483044000001);
  CHECK(parse_double("6.1607032E-05") == 6.1607032e-05);
  CHECK(parse_double("+1.5 ") == 1.5);
  CHECK(std::isnan(parse_double("NaN").value()));
  CHECK(std::isnan(parse_float(" nan").value()));
  for (const char* text : {"", "null", "--", "1.5x", "1,5", "0x5", "+-1", "1.5 2"}) {
    INFO(text);
    CHECK_FALSE(parse_double(text).has_value());
    CHECK_FALSE(parse_float(text).has_value());
  }
}

TEST_CASE("a float is rounded once, from the text") {
  CHECK(parse_float("0.725000024") == 0.725f);
  // Just above the middle of two floats; as a double it is the middle itself, and would go down.
  const char* text = "1.000000059604644775390626";
  CHECK(static_cast<float>(parse_double(text).value()) == 1.0f);
  CHECK(parse_float(text) == std::nextafter(1.0f, 2.0f));
}

TEST_CASE("floats out of range are 0 or infinite, and stay numbers") {
  for (const char* text : {"1e-400", " +1E-400 ", "0.0e-999999999999999999999", "1e-5000"}) {
    INFO(text);
    CHECK(parse_double(text) == 0.0);
  }
  CHECK(std::signbit(parse_double("-1e-400").value()));
  CHECK(parse_double("1e-310") == 1e-310);
  CHECK(parse_double("1e400") == std::numeric_limits<double>::infinity());
  CHECK(parse_double("-1" + std::string(400, '0')) == -std::numeric_limits<double>::infinity());
  CHECK(parse_double("0." + std::string(400, '0') + "1") == 0.0);
  CHECK(parse_float("1e-60") == 0.0f);
  CHECK(parse_float("1e39") == std::numeric_limits<float>::infinity());
  CHECK_FALSE(parse_double("1e400x").has_value());
  CHECK_FALSE(parse_int("99999999999999999999").has_value());
}

TEST_CASE("floats with the exponents that Fortran writes") {
  CHECK(parse_double("1.5D+00") == 1.5);
  CHECK(parse_double(" -2.5d-3 ") == -2.5e-3);
  CHECK(parse_float("1D2") == 100.0f);
  for (const char* text : {"D", "D5", "1.5D", "1D+", "1D5D6", "1eD", "0x1D"}) {
    INFO(text);
    CHECK_FALSE(parse_double(text).has_value());
  }
}

TEST_CASE("missing is not malformed") {
  for (const char* text : {"", "  ", "null", "NULL", " Null ", "NA", "na", "N/A", "--", "None",
                           "nan", "NaN", "-nan", "\\N"}) {
    INFO(text);
    CHECK(is_missing(text));
  }
  for (const char* text : {"-", "---", "nano", "N", "/", "0", "inf", "none."}) {
    INFO(text);
    CHECK_FALSE(is_missing(text));
  }
}
