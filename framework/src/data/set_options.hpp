// Sets options to values from a chain file, a table in it or the command line.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "qsohost/option.hpp"

namespace qsohost::inline v1 {

// `${NAME}` and `${NAME:-default}` from the environment. Throws an Error for a name that is not set
// and has no default.
std::string expand_environment(const std::string& text);

struct RawOption {
  std::string name;
  Place place;
  std::optional<OptionValue> value;  // none: of a kind that no option has (a date)
  bool from_command_line = false;
};

struct OptionsToSet {
  std::string owner;  // its name in messages, e.g. "ztf"; "" in a table
  Place place;        // where a required option that is not given is reported
  std::span<const RawOption> given;
  // Relative paths are resolved against this, those of the command line against the current
  // directory. None: values are used unchanged.
  std::optional<std::filesystem::path> folder{};
};

using Complain = std::function<void(const Place&, std::string message)>;

// Sets every option that is given, in order; each mistake, and each missing required option, is
// reported once. An option keeps its value if the new one is refused.
void set_options(const OptionOwner& owner, const OptionsToSet& options, const Complain& complain);

}  // namespace qsohost::inline v1
