// A stage as an entry for a chain file.
#include <fmt/format.h>

#include "inspect.hpp"

namespace qsohost::cli {
namespace {

std::string comment(std::string text) {
  for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 3)
    text.replace(at, 1, "\n# ");
  return "# " + text + "\n";
}

// The example in the help, `e.g. "x"` or `e.g. ["x", "y"]`; empty if there is none.
std::string example(const OptionBase& option) {
  const bool is_list = option.type_name().starts_with("list");
  const std::string begin = is_list ? "e.g. [" : "e.g. \"";
  const std::size_t at = option.help().find(begin);
  if (at == std::string::npos) return {};
  const std::size_t end = option.help().find(is_list ? ']' : '"', at + begin.size());
  if (end == std::string::npos) return {};
  const std::size_t first = at + begin.size() - 1;
  return option.help().substr(first, end + 1 - first);
}

// A value of the right type for a required option, to be replaced by the user.
std::string placeholder(const OptionBase& option) {
  if (std::string text = example(option); !text.empty()) return text;
  const OptionLimits& limits = option.limits();
  const std::string_view type = option.type_name();
  const std::string text = limits.choices.empty() ? "..." : limits.choices.front();
  const double number = limits.min.value_or(limits.max.value_or(0));
  using Scalar = OptionValue::Scalar;
  const auto repeat = [&](const Scalar& scalar) {
    return to_toml({std::vector<Scalar>(limits.length.value_or(1), scalar)});
  };
  if (type == "bool") return "false";
  if (type == "integer") return to_toml({Scalar(static_cast<std::int64_t>(number))});
  if (type == "number") return to_toml({Scalar(number)});
  if (type == "url") return "\"https://example.org\"";
  if (type == "list of strings" || type == "list of paths") return repeat(text);
  if (type == "list of numbers") return repeat(number);
  return to_toml({Scalar(text)});
}

// The default, or an example if the default is empty.
std::string otherwise_text(const OptionBase& option) {
  const std::string otherwise = to_toml(option.value());
  const bool is_empty = otherwise == "[]" || otherwise == "\"\"";
  const std::string shown = is_empty ? example(option) : "";
  return shown.empty() ? otherwise : shown;
}

std::string toml_entry(const OptionBase& option, const std::string& mark) {
  std::string about = fmt::format("{} ({}", option.help(), option.type_name());
  if (option.is_required()) about += ", required";
  if (const std::string limits = limits_text(option.limits()); !limits.empty())
    about += "; " + limits;
  return "\n" + comment(about + ")") +
         (option.is_required()
              ? fmt::format("{}{} = {}\n", mark, option.name(), placeholder(option))
              : fmt::format("# {} = {}\n", option.name(), otherwise_text(option)));
}

}  // namespace

std::string as_toml(const StageFacts& facts) {
  const StageOffer& offer = facts.offer;
  std::string out = comment(fmt::format("{} ({} of plugin {} {})", offer.summary,
                                        name_of(offer.role), offer.plugin, offer.version));
  out += fmt::format("[[stage]]\nuse = {}\n", to_toml({OptionValue::Scalar(offer.stage)}));
  out += fmt::format("# label = {}\n", to_toml({OptionValue::Scalar(offer.stage)}));
  // In TOML, tables end the options of the stage itself, so they come last.
  for (const OptionBase* option : facts.stage->options())
    if (option->table() == nullptr) out += toml_entry(*option, "");
  for (const OptionBase* option : facts.stage->options()) {
    if (option->table() == nullptr) continue;
    out += fmt::format("\n{}# [[stage.{}]]\n", comment(option->help()), option->name());
    for (const OptionBase* inner : option->table()->options()) out += toml_entry(*inner, "# ");
  }
  return out;
}

}  // namespace qsohost::cli
