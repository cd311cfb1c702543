#include "chain/stage_options.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "base/caught.hpp"
#include "qsohost/names.hpp"

namespace qsohost::inline v1 {

namespace {

// The options in `raw`; after a swap without those that the new stage does not have, which one
// warning names.
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

bool apply_options(Stage& stage, const RawStage& raw, const std::filesystem::path& folder,
                   std::vector<Problem>& problems) {
  const auto errors = [&] { return std::ranges::count(problems, false, &Problem::is_warning); };
  const auto before = errors();
  stage.set_label(raw.label);
  set_options(stage, {raw.label, raw.place, options_for(stage, raw, problems), folder},
              [&](const Place& place, std::string message) {
                problems.push_back({place, std::move(message), false});
              });
  if (errors() != before) return false;
  try {
    stage.validate();
  } catch (...) {
    problems.push_back(
        {raw.place, fmt::format("{}: {}", raw.label, current_exception_message()), false});
  }
  return errors() == before;
}

bool uses_secret(const Stage& stage) {
  return std::ranges::any_of(stage.options(), [](const OptionBase* option) {
    if (option->type_name() != "secret") return false;
    const OptionValue value = option->value();
    const auto* where = std::get_if<OptionValue::Scalar>(&value.data);
    const auto* text = where == nullptr ? nullptr : std::get_if<std::string>(where);
    return text != nullptr && !text->empty();
  });
}

}  // namespace qsohost::inline v1
