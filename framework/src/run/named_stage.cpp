#include "run/named_stage.hpp"

#include <fmt/format.h>

#include "chain/chain_file.hpp"
#include "chain/stage_options.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

void set_options(Stage& stage, const std::string& name,
                 const std::vector<std::pair<std::string, std::string>>& options) {
  RawStage raw;
  raw.use = raw.label = name;
  raw.place.file = name;
  for (const auto& [option, text] : options) {
    RawOption& given = raw.options.emplace_back();
    given.name = option;
    given.value = parse_option_value(text);
    given.from_command_line = true;
  }
  std::vector<Problem> problems;
  if (apply_options(stage, raw, std::filesystem::current_path(), problems)) return;
  std::vector<std::string> messages;
  for (const Problem& problem : problems) messages.push_back(problem.message);
  throw UsageError(lines_of(messages));
}

}  // namespace

std::string lines_of(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += (out.empty() ? "" : "\n") + line;
  return out;
}

ChainStage create_named(Plugins& plugins, const std::string& stage,
                        const std::vector<std::pair<std::string, std::string>>& options,
                        std::optional<Role> role) {
  ChainStage named;
  named.use = named.label = stage;
  named.stage = plugins.create(stage);
  named.offer = *plugins.find(stage);
  if (role && named.offer.role != *role) {
    throw UsageError(
        fmt::format("{} is a {}, not a {}", stage, name_of(named.offer.role), name_of(*role)));
  }
  set_options(*named.stage, stage, options);
  return named;
}

}  // namespace qsohost::inline v1
