// From the text of a query to its tokens.
#include <cctype>

#include "tap/adql.hpp"

namespace qsohost::skysim {

namespace {

using Kind = AdqlToken::Kind;

bool is_letter(char c) {
  return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_digit(char c) {
  return std::isdigit(static_cast<unsigned char>(c)) != 0;
}

class Lexer {
 public:
  explicit Lexer(const std::string& text) : text_(text) {}

  std::vector<AdqlToken> run() {
    std::vector<AdqlToken> tokens;
    do {
      skip_blanks();
      tokens.push_back(next());
    } while (tokens.back().kind != Kind::End);
    return tokens;
  }

 private:
  char at(std::size_t ahead = 0) const {
    return here_ + ahead < text_.size() ? text_[here_ + ahead] : '\0';
  }
  void step() {
    column_ = at() == '\n' ? 1 : column_ + 1;
    line_ += at() == '\n' ? 1 : 0;
    ++here_;
  }
  void skip_blanks() {
    for (;;) {
      if (at() == '-' && at(1) == '-') {
        while (here_ < text_.size() && at() != '\n') step();
      } else if (here_ < text_.size() && std::isspace(static_cast<unsigned char>(at())) != 0) {
        step();
      } else {
        return;
      }
    }
  }

  AdqlToken next() {
    AdqlToken token{Kind::End, "", line_, column_};
    const std::size_t begin = here_;
    if (here_ >= text_.size()) return token;
    if (is_letter(at())) {
      token.kind = Kind::Word;
      while (is_letter(at()) || is_digit(at())) step();
    } else if (at() == '"' || at() == '\'') {
      token.kind = at() == '"' ? Kind::Quoted : Kind::Text;
      quoted(token);
    } else if (is_digit(at()) || (at() == '.' && is_digit(at(1)))) {
      token.kind = Kind::Number;
      number();
    } else {
      token.kind = Kind::Symbol;
      symbol(token);
    }
    token.text = text_.substr(begin, here_ - begin);
    return token;
  }

  // A doubled quote stands for itself.
  void quoted(const AdqlToken& token) {
    const char quote = at();
    step();
    while (at() != quote || at(1) == quote) {
      if (here_ >= text_.size())
        throw AdqlError::unexpected({Kind::End, "", line_, column_}, fmt_quote(quote, token));
      if (at() == quote) step();
      step();
    }
    step();
  }
  static std::string fmt_quote(char quote, const AdqlToken& begin) {
    return std::string("a ") + quote + " to end that of line " + std::to_string(begin.line) +
           ", column " + std::to_string(begin.column);
  }

  void number() {
    while (is_digit(at())) step();
    if (at() == '.') step();
    while (is_digit(at())) step();
    const std::size_t sign = at(1) == '+' || at(1) == '-' ? 1 : 0;
    if ((at() == 'e' || at() == 'E') && is_digit(at(1 + sign))) {
      for (std::size_t i = 0; i < 1 + sign; ++i) step();
      while (is_digit(at())) step();
    }
  }

  void symbol(const AdqlToken& token) {
    const char first = at();
    step();
    const bool is_pair = (first == '<' && (at() == '=' || at() == '>')) ||
                         ((first == '>' || first == '!') && at() == '=') ||
                         (first == '|' && at() == '|');
    if (is_pair) return step();
    if (std::string_view("(),.*+-/%=<>;").find(first) == std::string_view::npos) {
      throw AdqlError::unexpected({Kind::Symbol, std::string(1, first), token.line, token.column},
                                  "a name, a number or an operator");
    }
  }

  const std::string& text_;
  std::size_t here_ = 0;
  std::size_t line_ = 1;
  std::size_t column_ = 1;
};

}  // namespace

std::vector<AdqlToken> adql_tokens(const std::string& query) {
  return Lexer(query).run();
}

}  // namespace qsohost::skysim
