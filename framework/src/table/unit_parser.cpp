#include "table/unit_parser.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <numbers>
#include <utility>

#include "qsohost/names.hpp"

namespace qsohost::inline io_v1 {

namespace {

// Limits that keep nonsense from overflowing: no real unit comes near them. That of the length also
// limits how deep parentheses nest.
constexpr std::size_t kLongest = 100;
constexpr int kMaxExponent = 100;
constexpr int kMaxPowerOfTen = 1000;

constexpr Dimensions kTime{0, 1};
constexpr Dimensions kLength{0, 0, 1};
constexpr Dimensions kMass{0, 0, 0, 1};
constexpr Dimensions kElectron{0, 0, 0, 0, 0, 1};
constexpr Dimensions kEnergy{0, -2, 2, 1};
constexpr Dimensions kPower{0, -3, 2, 1};
constexpr Dimensions kFrequency{0, -1};
constexpr Dimensions kFluxDensity{0, -2, 0, 1};

struct Row {
  std::string_view name;
  double up;
  int ten;
  Dimensions dimensions;
  bool takes_prefix = false;
};

constexpr double kDay = 86400;
constexpr double kYear = 365.25 * kDay;
constexpr double kAu = 149597870700;
constexpr double kMaggy = 3631;  // Jy; AB magnitude 0
constexpr double kRadian = 648000 / std::numbers::pi;

constexpr auto kRows = std::to_array<Row>({
    {"deg", 3600, 0, kAngle},
    {"degree", 3600, 0, kAngle},
    {"°", 3600, 0, kAngle},
    {"rad", kRadian, 0, kAngle, true},
    {"radian", kRadian, 0, kAngle, true},
    {"hourangle", 54000, 0, kAngle},
    {"arcmin", 60, 0, kAngle},
    {"arcminute", 60, 0, kAngle},
    {"arcsec", 1, 0, kAngle, true},
    {"arcsecond", 1, 0, kAngle, true},
    {"mas", 1, -3, kAngle},
    {"uas", 1, -6, kAngle},
    {"µas", 1, -6, kAngle},

    {"s", 1, 0, kTime, true},
    {"sec", 1, 0, kTime},
    {"second", 1, 0, kTime, true},
    {"min", 60, 0, kTime},
    {"minute", 60, 0, kTime},
    {"h", 3600, 0, kTime},
    {"hr", 3600, 0, kTime},
    {"hour", 3600, 0, kTime},
    {"d", kDay, 0, kTime},
    {"day", kDay, 0, kTime},
    // What columns of dates often say in place of days.
    {"MJD", kDay, 0, kTime},
    {"JD", kDay, 0, kTime},
    {"HJD", kDay, 0, kTime},
    {"BJD", kDay, 0, kTime},
    {"HMJD", kDay, 0, kTime},
    {"BMJD", kDay, 0, kTime},
    {"a", kYear, 0, kTime},
    {"yr", kYear, 0, kTime, true},
    {"year", kYear, 0, kTime},

    {"m", 1, 0, kLength, true},
    {"micron", 1, -6, kLength},
    {"Angstrom", 1, -10, kLength},
    {"Ang", 1, -10, kLength},
    {"AA", 1, -10, kLength},
    {"Å", 1, -10, kLength},
    {"AU", kAu, 0, kLength},
    {"pc", kAu* kRadian, 0, kLength, true},
    {"lyr", kYear * 299792458, 0, kLength},

    {"mag", 1, 0, kMagnitude, true},
    {"magnitude", 1, 0, kMagnitude, true},

    {"electron", 1, 0, kElectron},
    {"e-", 1, 0, kElectron},
    {"g", 1, 0, kMass, true},
    {"erg", 1, -4, kEnergy},
    {"J", 1, 3, kEnergy, true},
    {"W", 1, 3, kPower, true},
    {"Hz", 1, 0, kFrequency, true},
    {"Jy", 1, -23, kFluxDensity, true},
    {"jansky", 1, -23, kFluxDensity, true},
    {"maggy", kMaggy, -23, kFluxDensity, true},
    {"mgy", kMaggy, -23, kFluxDensity, true},
    {"Mgy", kMaggy, -23, kFluxDensity, true},
});

constexpr auto kPrefixes = std::to_array<std::pair<std::string_view, int>>({
    {"da", 1},  {"d", -1}, {"c", -2},     {"m", -3},     {"u", -6},    {"µ", -6},
    {"μ", -6},  {"n", -9}, {"p", -12},    {"f", -15},    {"a", -18},   {"z", -21},
    {"y", -24}, {"h", 2},  {"k", 3},      {"M", 6},      {"G", 9},     {"T", 12},
    {"P", 15},  {"E", 18}, {"Z", 21},     {"Y", 24},     {"r", -27},   {"R", 27},
    {"q", -30}, {"Q", 30}, {"milli", -3}, {"micro", -6}, {"nano", -9},
});

std::optional<Unit> unit_of(const Row* row, int ten = 0) {
  if (row == kRows.end()) return std::nullopt;
  return Unit{row->up, 1, row->ten + ten, row->dimensions};
}

// Case counts where it tells a prefix or a symbol from another (mJy, MJy); it does not in whole
// names ("DEG", "Degrees").
std::optional<Unit> named(std::string_view name) {
  if (const auto unit = unit_of(std::ranges::find(kRows, name, &Row::name))) return unit;
  for (const auto& [prefix, ten] : kPrefixes) {
    if (!name.starts_with(prefix)) continue;
    const auto* const row = std::ranges::find(kRows, name.substr(prefix.size()), &Row::name);
    if (row != kRows.end() && row->takes_prefix) return unit_of(row, ten);
  }
  const auto any_case = [](std::string_view word) {
    return unit_of(std::ranges::find_if(kRows, [&](const Row& row) {
      return row.name.size() > 1 && lower_case(row.name) == lower_case(word);
    }));
  };
  if (const auto unit = any_case(name)) return unit;
  if (name.size() < 3 || (name.back() != 's' && name.back() != 'S')) return std::nullopt;
  return any_case(name.substr(0, name.size() - 1));  // plural
}

bool within(int value, int limit) {
  return value >= -limit && value <= limit;
}

bool is_sane(const Unit& unit) {
  return within(unit.ten, kMaxPowerOfTen) &&
         std::ranges::all_of(unit.dimensions, [](int e) { return within(e, kMaxExponent); });
}

// `exponent` within kMaxExponent. Factors that become 0 or infinite are left to unit_factor.
Unit to_the(Unit unit, int exponent) {
  if (exponent < 0) std::swap(unit.up, unit.down);
  unit.up = std::pow(unit.up, std::abs(exponent));
  unit.down = std::pow(unit.down, std::abs(exponent));
  unit.ten *= exponent;
  for (int& e : unit.dimensions) e *= exponent;
  return unit;
}

Unit product(Unit a, const Unit& b) {
  a.up *= b.up;
  a.down *= b.down;
  a.ten += b.ten;
  for (std::size_t i = 0; i < a.dimensions.size(); ++i) a.dimensions[i] += b.dimensions[i];
  return a;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter(char c) {  // bytes of µ, Å and ° too
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
         static_cast<unsigned char>(c) >= 0x80;
}

//   text:    [scale] [product]          product: ["/"] factor { ["*" | "." | "/"] factor }
//   factor:  (name | "(" product ")") [power]
//   power:   ["**" | "^"] (integer | "(" integer ")")
class Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  std::optional<Unit> parse() {
    Unit unit;
    if (!rest_.empty() && is_digit(rest_[0])) {
      const std::optional<Unit> number = scale();
      if (!number) return std::nullopt;
      unit = *number;
      skip_blanks();
      if (rest_.empty()) return unit;
      take("*");
    }
    const std::optional<Unit> units = product_of_factors();
    if (!units || !rest_.empty()) return std::nullopt;
    unit = product(unit, *units);
    return is_sane(unit) ? std::optional(unit) : std::nullopt;
  }

 private:
  void skip_blanks() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }

  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }

