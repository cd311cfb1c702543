// Factors between units. The numbers are those of astropy.units 5.2, which knows the same units;
// astropy rounds some of them twice, hence the tolerance.
#include "qsohost/io/units.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/error.hpp"

using namespace qsohost;
using Catch::Contains;

namespace {

struct Golden {
  std::string_view from;
  std::string_view to;
  double factor;
};

void check_golden(const std::vector<Golden>& rows) {
  for (const Golden& row : rows) {
    INFO(row.from << " -> " << row.to);
    const auto factor = unit_factor(row.from, row.to);
    REQUIRE(factor);
    CHECK(std::abs(*factor / row.factor - 1) < 1e-15);
  }
}

// Every spelling on a row is the same unit.
void check_same(const std::vector<std::vector<std::string_view>>& rows) {
  for (const auto& row : rows) {
    for (const std::string_view spelling : row) {
      INFO(spelling << " -> " << row[0]);
      CHECK(unit_factor(spelling, row[0]) == 1);
    }
  }
}

void check_none(std::string_view to, const std::vector<std::string_view>& units) {
  for (const std::string_view unit : units) {
    INFO(unit << " -> " << to);
    CHECK_FALSE(unit_factor(unit, to));
  }
}

Column numbers(std::string unit, const std::vector<double>& values) {
  Column column({"t", DType::F64, std::move(unit), "when"});
  for (const double value : values) column.append(value);
  return column;
}

std::string refusal(Column column, std::string_view to) {
  try {
    convert_unit(column, to, "t.fits", "left_ra");
  } catch (const RunError& e) {
    return e.what();
  }
  return "none";
}

}  // namespace

TEST_CASE("units of angles, times, magnitudes and fluxes have astropy's factors") {
  check_golden({
      {"rad", "deg", 57.29577951308232},
      {"deg", "rad", 0.017453292519943295},
      {"hourangle", "deg", 15},
      {"hourangle", "rad", 0.2617993877991494},
      {"arcmin", "deg", 0.016666666666666666},
      {"arcsec", "deg", 0.0002777777777777778},
      {"mas", "deg", 2.777777777777778e-07},
      {"uas", "deg", 2.7777777777777777e-10},
      {"deg", "mas", 3.6e6},
      {"yr", "d", 365.25},
      {"h", "d", 0.041666666666666664},
      {"min", "d", 0.0006944444444444445},
      {"s", "d", 1.1574074074074073e-05},
      {"ms", "d", 1.1574074074074074e-08},
      {"ns", "d", 1.1574074074074075e-14},
      {"d", "s", 86400},
      {"Myr", "s", 31557600000000},
      {"mmag", "mag", 0.001},
      {"mag/yr", "mmag/d", 2.737850787132101},
      {"mJy", "Jy", 1e-3},
      {"uJy", "Jy", 1e-6},
      {"nJy", "uJy", 1e-3},
      {"erg s-1 cm-2 Hz-1", "Jy", 1e23},
      {"10**-29 W m-2 Hz-1", "uJy", 1e3},
      {"10-3 Jy", "mJy", 1},
      {"1e-17 erg/(s cm2 Angstrom)", "W m-2 um-1", 1e-16},
      {"erg/s/cm2/nm", "erg/s/cm2/Angstrom", 0.1},
      {"mas/yr", "deg/d", 7.605141075366948e-10},
      {"km/s", "pc/yr", 1.022712165045695e-06},
      {"AU", "m", 149597870700},
      {"pc", "AU", 206264.80624709636},
      {"lyr", "m", 9460730472580800},
      {"electron/min", "electron/s", 0.016666666666666666},
  });
}

TEST_CASE("factors that are ratios of integers are exact") {
  CHECK(unit_factor("deg", "mas") == 3.6e6);
  CHECK(unit_factor("mas", "deg") == 1 / 3.6e6);
  CHECK(unit_factor("h", "deg") == 15);
  CHECK(unit_factor("d", "ns") == 8.64e13);
  CHECK(unit_factor("erg/s/cm2/Hz", "Jy") == 1e23);
  CHECK(unit_factor("1e-23 erg/s/cm2/Hz", "Jy") == 1);
  CHECK(unit_factor("nJy", "Jy") == 1e-9);
}

