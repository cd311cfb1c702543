// A chain file as written, before any stage is known. Only this part uses toml++.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/set_options.hpp"
#include "qsohost/host/chain.hpp"
#include "qsohost/option.hpp"

namespace qsohost::inline v1 {

struct RawStage {
  std::string use;
  std::string label;  // never empty: the stage's name, numbered if it occurs twice
  Place place;        // of the [[stage]]
  Place use_place;
  std::vector<RawOption> options;
  // The file's stage, if another one replaces it: `use` gets those of the options that it knows.
  std::string swapped_from;
  bool in_line_up = false;  // one of several in this place
};

struct RawChain {
  std::vector<RawOption> settings;  // of [chain]
  Place place;                      // of [chain]
  std::vector<RawStage> stages;
};

// Adds all errors to `problems` and returns what could be read; nothing if the file is missing or
// not TOML.
std::optional<RawChain> read_chain_file(const std::filesystem::path& file,
                                        std::vector<Problem>& problems);

// The same for a text; `name` is the file that problems show.
std::optional<RawChain> read_chain_text(std::string_view text, const std::string& name,
                                        std::vector<Problem>& problems);

// The right-hand side of --set: a TOML value, or a bare string.
OptionValue parse_option_value(const std::string& text);

}  // namespace qsohost::inline v1