  std::optional<int> integer() {
    const bool has_plus = take("+");
    if (has_plus && rest_.starts_with('-')) return std::nullopt;
    int value = 0;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
    if (error != std::errc{}) return std::nullopt;
    rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
    return value;
  }

  // A number in front: "1e-17", "0.1", "10**-3", "10-3". Powers of ten are kept exactly.
  std::optional<Unit> scale() {
    Unit unit;
    const char* const begin = rest_.data();
    const auto [end, error] =
        std::from_chars(begin, begin + rest_.size(), unit.up, std::chars_format::fixed);
    if (error != std::errc{} || unit.up == 0) return std::nullopt;
    const std::string_view digits(begin, static_cast<std::size_t>(end - begin));
    rest_.remove_prefix(digits.size());
    std::optional<int> ten = 0;
    if (rest_.size() > 1 && (rest_[0] == 'e' || rest_[0] == 'E') && !is_letter(rest_[1])) {
      rest_.remove_prefix(1);
      ten = integer();
    } else if (digits == "10") {
      unit.up = 1;
      ten = has_power() ? power() : 1;
    }
    if (!ten || !within(*ten, kMaxPowerOfTen)) return std::nullopt;
    unit.ten = *ten;
    return unit;
  }

  bool has_power() const {
    return !rest_.empty() && (rest_.starts_with("**") || is_digit(rest_[0]) ||
                              std::string_view("^+-(").find(rest_[0]) != std::string_view::npos);
  }