TEST_CASE("a unit may be spelled in many ways") {
  check_same({
      {"deg", "degree", "degrees", "Degree", "DEG", "Degrees", " deg ", "°"},
      {"rad", "radian", "radians", "Radian"},
      {"arcsec", "arcseconds", "ARCSEC", "arcsecond", "Arcsec", "'arcsec'"},
      {"mas", "milliarcsec", "milliarcsecond", "marcsec", "MAS"},
      {"uas", "uarcsec", "µas", "microarcsec"},
      {"d", "day", "days", "Days", "DAY"},
      {"s", "sec", "second", "seconds", "SEC"},
      {"h", "hr", "hrs", "hour", "hours"},
      {"min", "minute", "minutes"},
      {"yr", "a", "year", "years", "yrs"},
      {"mag", "mags", "magnitude", "magnitudes", "MAG", "mag(AB)", "mag (Vega)", "ABmag", "AB mag"},
      {"mmag", "millimag", "mmag(AB)", "10-3mag", "10**-3 mag", "0.001 mag"},
      {"Jy", "JY", "Jansky", "jansky", "Jy "},
      {"uJy", "µJy", "μJy", "microJy", "1e-6 Jy", "10^-6 Jy", "10**(-6)*Jy", "1E-6Jy"},
      {"electron/s", "electron s-1", "electrons/s", "'electron'.s**-1", "e-/s", "e- s-1", "e-.s^-1",
       "electron / s"},
      {"erg/s/cm2/Hz", "erg s-1 cm-2 Hz-1", "erg/(s cm**2 Hz)", "erg.s^-1.cm^-2.Hz^-1",
       "erg s**-1 cm**-2 Hz**-1", "ergs/s/cm^2/Hz", "erg / (Hz s cm2)", "erg/s/cm(2)/Hz",
       "erg*s-1*cm-2*Hz(-1)", "cm-2erg s-1Hz-1", "mW m-2 s", "erg (s cm2 Hz)-1"},
      {"1/d", "d-1", "/d", "d**-1", "1/day"},
      {"Angstrom", "angstrom", "Angstroms", "AA", "Å", "0.1nm"},
      {"dam", "10 m"},
  });
}

TEST_CASE("an hour is an angle beside angles only") {
  CHECK(unit_factor("h", "deg") == 15);
  CHECK(unit_factor("deg", "hours") == 1 / 15.0);
  CHECK(unit_factor("h", "hourangle") == 1);
  CHECK(unit_factor("h", "s") == 3600);
  check_none("deg", {"min", "s", "d", "h/d", "h2", "yr"});
  check_none("d", {"hourangle", "deg"});
}

TEST_CASE("what measures something else, or is not known, has no factor") {
  check_none("deg", {"kg", "mag", "deg/yr", "deg2", "pixel", "1", "dex"});
  check_none("mag", {"Jy", "mag/arcsec2", "log(mag)", "[mag]", "[10-3]mag", "Jy(AB)", "magg"});
  check_none("Jy", {"mjy", "MJY", "erg/s/cm2", "erg/s/cm2/Angstrom", "W/m2/Hz/A"});
  check_none("d", {"BJD - 2457000, days", "dd", "kd", "Hz"});
  check_none("electron/s", {"e-1", "ct/s", "Hz", "electron"});
  CHECK_FALSE(unit_factor("mag(AB)", "mag(Vega)"));
  CHECK(unit_factor("mag(AB)", "mag(ab)") == 1);
}

TEST_CASE("a product after a quotient can be read in two ways, so it is not read") {
  check_none("erg s-1 cm-2",
             {"erg/s cm-2", "erg/s.cm2", "erg/s*cm2", "erg/cm2 s-1", "/s erg cm-2"});
}

TEST_CASE("equal spellings need no knowledge, and no unit is any") {
  CHECK(unit_factor("furlong/fortnight", " furlong/fortnight") == 1);
  for (const std::string_view none : {"", " ", "-", "---", "None", "null"}) {
    CHECK(unit_factor(none, "deg") == 1);
    CHECK(unit_factor("furlong", none) == 1);
  }
}

TEST_CASE("case tells prefixes apart") {
  CHECK(unit_factor("MJy", "mJy") == 1e9);
  CHECK(unit_factor("Ms", "ms") == 1e9);
  CHECK(unit_factor("Pm", "pm") == 1e27);
}

TEST_CASE("nonsense is no unit, however long, deep or large") {
  const std::string deep(20000, '(');
  const std::string nested = "((((((((((m20)20)20)20)20)20)20)20)20)20)";
  std::string many;
  for (int i = 0; i < 40; ++i) many += "s9";
  const std::vector<std::string> texts{deep,        deep + "m",
                                       nested,      many,
                                       "m99999",    "m-99999999999999999999",
                                       "10**9999",  "1e99999 m",
                                       "1e999 m",   "0 m",
                                       "0.0m",      "1e m",
                                       "-1 m",      "+1 m",
                                       "m**",       "m^",
                                       "m(",        "m(2",
                                       "(m",        "m)",
                                       "()",        "/",
                                       "m/",        "m//s",
                                       "m**2**2",   "m+-2",
                                       "*m",        "m*",
                                       "1*",        "'m",
                                       "'",         "''",
                                       "m 2",       "m2.5",
                                       "m(1/2)",    "sqrt(m)",
                                       "e-",        "(AB)",
                                       "\xff\xfe",  "inf m",
                                       "nan",       "10(m)",
                                       "1e300 m9",  "((Pm100)9)",
                                       "1e-400 m2", std::string("m\0s", 3),
                                       "10**-+3 m", "1e400 1e400 m"};
  for (const std::string& text : texts) {
    INFO(text.substr(0, 60));
    CHECK_FALSE(unit_factor(text, "m"));
    CHECK_FALSE(unit_factor("m", text));
  }
}

