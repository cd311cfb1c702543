#include "relate/cut.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <utility>

#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"

namespace qsohost::cli {
namespace {

using Values = std::span<const double>;
using Number = std::function<double(Values)>;
using Condition = std::function<bool(Values)>;

// A part of the text: a number or a condition, the other one is empty.
struct Part {
  std::size_t at = 0;  // where it begins
  Number number{};
  Condition condition{};
};

bool compare(std::string_view op, double a, double b) {
  if (op == "<") return a < b;
  if (op == "<=") return a <= b;
  if (op == ">") return a > b;
  if (op == ">=") return a >= b;
  if (op == "==") return a == b;
  return a < b || a > b;  // false of NaN
}

double calculate(char op, double a, double b) {
  switch (op) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    default: {
      constexpr double kMost = 9e18;
      if (!(std::abs(a) < kMost && std::abs(b) < kMost)) return std::nan("");
      return static_cast<double>(static_cast<std::int64_t>(a) & static_cast<std::int64_t>(b));
    }
  }
}

class Parser {
 public:
  Parser(std::string_view text, std::string_view option, std::vector<std::string>& columns)
      : text_(text), option_(option), columns_(columns) {}

  Condition parse() {
    const Part all = alternatives();
    skip_blanks();
    if (at_ < text_.size()) fail(at_, fmt::format("'{}' is not expected here", text_.substr(at_)));
    return condition_of(all);
  }

 private:
  Part alternatives() {
    Part left = conjunction();
    while (take_word("or")) {
      const Part right = conjunction();
      left.condition = [a = condition_of(left), b = condition_of(right)](Values v) {
        return a(v) || b(v);
      };
    }
    return left;
  }

  Part conjunction() {
    Part left = negation();
    while (take_word("and")) {
      const Part right = negation();
      left.condition = [a = condition_of(left), b = condition_of(right)](Values v) {
        return a(v) && b(v);
      };
    }
    return left;
  }

  Part negation() {
    skip_blanks();
    const std::size_t at = at_;
    if (!take_word("not")) return comparison();
    const Part part = negation();
    return {at, {}, [a = condition_of(part)](Values v) { return !a(v); }};
  }

  Part comparison() {
    Part left = sum();
    Condition all;
    for (std::string_view op = take_comparison(); !op.empty(); op = take_comparison()) {
      Part right = sum();
      all = [all, op = std::string(op), a = number_of(left), b = number_of(right)](Values v) {
        return (!all || all(v)) && compare(op, a(v), b(v));
      };
      left = std::move(right);
    }
    return all ? Part{left.at, {}, all} : left;
  }

  Part sum() { return chain_of("+-", &Parser::product); }
  Part product() { return chain_of("*/&", &Parser::operand); }

  Part chain_of(std::string_view ops, Part (Parser::*next)()) {
    Part left = (this->*next)();
    for (skip_blanks(); at_ < text_.size() && ops.find(text_[at_]) != ops.npos; skip_blanks()) {
      const char op = text_[at_++];
      const Part right = (this->*next)();
      left.number = [op, a = number_of(left), b = number_of(right)](Values v) {
        return calculate(op, a(v), b(v));
      };
    }
    return left;
  }

  Part operand() {
    skip_blanks();
    const std::size_t at = at_;
    if (at == text_.size()) fail(at, "a number or a column is needed at the end");
    const char c = text_[at];
    if (c == '(') return in_parentheses();
    if (c == '"') return column(at, quoted());
    if (c == '-') {
      ++at_;
      const Part part = operand();
      return {at, [a = number_of(part)](Values v) { return -a(v); }, {}};
    }
    if (is_letter(c)) return column(at, std::string(word()));
    return literal();
  }

  Part in_parentheses() {
    const std::size_t at = at_++;
    Part part = alternatives();
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != ')') fail(at, "this '(' needs a ')'");
    ++at_;
    part.at = at;
    return part;
  }

  Part literal() {
    const std::size_t at = at_;
    while (at_ < text_.size() && is_of_number(at)) ++at_;
    const auto value = parse_double(text_.substr(at, at_ - at));
    if (at_ == at || !value) {
      fail(at, fmt::format("'{}' is no number and no column; put names that are no plain words "
                           "in double quotes",
                           text_.substr(at, std::max<std::size_t>(1, at_ - at))));
    }
    return {at, [number = *value](Values) { return number; }, {}};
  }

  Part column(std::size_t at, const std::string& name) {
    const auto known = std::ranges::find(columns_, name);
    const auto position = static_cast<std::size_t>(known - columns_.begin());
    if (known == columns_.end()) columns_.push_back(name);
    return {at, [position](Values v) { return v[position]; }, {}};
  }

  std::string quoted() {
    const std::size_t begin = at_ + 1, end = text_.find('"', begin);
    if (end == std::string_view::npos) fail(at_, "this '\"' is not closed; add one");
    at_ = end + 1;
    return std::string(text_.substr(begin, end - begin));
  }

  std::string_view word() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_letter(text_[at_]) || is_digit(text_[at_]))) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  bool take_word(std::string_view wanted) {
    skip_blanks();
    const std::size_t begin = at_;
    if (word() == wanted) return true;
    at_ = begin;
    return false;
  }

  std::string_view take_comparison() {
    static constexpr std::array<std::string_view, 6> kOps{"<=", ">=", "==", "!=", "<", ">"};
    skip_blanks();
    for (const std::string_view op : kOps) {
      if (!text_.substr(at_).starts_with(op)) continue;
      at_ += op.size();
      return op;
    }
    if (at_ < text_.size() && text_[at_] == '=') fail(at_, "write '==' for equality");
    return {};
  }

  Number number_of(const Part& part) const {
    if (!part.number) fail(part.at, "a number or a column is needed here, not a condition");
    return part.number;
  }
  Condition condition_of(const Part& part) const {
    if (!part.condition) fail(part.at, "a condition such as 'z < 2' is needed here");
    return part.condition;
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_letter(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  }
  // Of a number that begins at `begin`: its digits, its point, its exponent with a sign.
  bool is_of_number(std::size_t begin) const {
    const char c = text_[at_];
    if (is_digit(c) || c == '.' || is_letter(c)) return true;
    const bool is_sign = c == '+' || c == '-';
    return is_sign && at_ > begin && (text_[at_ - 1] == 'e' || text_[at_ - 1] == 'E');
  }

  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  [[noreturn]] void fail(std::size_t at, std::string_view why) const {
    throw UsageError(fmt::format("{} '{}', column {}: {}", option_, text_, at + 1, why));
  }

  std::string_view text_, option_;
  std::vector<std::string>& columns_;
  std::size_t at_ = 0;
};

}  // namespace

Cut::Cut(std::string_view text, std::string_view option)
    : text_(text), condition_(Parser(text, option, columns_).parse()) {}

}  // namespace qsohost::cli
