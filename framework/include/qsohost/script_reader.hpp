// Stages written in another language. A file that is named as a plugin and does not end in ".so",
// such as my_stages.py, is a script: the shared object "scripts/py.so" in a folder of plugins reads
// it. The framework knows no language.
//
//   class Reader final : public qsohost::ScriptReader { ... };
//   QSOHOST_SCRIPT_READER("python", "1.0.0", [] { static Reader reader; return &reader; })
//
// The shared object has the same note as a plugin, without stages: one built for another interface
// is refused before any of its code runs.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "qsohost/plugin.hpp"

namespace qsohost::inline v1 {

struct ScriptStage {
  std::string name;
  std::string summary;
  Role role = Role::Source;
};

struct Script {
  std::string version;  // "" if it states none
  std::vector<ScriptStage> stages;
};

// From any thread. What these throw becomes the reason why the script is refused, or
// its stage cannot be created: it should begin with file, line and column.
class QSOHOST_API ScriptReader {
 public:
  virtual ~ScriptReader();
  // Runs the script; again for each chain that names it, since it may have changed.
  virtual Script read(const std::filesystem::path& file) = 0;
  // A stage of a script that was read; the host deletes it.
  virtual Stage* create(const std::filesystem::path& file, const std::string& stage) = 0;
};

// The symbol of a shared object that reads scripts. The reader stays until the process ends.
inline constexpr const char* kScriptReaderSymbol = "qsohost_script_reader";
using ScriptReaderPointer = ScriptReader*;
using ScriptReaderFunction = ScriptReaderPointer();

}  // namespace qsohost::inline v1

#define QSOHOST_SCRIPT_READER(NAME, VERSION, ...)                                      \
  namespace {                                                                          \
  [[gnu::section(".qsohost"), gnu::used]] constexpr qsohost::PluginNote qsohost_note = \
      qsohost::make_note(NAME, VERSION, std::array<qsohost::StageEntry, 0>{});         \
  }                                                                                    \
  extern "C" QSOHOST_EXPORT qsohost::ScriptReaderPointer qsohost_script_reader() {     \
    return (__VA_ARGS__)();                                                            \
  }                                                                                    \
  static_assert(true, "a semicolon may follow")
