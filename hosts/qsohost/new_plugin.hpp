// `qsohost new`: creates a folder with a plugin that builds, has tests and runs unchanged.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qsohost::cli {

enum class Language : std::uint8_t { Cxx, Python };

// A file in templates/: for one kind of plugin in C++ ("fitter") or Python ("pyfitter"), for all of
// a language ("common", "python"), for all ("targets"), or for those that process existing light
// curves ("ztf").
struct Template {
  std::string_view folder;
  std::string_view file;  // NAME is replaced by the plugin's name, MODULE by that with underscores
  std::string_view text;  // so are @NAME@, @MODULE@, @CLASS@, @SURVEY@
};
std::vector<Template> templates();

// Kinds: "source", "survey", "filter", "fitter", "sink"; in Python no survey and no sink. Writes
// folder `parent`/`name` and returns its files. Throws UsageError if the name is not valid for a
// stage or the folder exists.
std::vector<std::filesystem::path> new_plugin(const std::string& kind, const std::string& name,
                                              const std::filesystem::path& parent,
                                              Language language = Language::Cxx);

}  // namespace qsohost::cli
