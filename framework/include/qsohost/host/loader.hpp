// For hosts: finding and loading plugins.
//
// Notes are read from files without running any of their code; a plugin is loaded when one of its
// stages is created, and never unloaded. The first file with a given name wins, even if it is
// refused. The current directory is never searched. A plugin can do whatever the user may do, so
// one that others can change is refused: if its file or folder belongs to another user (but root,
// or the owner of libqsohost) or others may write to it. A group may if it is the user's own, of
// the user's name, or may write to libqsohost.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/names.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

using StagePtr = std::unique_ptr<Stage, std::function<void(Stage*)>>;

struct StageOffer {
  std::string stage;
  std::string summary;
  Role role = Role::Source;
  std::string plugin;
  std::string version;
  std::filesystem::path file;  // empty: a stage of the host's own
};

struct Refusal {
  std::filesystem::path file;
  std::string reason;  // several lines when two sides are compared
};

// A file that was found, but not used: another with its name came first.
struct HiddenPlugin {
  std::filesystem::path file;
  std::string version;
  std::filesystem::path taken;
};

class QSOHOST_API Plugins {
 public:
  Plugins();
  ~Plugins();
  Plugins(const Plugins&) = delete;
  Plugins& operator=(const Plugins&) = delete;

  // From now on plugins that others can change are loaded too; never by a chain's own wish.
  void allow_insecure();
  // A file named by the user is loaded at once; any error becomes a refusal. One that does not end
  // in ".so" is a script, see script_reader.hpp: it is run in this process.
  void add_file(const std::filesystem::path& file);
  // Reads the notes of *.so in a folder.
  void add_folder(const std::filesystem::path& folder);
  // QSOHOST_PLUGIN_PATH, then <prefix>/lib/qsohost/plugins of the prefix that holds the running
  // program and, if it is another one, of that which holds libqsohost (a program such as python3
  // has loaded it). A second call does nothing.
  void add_standard_folders();
  // A stage of the host's own. It is preferred to a plugin's of the same name. `create` must not
  // throw.
  void add_stage(StageOffer offer, std::function<StagePtr()> create);

  const std::vector<StageOffer>& offers() const;
  const std::vector<Refusal>& refusals() const;
  const std::vector<HiddenPlugin>& hidden() const;
  const std::vector<std::filesystem::path>& searched() const;

  // Tries to load every plugin found so far, each in a child process, so that one that crashes on
  // loading becomes a refusal too.
  void probe_all();

  const StageOffer* find(std::string_view stage) const;
  // Loads the plugin if needed. Throws UsageError; for unknown names its message is no_stage() and
  // where_looked().
  StagePtr create(std::string_view stage);
  // "no stage 'x'; did you mean 'y'?"
  std::string no_stage(std::string_view stage) const;
  // The searched folders and why files were refused, a line each, beginning with a newline.
  std::string where_looked() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// QSOHOST_VERSION of the library that is loaded, which may be another than that of the headers.
QSOHOST_API const char* library_version();

// For a std::terminate handler: the exception and, as far as this thread's stack shows, the plugin
// that threw it. Several lines.
QSOHOST_API std::string describe_uncaught();

}  // namespace qsohost::inline v1
