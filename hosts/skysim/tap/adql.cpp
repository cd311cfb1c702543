#include "tap/adql.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace qsohost::skysim {

namespace {

using Kind = AdqlToken::Kind;

class Translator {
 public:
  explicit Translator(const std::string& adql) : tokens_(adql_tokens(adql)) {}
  SqlQuery run();

 private:
  const AdqlToken& token(std::size_t ahead = 0) const {
    return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
  }
  bool is_word(std::string_view word, std::size_t ahead = 0) const {
    return token(ahead).kind == Kind::Word && lower(token(ahead).text) == word;
  }
  bool is_symbol(std::string_view symbol, std::size_t ahead = 0) const {
    return token(ahead).kind == Kind::Symbol && token(ahead).text == symbol;
  }
  bool is_one(std::size_t ahead) const {
    return token(ahead).kind == Kind::Number && token(ahead).text == "1";
  }
  // A function of this name begins.
  bool calls(std::string_view name, std::size_t ahead = 0) const {
    return is_word(name, ahead) && is_symbol("(", ahead + 1);
  }
  void emit(std::string_view sql) {
    query_.origins.push_back({query_.sql.size(), token()});
    query_.sql += sql;
    query_.sql += ' ';
  }
  void take() {
    emit(token().text);
    ++next_;
  }
  void expect_symbol(std::string_view symbol);

  void level();  // up to a ")" or the end
  void element();
  void select();
  bool comparison_with_shape();
  std::string expression();  // an argument, as SQL
  std::vector<std::string> arguments();
  std::string inside();  // of CONTAINS or INTERSECTS
  std::string truth_value() const;

