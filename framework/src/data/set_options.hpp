// Gives options the values that a chain file, a table in it or the command line has for them.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include "qsohost/option.hpp"

namespace qsohost::inline v1 {

// `${NAME}` and `${NAME:-otherwise}` from the environment. Throws an Error for a name that is not
// set and has no otherwise.
std::string expand_environment(const std::string& text);

struct RawOption {
  std::string name;
  Place place;
  std::optional<OptionValue> value;  // none: of a kind that no option has (a date)
  bool from_command_line = false;
};

struct OptionsToSet {
  std::string owner;  // what messages call it, e.g. "ztf"; "" in a table
  Place place;        // where a required option that is not given is reported
  std::span<const RawOption> given;
  // Relative paths count from here, those of the command line from the current directory. None:
  // values are taken as they are.
  std::optional<std::filesystem::path> folder{};
};

using Complain = std::function<void(const Place&, std::string message)>;

// Sets every option that is given, in order; each mistake, and each required option that is not
// given, is reported once. An option whose value is refused keeps the one it has.
void set_options(const OptionOwner& owner, const OptionsToSet& options, const Complain& complain);

}  // namespace qsohost::inline v1
