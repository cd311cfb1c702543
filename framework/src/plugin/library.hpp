// Loading the code of a plugin whose note is valid.
#pragma once

#include <filesystem>
#include <string>

#include "qsohost/plugin.hpp"
#include "qsohost/script_reader.hpp"

namespace qsohost::inline v1 {

// Throws UsageError with the reason alone.
const PluginTable& load_table(const std::filesystem::path& file, const PluginNote& note);

// Loads a shared object that reads scripts. Throws UsageError with the reason alone.
ScriptReader& load_script_reader(const std::filesystem::path& file);

// Loads the plugin in a child process, since a crash in its static constructors cannot be caught.
// Returns the error, or "".
std::string probe(const std::filesystem::path& file, const PluginNote& note);

}  // namespace qsohost::inline v1