  std::optional<int> power() {
    if (!take("**")) take("^");
    const bool in_parentheses = take("(");
    const std::optional<int> value = integer();
    if (in_parentheses && !take(")")) return std::nullopt;
    return value;
  }

  std::string_view name() {
    const std::string_view from = rest_;
    while (!rest_.empty() && is_letter(rest_[0])) rest_.remove_prefix(1);
    std::size_t length = from.size() - rest_.size();
    // "e-" is the electron, unless a digit makes it a power.
    const bool is_electron = from.starts_with("e-") && (from.size() == 2 || !is_digit(from[2]));
    if (length == 1 && is_electron) {
      rest_.remove_prefix(1);
      length = 2;
    }
    return from.substr(0, length);
  }

  std::optional<Unit> factor() {
    std::optional<Unit> unit;
    if (take("(")) {
      unit = product_of_factors();
      if (!take(")")) return std::nullopt;
    } else {
      const bool is_quoted = take("'");  // VOUnit quotes units that it has no symbol for
      unit = named(name());
      if (is_quoted && !take("'")) return std::nullopt;
    }
    if (!unit || !has_power()) return unit;
    const std::optional<int> exponent = power();
    if (!exponent || !within(*exponent, kMaxExponent)) return std::nullopt;
    unit = to_the(*unit, *exponent);
    return is_sane(*unit) ? unit : std::nullopt;
  }

  std::optional<Unit> product_of_factors() {
    Unit all;
    bool has_quotient = false;
    skip_blanks();
    bool divides = take("/");
    while (true) {
      skip_blanks();
      const std::optional<Unit> one = factor();
      if (!one) return std::nullopt;
      all = product(all, to_the(*one, divides ? -1 : 1));
      if (!is_sane(all)) return std::nullopt;
      has_quotient = has_quotient || divides;
      skip_blanks();
      if (rest_.empty() || rest_.starts_with(')')) return all;
      divides = take("/");
      // What follows a quotient as a factor, "erg/s cm2", may be meant above or below the stroke.
      if (!divides && has_quotient) return std::nullopt;
      if (!divides && !take("*")) take(".");
    }
  }

  std::string_view rest_;
};

}  // namespace

std::optional<Unit> parse_unit(std::string_view text) {
  if (text.size() > kLongest) return std::nullopt;
  return Parser(text).parse();
}

}  // namespace qsohost::inline io_v1
