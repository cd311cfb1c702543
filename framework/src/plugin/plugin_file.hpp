// Reading a plugin's note from its file, without running any of its code.
#pragma once

#include <filesystem>
#include <string>
#include <variant>

#include "qsohost/plugin.hpp"

namespace qsohost::inline v1 {

// The note of a plugin that this host can load, or the reason why not.
std::variant<PluginNote, std::string> read_plugin_note(const std::filesystem::path& file);

}  // namespace qsohost::inline v1