  std::vector<AdqlToken> tokens_;
  std::size_t next_ = 0;
  SqlQuery query_;
  struct Limits {
    std::string top;
    std::string offset;
  };
  Limits limits_;
};

void Translator::expect_symbol(std::string_view symbol) {
  if (!is_symbol(symbol)) throw AdqlError::unexpected(token(), fmt::format("\"{}\"", symbol));
  ++next_;
}

SqlQuery Translator::run() {
  if (!is_word("select") && !is_word("with")) {
    throw AdqlError::unexpected(token(), "\"SELECT\" \"WITH\"");
  }
  level();
  if (token().kind != Kind::End) throw AdqlError::unexpected(token(), "<EOF>");
  return std::move(query_);
}

void Translator::level() {
  const Limits outer = std::exchange(limits_, {});
  while (token().kind != Kind::End && !is_symbol(")")) element();
  if (!limits_.top.empty() || !limits_.offset.empty()) {
    emit(fmt::format("LIMIT {}", limits_.top.empty() ? "-1" : limits_.top));
    if (!limits_.offset.empty()) emit("OFFSET " + limits_.offset);
  }
  limits_ = outer;
}

void Translator::select() {
  take();
  if (is_word("all") || is_word("distinct")) take();
  if (!is_word("top")) return;
  ++next_;
  if (token().kind != Kind::Number) throw AdqlError::unexpected(token(), "<UNSIGNED_INTEGER>");
  limits_.top = token().text;
  ++next_;
}

// CONTAINS(...) = 1 is a condition of its own in SQL, so that an index can be used.
bool Translator::comparison_with_shape() {
  const auto begins = [&](std::size_t ahead) {
    return calls("contains", ahead) || calls("intersects", ahead);
  };
  if (is_one(0) && is_symbol("=", 1) && begins(2)) {
    next_ += 2;
    emit(inside());
    return true;
  }
  if (!begins(0)) return false;
  emit(inside());
  if (is_symbol("=") && is_one(1)) next_ += 2;
  return true;
}

// Archives compare booleans with the texts 'true' and 'false'.
std::string Translator::truth_value() const {
  static const std::map<std::string, std::string> values{
      {"'true'", "1"}, {"'t'", "1"}, {"'false'", "0"}, {"'f'", "0"}};
  const bool is_compared =
      next_ > 0 && tokens_[next_ - 1].kind == Kind::Symbol && tokens_[next_ - 1].text == "=";
  const auto known = values.find(lower(token().text));
  return is_compared && known != values.end() ? known->second : token().text;
}

void Translator::element() {
  static const std::map<std::string, std::string> renamed{
      {"log", "ln"}, {"truncate", "trunc"}, {"rand", "random"}};
  if (comparison_with_shape()) return;
  if (is_word("select")) return select();
  if (is_word("offset") && token(1).kind == Kind::Number) {
    limits_.offset = token(1).text;
    next_ += 2;
  } else if (calls("distance")) {
    ++next_;
    const auto points = arguments();
    if (points.size() != 4) throw AdqlError::unexpected(token(), "two POINTs in DISTANCE");
    emit(fmt::format("adql_distance({}, {}, {}, {})", points[0], points[1], points[2], points[3]));
  } else if (calls("point") || calls("circle") || calls("box") || calls("polygon")) {
    throw AdqlError::unexpected(token(), "POINT and CIRCLE inside CONTAINS or DISTANCE");
  } else if (is_symbol("(")) {
    take();
    level();
    if (!is_symbol(")")) throw AdqlError::unexpected(token(), "\")\"");
    take();
  } else if (is_symbol(";") && token(1).kind == Kind::End) {
    ++next_;
  } else if (is_symbol(";")) {
    throw AdqlError::unexpected(token(1), "<EOF>");
  } else if (token().kind == Kind::Text) {
    emit(truth_value());
    ++next_;
  } else if (const auto other = renamed.find(lower(token().text));
             token().kind == Kind::Word && is_symbol("(", 1) && other != renamed.end()) {
    emit(other->second);
    ++next_;
  } else {
    take();
  }
}

std::string Translator::expression() {
  const std::size_t begin = query_.sql.size();
  while (token().kind != Kind::End && !is_symbol(")") && !is_symbol(",")) element();
  std::string sql = query_.sql.substr(begin);
  query_.sql.resize(begin);
  std::erase_if(query_.origins, [&](const auto& origin) { return origin.offset >= begin; });
  if (sql.empty()) throw AdqlError::unexpected(token(), "an expression");
  return "(" + sql + ")";
}

// From "(" to ")"; a POINT stands for its two coordinates, and names of coordinate systems are left
// out.
std::vector<std::string> Translator::arguments() {
  std::vector<std::string> sql;
  expect_symbol("(");
  for (;;) {
    if (token().kind == Kind::Text) {
      ++next_;
    } else if (calls("point")) {
      ++next_;
      for (std::string& coordinate : arguments()) sql.push_back(std::move(coordinate));
    } else {
      sql.push_back(expression());
    }
    if (!is_symbol(",")) break;
    ++next_;
  }
  expect_symbol(")");
  return sql;
}

std::string Translator::inside() {
  struct Shape {
    std::vector<std::string> at;  // ra, dec
    std::string radius = "0";
  };
  const bool is_contains = is_word("contains");
  const auto shape = [&](bool may_be_point) -> Shape {
    const bool is_circle = calls("circle");
    if (!is_circle && !(may_be_point && calls("point"))) {
      throw AdqlError::unexpected(token(), may_be_point ? "\"POINT\" \"CIRCLE\"" : "\"CIRCLE\"");
    }
    ++next_;
    const auto sql = arguments();
    if (sql.size() != (is_circle ? 3 : 2)) {
      throw AdqlError::unexpected(token(), is_circle ? "ra, dec, radius" : "ra, dec");
    }
    return {{sql[0], sql[1]}, is_circle ? sql[2] : "0"};
  };
  ++next_;
  expect_symbol("(");
  const Shape a = shape(true);
  expect_symbol(",");
  const Shape b = shape(!is_contains);
  expect_symbol(")");
  const std::string reach = is_contains ? fmt::format("({} - {})", b.radius, a.radius)
                                        : fmt::format("({} + {})", a.radius, b.radius);
  // Both declinations are compared, so that whichever has an index is found by it.
  const auto near = [&](const std::string& dec, const std::string& other) {
    return fmt::format("{0} BETWEEN {1} - {2} - 1e-9 AND {1} + {2} + 1e-9", dec, other, reach);
  };
  return fmt::format("({} AND {} AND adql_distance({}, {}, {}, {}) <= {})", near(a.at[1], b.at[1]),
                     near(b.at[1], a.at[1]), a.at[0], a.at[1], b.at[0], b.at[1], reach);
}

}  // namespace

AdqlError AdqlError::unexpected(const AdqlToken& token, std::string_view expected) {
  return AdqlError(fmt::format("Encountered \"{}\" at line {}, column {}. Was expecting one of: {}",
                               token.kind == Kind::End ? "<EOF>" : token.text, token.line,
                               token.column, expected));
}

AdqlError AdqlError::unresolved(const AdqlToken& token) {
  return AdqlError(fmt::format("1 unresolved identifiers: {0} [l.{1} c.{2} - l.{1} c.{3}] !",
                               token.text, token.line, token.column,
                               token.column + token.text.size()));
}

const AdqlToken& SqlQuery::token_at(std::size_t offset) const {
  auto it = std::ranges::upper_bound(origins, offset, {}, &Origin::offset);
  if (it != origins.begin()) --it;
  return it->token;
}

std::vector<std::string> SqlQuery::names() const {
  std::vector<std::string> names;
  for (const Origin& origin : origins) {
    const std::string& text = origin.token.text;
    if (origin.token.kind == Kind::Word) names.push_back(lower(text));
    if (origin.token.kind == Kind::Quoted) names.push_back(lower(text.substr(1, text.size() - 2)));
  }
  return names;
}

SqlQuery to_sql(const std::string& adql) {
  return Translator(adql).run();
}

}  // namespace qsohost::skysim
