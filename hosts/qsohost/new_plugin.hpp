// `qsohost new`: creates a folder with a plugin that builds, has tests and runs unchanged.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qsohost::cli {

// A file in templates/: for one kind of plugin, or in folder "common", or in "ztf" for kinds that
// process existing light curves.
struct Template {
  std::string_view folder;
  std::string_view file;  // NAME is replaced by the plugin's name
  std::string_view text;  // so are @NAME@, @CLASS@, @SURVEY@
};
std::vector<Template> templates();

// Kinds: "source", "survey", "filter", "fitter", "sink". Writes folder `parent`/`name` and returns
// its files. Throws UsageError if the name is not valid for a stage or the folder exists.
std::vector<std::filesystem::path> new_plugin(const std::string& kind, const std::string& name,
                                              const std::filesystem::path& parent);

}  // namespace qsohost::cli
