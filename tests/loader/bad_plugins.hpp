// Where the museum's plugins are: of the build, or of another compiler (BAD_PLUGINS).
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

inline std::filesystem::path bad_plugin_folder() {
  const char* other = std::getenv("BAD_PLUGINS");
  return other != nullptr ? other : QSOHOST_BAD_PLUGINS;
}

inline std::filesystem::path bad_plugin(const std::string& name) {
  return bad_plugin_folder() / name / (name + ".so");
}

// A folder of plugins while this exists: Harness finds them in the standard folders alone.
class PluginPath {
 public:
  explicit PluginPath(const std::filesystem::path& folder) {
    if (const char* before = std::getenv("QSOHOST_PLUGIN_PATH")) before_ = before;
    ::setenv("QSOHOST_PLUGIN_PATH", folder.c_str(), 1);
  }
  ~PluginPath() { ::setenv("QSOHOST_PLUGIN_PATH", before_.c_str(), 1); }
  PluginPath(const PluginPath&) = delete;
  PluginPath& operator=(const PluginPath&) = delete;

 private:
  std::string before_;
};
