// `qsohost new`: a folder with a plugin that builds, is tested and runs as it stands.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace qsohost::cli {

// A file of templates/: of one kind of plugin, or of folder "common", or of "ztf" for kinds that
// work on light curves already there.
struct Template {
  std::string_view folder;
  std::string_view file;  // NAME stands for the plugin's name
  std::string_view text;  // @NAME@, @CLASS@, @SURVEY@ likewise
};
std::vector<Template> templates();

// Kinds: "source", "survey", "filter", "fitter", "sink". Writes folder `parent`/`name` and returns
// its files. Throws UsageError for a name that cannot be a stage's, and for a folder that is there
// already.
std::vector<std::filesystem::path> new_plugin(const std::string& kind, const std::string& name,
                                              const std::filesystem::path& parent);

}  // namespace qsohost::cli