TEST_CASE("factors of random units invert, chain, and take part in powers and quotients") {
  const std::vector<std::vector<std::string>> kinds{
      {"deg", "rad", "hourangle", "arcmin", "arcsec", "mas", "uas", "urad"},
      {"d", "s", "ms", "ns", "min", "yr", "kyr", "days"},
      {"m", "cm", "Angstrom", "um", "kpc", "AU"},
      {"mag", "mmag"},
      {"erg", "J", "W s", "kg m2 s-2"},
      {"Jy", "nJy", "W m-2 Hz-1", "erg/s/cm2/Hz"}};
  std::mt19937_64 random(1);
  const auto pick = [&](std::size_t n) { return random() % n; };
  const auto near = [](double a, double b) { return std::abs(a / b - 1) < 1e-14; };
  for (int i = 0; i < 3000; ++i) {
    const auto& above = kinds[pick(kinds.size())];
    const auto& below = kinds[pick(kinds.size())];
    const std::string& a = above[pick(above.size())];
    const std::string& b = above[pick(above.size())];
    const std::string& c = above[pick(above.size())];
    const std::string& d = below[pick(below.size())];
    const std::string& e = below[pick(below.size())];
    INFO(a << ", " << b << ", " << c << " over " << d << ", " << e);
    const double ab = unit_factor(a, b).value();
    const double de = unit_factor(d, e).value();
    CHECK(near(ab * unit_factor(b, a).value(), 1));
    CHECK(near(ab * unit_factor(b, c).value(), unit_factor(a, c).value()));
    const auto quotient = [](const std::string& x, const std::string& y) {
      return "(" + x + ")2/(" + y + ")";
    };
    CHECK(near(unit_factor(quotient(a, d), quotient(b, e)).value(), ab * ab / de));
  }
}

TEST_CASE("random texts are taken or refused, never worse") {
  const std::vector<std::string> pieces{
      "m", "s", "erg", "Jy",    "10",  "1e",   "-",  "+", "**",   "^", "(", ")", "/", "*",  ".",
      " ", "'", "9",   "99999", "mag", "(AB)", "e-", "µ", "\xc2", "k", "[", "]", "0", "AB", "h"};
  std::mt19937_64 random(2);
  for (int i = 0; i < 50000; ++i) {
    std::string text;
    for (std::size_t n = 1 + random() % 12; n > 0; --n) text += pieces[random() % pieces.size()];
    const auto factor = unit_factor(text, "s");
    INFO(text);
    if (factor) CHECK((std::isfinite(*factor) && *factor > 0));
  }
}

TEST_CASE("columns are converted in place") {
  Column times = numbers("s", {86400, 43200});
  times.set_null(1);
  convert_unit(times, "d", "t.fits", "time");
  CHECK(times.info().unit == "d");
  CHECK(times.info().description == "when");
  CHECK(times.values<double>()[0] == 1);
  CHECK(times.is_null(1));

  Column floats({"ra", DType::F32, "h", "", 2});
  for (const float value : {1.F, 2.F}) floats.append(value);
  convert_unit(floats, "deg", "t.fits", "ra");
  CHECK(floats.dtype() == DType::F32);
  CHECK(floats.size() == 1);
  CHECK(floats.values<float>()[1] == 30);
}

TEST_CASE("integers become f64 where they are converted, and only there") {
  Column column({"ra", DType::I32, "arcsec", "", 2});
  for (const std::int32_t value : {3600, 1800, 7200, 0}) column.append(value);
  column.set_null(2);
  convert_unit(column, "deg", "t.fits", "ra");
  REQUIRE(column.dtype() == DType::F64);
  CHECK(column.width() == 2);
  CHECK(column.values<double>()[1] == 0.5);
  CHECK(column.is_null(2));
  CHECK(std::isnan(column.values<double>()[2]));
  CHECK_FALSE(column.is_null(3));

  Column same({"id", DType::I64, "Days", ""});
  same.append(std::int64_t{9007199254740993});
  convert_unit(same, "d", "t.fits", "time");
  CHECK(same.values<std::int64_t>()[0] == 9007199254740993);
  CHECK(same.info().unit == "d");
}

TEST_CASE("a column without a unit is taken as it is") {
  Column column = numbers("", {1.5});
  convert_unit(column, "deg", "t.fits", "ra");
  CHECK(column.values<double>()[0] == 1.5);
  CHECK(column.info().unit == "deg");
  convert_unit(column, "", "t.fits", "ra");
  CHECK(column.info().unit == "deg");
}

TEST_CASE("a refusal names file, column, option, unit and what is wanted") {
  CHECK(refusal(numbers("kg", {1}), "deg") ==
        "t.fits: column 't' (option 'left_ra') has the unit 'kg', but deg is wanted; correct the "
        "unit or name another column");
  CHECK_THAT(refusal(Column({"t", DType::String, "rad", ""}), "deg"),
             Contains("column 't'") && Contains("string values cannot be converted"));
  CHECK(refusal(Column({"t", DType::String, "deg", ""}), "deg") == "none");
}
