#include "report/plots_file.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "qsohost/error.hpp"
#include "qsohost/names.hpp"

namespace qsohost::cli {
namespace {

const std::vector<std::string> kKeys{"x",     "y",   "colour", "product", "log_x",
                                     "log_y", "cut", "fit",    "title"};

std::string where(const std::string& file, const toml::source_region& region) {
  return fmt::format("{}:{}:{}", file, region.begin.line, region.begin.column);
}

class PlotReader {
 public:
  PlotReader(std::string file, const toml::table& table) : file_(std::move(file)), table_(table) {}

  UserPlot read() const {
    for (const auto& [key, node] : table_) {
      if (std::ranges::find(kKeys, key.str()) != kKeys.end()) continue;
      throw UsageError(fmt::format("{}: unknown key '{}'{}", where(file_, key.source()), key.str(),
                                   did_you_mean(key.str(), kKeys)));
    }
    UserPlot plot{.x = text("x"),
                  .y = text("y"),
                  .colour = text("colour"),
                  .product = text("product"),
                  .cut_text = text("cut"),
                  .title = text("title").text,
                  .is_log_x = flag("log_x"),
                  .is_log_y = flag("log_y")};
    for (const auto& [key, value] : {std::pair{"x", &plot.x}, {"y", &plot.y}}) {
      if (!value->text.empty()) continue;
      throw UsageError(
          fmt::format("{}: a [[plot]] needs the column '{}'", where(file_, table_.source()), key));
    }
    const PlacedText fit = text("fit");
    plot.has_line = fit.text == "line";
    if (!fit.text.empty() && fit.text != "line" && fit.text != "none") {
      throw UsageError(
          fmt::format("{}: fit = '{}'; \"line\" or \"none\" is possible", fit.where, fit.text));
    }
    if (!plot.cut_text.text.empty()) plot.cut = parse_cut(plot.cut_text);
    return plot;
  }

 private:
  PlacedText text(const char* key) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return {"", where(file_, table_.source())};
    const auto* value = node->as_string();
    if (value == nullptr) {
      throw UsageError(fmt::format("{}: {} must be a text", where(file_, node->source()), key));
    }
    return {value->get(), where(file_, node->source())};
  }

  bool flag(const char* key) const {
    const toml::node* node = table_.get(key);
    if (node == nullptr) return false;
    const auto* value = node->as_boolean();
    if (value == nullptr) {
      throw UsageError(
          fmt::format("{}: {} must be true or false", where(file_, node->source()), key));
    }
    return value->get();
  }

  std::string file_;
  const toml::table& table_;
};

toml::table parsed(const std::string& file) {
  try {
    return toml::parse_file(file);
  } catch (const toml::parse_error& e) {
    if (e.source().begin.line == 0) {
      throw UsageError(fmt::format("{}: {}; check the path", file, e.description()));
    }
    throw UsageError(fmt::format("{}: not TOML: {}; correct it, or see https://toml.io",
                                 where(file, e.source()), e.description()));
  }
}

// Conditions from left to right.
class CutParser {
 public:
  explicit CutParser(const PlacedText& cut) : cut_(cut), rest_(cut.text) {}

  std::vector<CutCondition> read() {
    std::vector<CutCondition> out;
    for (;;) {
      CutCondition condition;
      condition.column = {word("a column"), cut_.where};
      condition.comparison = comparison();
      condition.value = number();
      out.push_back(std::move(condition));
      if (skip_blanks(); rest_.empty()) return out;
      if (word("'and'") != "and") fail(last_, "'and', or the end, is expected here");
    }
  }

 private:
  void skip_blanks() {
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t"), rest_.size()));
  }

  [[noreturn]] void fail(std::size_t at, std::string_view what) const {
    throw UsageError(fmt::format(
        "{}: cut = '{}', character {}: {}; a cut is 'column < number', several joined by 'and'",
        cut_.where, cut_.text, at + 1, what));
  }

  std::string word(std::string_view what) {
    skip_blanks();
    last_ = cut_.text.size() - rest_.size();
    const std::size_t length = std::min(rest_.find_first_of(" \t<>=!"), rest_.size());
    if (length == 0) fail(last_, fmt::format("{} is missing", what));
    const std::string out(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return out;
  }

  std::string comparison() {
    skip_blanks();
    for (const std::string_view c : {"<=", ">=", "!=", "==", "<", ">", "="}) {
      if (!rest_.starts_with(c)) continue;
      rest_.remove_prefix(c.size());
      return c == "==" ? "=" : std::string(c);
    }
    fail(cut_.text.size() - rest_.size(), "<, <=, >, >=, = or != is expected here");
  }

  double number() {
    const std::string text = word("a number");
    const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
    const char* end = text.data() + text.size();
    double value = 0;
    const auto [stopped, error] = std::from_chars(begin, end, value);
    if (error != std::errc{} || stopped != end || std::isnan(value)) {
      fail(last_, fmt::format("'{}' is not a number", text));
    }
    return value;
  }

  const PlacedText& cut_;
  std::string_view rest_;
  std::size_t last_ = 0;  // where the last word begins
};

}  // namespace

bool CutCondition::holds(double v) const {
  if (std::isnan(v)) return false;
  if (comparison == "<") return v < value;
  if (comparison == "<=") return v <= value;
  if (comparison == ">") return v > value;
  if (comparison == ">=") return v >= value;
  return (v == value) == (comparison == "=");
}

std::vector<CutCondition> parse_cut(const PlacedText& cut) {
  return CutParser(cut).read();
}

std::vector<UserPlot> read_plots_file(const std::filesystem::path& path) {
  const std::string file = path.string();
  const toml::table root = parsed(file);
  for (const auto& [key, node] : root) {
    if (key != "plot") {
      throw UsageError(fmt::format("{}: unknown key '{}'; write plots as [[plot]]",
                                   where(file, key.source()), key.str()));
    }
  }
  const toml::array* array = root.get_as<toml::array>("plot");
  if (array == nullptr || array->empty()) {
    throw UsageError(fmt::format("{}: there is no [[plot]] in it; write one for each plot", file));
  }
  std::vector<UserPlot> plots;
  for (const toml::node& element : *array) {
    const toml::table* table = element.as_table();
    if (table == nullptr) {
      throw UsageError(
          fmt::format("{}: a plot must be a table: [[plot]]", where(file, element.source())));
    }
    plots.push_back(PlotReader(file, *table).read());
  }
  return plots;
}

}  // namespace qsohost::cli
