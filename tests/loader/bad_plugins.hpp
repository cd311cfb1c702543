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
