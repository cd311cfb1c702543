#include "chain/stage_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "base/caught.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline v1 {

namespace {

using Scalar = OptionValue::Scalar;

// In `link/../x` the `..` counts from where the link leads, which the text alone does not tell.
std::filesystem::path without_dots(const std::filesystem::path& path) {
  std::filesystem::path tidy = path.lexically_normal();
  std::error_code error;
  std::filesystem::path real = std::filesystem::weakly_canonical(path, error);
  if (error || real == std::filesystem::weakly_canonical(tidy, error)) return tidy;
  return real;
}

Scalar resolve_path(const Scalar& scalar, const std::filesystem::path& folder) {
  const auto* text = std::get_if<std::string>(&scalar);
  if (text == nullptr || text->empty()) return scalar;
  const std::filesystem::path path = expand_environment(*text);
  return path.is_absolute() ? path.string() : without_dots(folder / path).string();
}

// A file that holds a secret is found as other files are.
Scalar resolve_secret(const Scalar& scalar, const std::filesystem::path& folder) {
  constexpr std::string_view file = "file:";
  const auto* text = std::get_if<std::string>(&scalar);
  if (text == nullptr || !text->starts_with(file) || *text == file) return scalar;
  const Scalar path = resolve_path(text->substr(file.size()), folder);
  return std::string(file) + std::get<std::string>(path);
}

// Paths in the value of an option, those in its tables included.
OptionValue resolve_paths(const OptionBase& option, OptionValue value,
                          const std::filesystem::path& folder) {
  if (auto* tables = std::get_if<std::vector<OptionValue::Table>>(&value.data)) {
    if (option.table() == nullptr) return value;
    for (OptionValue::Table& table : *tables) {
      for (OptionValue::Table::Entry& entry : table.entries) {
        const auto& options = option.table()->options();
        const auto it = std::ranges::find(options, entry.name, &OptionBase::name);
        if (it != options.end()) entry.value = resolve_paths(**it, std::move(entry.value), folder);
      }
    }
    return value;
  }
  const auto type = option.type_name();
  if (auto* scalar = std::get_if<Scalar>(&value.data); scalar != nullptr && type == "url") {
    if (const auto* text = std::get_if<std::string>(scalar)) *scalar = expand_environment(*text);
  }
  if (auto* scalar = std::get_if<Scalar>(&value.data); scalar != nullptr && type == "secret") {
    *scalar = resolve_secret(*scalar, folder);
  }
  if (type != "path" && type != "list of paths") return value;
  if (auto* scalar = std::get_if<Scalar>(&value.data)) *scalar = resolve_path(*scalar, folder);
  if (auto* list = std::get_if<std::vector<Scalar>>(&value.data)) {
    for (Scalar& scalar : *list) scalar = resolve_path(scalar, folder);
  }
  return value;
}

void set_option(Stage& stage, const RawStage& raw, const RawOption& given,
                const std::filesystem::path& folder, std::vector<Problem>& problems) {
  const auto complain = [&](const std::string& message) {
    problems.push_back({given.place, message, false});
  };
  const auto& options = stage.options();
  const auto it = std::ranges::find(options, given.name, &OptionBase::name);
  if (it == options.end()) {
    std::vector<std::string> names;
    for (const OptionBase* o : options) names.push_back(o->name());
    return complain(fmt::format("{}: no option '{}'{}", raw.label, given.name,
                                did_you_mean(given.name, names)));
  }
  const std::string name = fmt::format("{}.{}", raw.label, given.name);
  if (!given.value) return complain(fmt::format("{} wants: {}", name, (*it)->type_name()));
  try {
    (*it)->set(resolve_paths(**it, *given.value,
                             given.from_command_line ? std::filesystem::current_path() : folder));
  } catch (const TableError& e) {
    for (const TableError::Problem& p : e.problems()) {
      const bool has_place = p.line > 0 && !given.from_command_line;
      problems.push_back({has_place ? Place{given.place.file, p.line, p.column} : given.place,
                          fmt::format("{}: {}", name, p.message), false});
    }
  } catch (const Error& e) {
    complain(fmt::format("{} {}", name, e.what()));
  }
}

// Options that the chain file gives to the stage that was in this place before: those that the new
// one does not have are left out, and named in one warning.
std::vector<RawOption> options_for(const Stage& stage, const RawStage& raw,
                                   std::vector<Problem>& problems) {
  std::vector<RawOption> kept = raw.options;
  if (raw.swapped_from.empty()) return kept;
  std::vector<std::string> unknown;
  std::erase_if(kept, [&](const RawOption& given) {
    const bool known =
        std::ranges::find(stage.options(), given.name, &OptionBase::name) != stage.options().end();
    if (known || given.from_command_line) return false;
    unknown.push_back(given.name);
    return true;
  });
  if (!unknown.empty()) {
    problems.push_back({raw.use_place,
                        fmt::format("{}: '{}' has no option {} of '{}'; left out", raw.label,
                                    raw.use, fmt::join(unknown, ", "), raw.swapped_from),
                        true});
  }
  return kept;
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
      throw ChainError(fmt::format("names the environment variable '{}', which is not set", name));
    }
    at = end + 1;
  }
}

bool apply_options(Stage& stage, const RawStage& raw, const std::filesystem::path& folder,
                   std::vector<Problem>& problems) {
  const auto errors = [&] { return std::ranges::count(problems, false, &Problem::is_warning); };
  const auto before = errors();
  stage.set_label(raw.label);
  for (const RawOption& given : options_for(stage, raw, problems))
    set_option(stage, raw, given, folder, problems);
  const auto was_given = [&](const OptionBase* o) {
    return std::ranges::find(raw.options, o->name(), &RawOption::name) != raw.options.end();
  };
  for (const OptionBase* option : stage.options()) {
    if (!option->is_required() || was_given(option)) continue;
    problems.push_back({raw.place,
                        fmt::format("{} needs option '{}' ({}): {}", raw.label, option->name(),
                                    option->type_name(), option->help()),
                        false});
  }
  if (errors() != before) return false;
  try {
    stage.validate();
  } catch (...) {
    problems.push_back({raw.place, fmt::format("{}: {}", raw.label, caught_words()), false});
  }
  return errors() == before;
}

}  // namespace qsohost::inline v1
