#include "data/set_options.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "qsohost/names.hpp"

namespace qsohost::inline v1 {

namespace {

using Scalar = OptionValue::Scalar;

OptionBase* find_option(const OptionOwner& owner, const std::string& name) {
  const auto it = std::ranges::find(owner.options(), name, &OptionBase::name);
  return it == owner.options().end() ? nullptr : *it;
}

// In `link/../x` the `..` is relative to the link's target, which the text alone does not show.
std::filesystem::path without_dots(const std::filesystem::path& path) {
  std::filesystem::path tidy = path.lexically_normal();
  std::error_code error;
  std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  if (error || real == std::filesystem::weakly_canonical(tidy, error)) return tidy;
  return real;
}

// The path of a secret's file ("file:PATH") is resolved like other paths.
void resolve_secret(Scalar& scalar, const std::filesystem::path& folder) {
  constexpr std::string_view file = "file:";
  auto* text = std::get_if<std::string>(&scalar);
  if (text == nullptr || !text->starts_with(file) || *text == file) return;
  const std::filesystem::path path = expand_environment(text->substr(file.size()));
  *text = std::string(file) +
          (path.is_absolute() ? path.string() : without_dots(folder / path).string());
}

void resolve_text(const OptionBase& option, Scalar& scalar, const std::filesystem::path& folder) {
  auto* text = std::get_if<std::string>(&scalar);
  if (text == nullptr || text->empty()) return;
  *text = expand_environment(*text);
  if (!option.holds_paths() || std::filesystem::path(*text).is_absolute()) return;
  *text = without_dots(folder / *text).string();
}

// Replaces environment variables and makes paths absolute, in tables too.
OptionValue resolved(const OptionBase& option, OptionValue value,
                     const std::filesystem::path& folder) {
  if (auto* tables = std::get_if<std::vector<OptionValue::Table>>(&value.data)) {
    if (option.table() == nullptr) return value;
    for (OptionValue::Table& table : *tables) {
      for (OptionValue::Table::Entry& entry : table.entries) {
        const OptionBase* inner = find_option(*option.table(), entry.name);
        if (inner != nullptr) entry.value = resolved(*inner, std::move(entry.value), folder);
      }
    }
    return value;
  }
  auto* secret = std::get_if<Scalar>(&value.data);
  if (secret != nullptr && option.type_name() == "secret") resolve_secret(*secret, folder);
  if (!option.holds_paths() && !option.expands_environment()) return value;
  if (auto* scalar = std::get_if<Scalar>(&value.data)) resolve_text(option, *scalar, folder);
  if (auto* list = std::get_if<std::vector<Scalar>>(&value.data)) {
    for (Scalar& scalar : *list) resolve_text(option, scalar, folder);
  }
  return value;
}

// `name`: the option's name in messages, "ztf.radius".
void set_option(OptionBase& option, const std::string& name, const RawOption& given,
                const std::optional<std::filesystem::path>& folder, const Complain& complain) {
  if (!given.value) {
    return complain(given.place, fmt::format("{} wants: {}", name, option.type_name()));
  }
  try {
    if (!folder) return option.set(*given.value);
    option.set(resolved(option, *given.value,
                        given.from_command_line ? std::filesystem::current_path() : *folder));
  } catch (const TableError& e) {
    for (const TableError::Problem& p : e.problems()) {
      complain(p.place.line > 0 ? p.place : given.place, fmt::format("{}: {}", name, p.message));
    }
  } catch (const Error& e) {
    complain(given.place, fmt::format("{} {}", name, e.what()));
  }
}

}  // namespace

std::string expand_environment(const std::string& text) {
  std::string out;
  std::size_t at = 0;
  for (;;) {
    const std::size_t begin = text.find("${", at);
    const std::size_t end = text.find('}', begin);
    if (begin == std::string::npos || end == std::string::npos) return out + text.substr(at);
    out += text.substr(at, begin - at);
    const std::string inside = text.substr(begin + 2, end - begin - 2);
    const std::size_t otherwise = inside.find(":-");
    const std::string name = inside.substr(0, otherwise);
    const char* value = std::getenv(name.c_str());
    if (value != nullptr && *value != '\0') {
      out += value;
    } else if (otherwise != std::string::npos) {
      out += inside.substr(otherwise + 2);
    } else {
      throw UsageError(fmt::format(
          "names the environment variable '{}', which is not set; set it, or write the value here",
          name));
    }
    at = end + 1;
  }
}

void set_options(const OptionOwner& owner, const OptionsToSet& options, const Complain& complain) {
  const std::string before = options.owner.empty() ? "" : options.owner + ".";
  for (const RawOption& given : options.given) {
    OptionBase* option = find_option(owner, given.name);
    if (option != nullptr) {
      set_option(*option, before + given.name, given, options.folder, complain);
      continue;
    }
    std::vector<std::string> names;
    for (const OptionBase* o : owner.options()) names.push_back(o->name());
    complain(given.place,
             fmt::format("{}{}no option '{}'{}", options.owner, options.owner.empty() ? "" : ": ",
                         given.name, did_you_mean(given.name, names)));
  }
  for (const OptionBase* option : owner.options()) {
    if (!option->is_required()) continue;
    const bool is_given =
        std::ranges::find(options.given, option->name(), &RawOption::name) != options.given.end();
    if (is_given) continue;
    complain(options.place, fmt::format("{}{}needs option '{}' ({}): {}", options.owner,
                                        options.owner.empty() ? "" : " ", option->name(),
                                        option->type_name(), option->help()));
  }
}

}  // namespace qsohost::inline v1
