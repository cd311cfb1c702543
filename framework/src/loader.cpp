// The only file that includes Boost.DLL.
#include "qsohost/loader.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOOST_DLL_USE_STD_FS
#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <csignal>
#include <cstdlib>
#include <map>
#include <set>
#include <sstream>
#include <utility>

#include "plugin_file.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

// Never emptied and never destroyed: code of a plugin may be needed until the process is gone.
std::map<fs::path, boost::dll::shared_library>& registry() {
  static auto* libraries = new std::map<fs::path, boost::dll::shared_library>;
  return *libraries;
}

// Boost's own error codes mislead ("Bad file descriptor"); the truth is the dlerror text inside.
std::string reason_in(std::string message) {
  const std::string_view marker = "dlerror system message: ";
  const std::size_t begin = message.find(marker);
  if (begin == std::string::npos) return message;
  message = message.substr(begin + marker.size());
  if (const std::size_t end = message.rfind("): "); end != std::string::npos) message.resize(end);
  const std::string_view undefined = "undefined symbol: ";
  const std::size_t symbol = message.find(undefined);
  if (symbol == std::string::npos) return "cannot be loaded: " + message;
  std::string name = message.substr(symbol + undefined.size());
  name.resize(std::min(name.find_first_of(" \t\n,"), name.size()));
  int status = 0;
  char* readable = abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status);
  std::string out = fmt::format(
      "undefined symbol: {}\n  link the library that defines it into the plugin "
      "(qsohost_add_plugin() makes this an error when the plugin is linked)",
      readable != nullptr ? readable : name.c_str());
  std::free(readable);  // NOLINT(cppcoreguidelines-no-malloc): __cxa_demangle allocates with malloc
  return out;
}

// Throws ChainError with the reason alone.
const PluginTable& load_table(const fs::path& file, const PluginNote& note) {
  auto& libraries = registry();
  auto it = libraries.find(file);
  try {
    if (it == libraries.end()) {
      using boost::dll::load_mode::type;
      const auto mode = static_cast<type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
      boost::dll::shared_library library(file, mode);
      it = libraries.emplace(file, std::move(library)).first;
    }
    if (!it->second.has("qsohost_plugin")) {
      throw ChainError("not a plugin: it has a note but no symbol 'qsohost_plugin'");
    }
    const auto& table = it->second.get<const PluginTable>("qsohost_plugin");
    if (table.magic != kMagic || table.size != sizeof(PluginTable)) {
      throw ChainError("not a plugin of this host: its table is too short or damaged");
    }
    if (table.api != note.abi.api || table.layout != note.abi.layout ||
        table.stage_count != note.stage_count) {
      throw ChainError("its note and its table contradict each other; build it again");
    }
    return table;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    throw ChainError(reason_in(e.what()));
  }
}

// Loads the plugin in a child process, since a crash in its static constructors cannot be caught.
// What went wrong, or nothing.
std::string probe(const fs::path& file, const PluginNote& note) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    // If it crashes, that is told by its exit status alone, not by handlers of this process.
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
      std::signal(signal, SIG_DFL);
    if (const int null = ::open("/dev/null", O_WRONLY); null >= 0) ::dup2(null, STDERR_FILENO);
    std::string reason;
    try {
      load_table(file, note);
    } catch (const std::exception& e) {
      reason = e.what();
    }
    const bool told = ::write(ends[1], reason.data(), reason.size()) >= 0;
    ::_exit(told ? 0 : 1);
  }
  ::close(ends[1]);
  std::string reason;
  char buffer[512];
  for (ssize_t n = 0; (n = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    reason.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  if (child > 0) ::waitpid(child, &status, 0);
  if (status != 0) return "crashes as it is loaded (in a static constructor?)";
  return reason;
}

bool others_may_write(const fs::path& path, bool sticky_is_fine) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return false;
  if (sticky_is_fine && (info.st_mode & S_ISVTX) != 0) return false;
  return (info.st_mode & S_IWOTH) != 0;
}

}  // namespace

struct Plugins::State {
  struct File {
    fs::path path;
    PluginNote note;
  };
  std::vector<File> files;
  std::set<std::string> names;  // of files seen, refused ones too: the first hit is final
  std::vector<StageOffer> offers;
  std::map<std::string, std::vector<fs::path>> conflicts;
  std::vector<Refusal> refusals;
  std::vector<fs::path> searched;
  bool has_standard_folders = false;

  void refuse(const fs::path& path, std::string reason) {
    std::erase_if(offers, [&](const StageOffer& o) { return o.file == path; });
    std::erase_if(files, [&](const File& f) { return f.path == path; });
    refusals.push_back({path, std::move(reason)});
  }

  // Reads the note; returns it if the file's stages are now on offer.
  const PluginNote* take(const fs::path& path) {
    if (!names.insert(path.filename().string()).second) return nullptr;
    if (others_may_write(path, false)) {
      refuse(path, "others may write to this file; take that right away (chmod o-w)");
      return nullptr;
    }
    auto read = read_plugin_note(path);
    if (auto* reason = std::get_if<std::string>(&read)) {
      refuse(path, std::move(*reason));
      return nullptr;
    }
    files.push_back({path, std::get<PluginNote>(read)});
    const PluginNote& note = files.back().note;
    for (std::size_t i = 0; i < note.stage_count; ++i) {
      const PluginNote::StageLine& line = note.stages[i];
      const std::string stage = line.name.data();
      const auto twin = std::ranges::find(offers, stage, &StageOffer::stage);
      if (twin != offers.end()) {
        conflicts[stage] = {twin->file, path};
        refusals.push_back({path, fmt::format("offers stage '{}', which {} offers already; remove "
                                              "one of the two",
                                              stage, twin->file.string())});
        continue;
      }
      offers.push_back({stage, line.summary.data(), static_cast<Role>(line.role), note.name.data(),
                        note.version.data(), path});
    }
    return &note;
  }
};

Plugins::Plugins() : state_(std::make_unique<State>()) {}
Plugins::~Plugins() = default;

void Plugins::add_file(const fs::path& file) {
  const fs::path path = fs::absolute(file).lexically_normal();
  state_->searched.push_back(path);
  if (others_may_write(path.parent_path(), true)) {
    state_->refuse(path, fmt::format("others may write to its folder {}; move the plugin, or take "
                                     "that right away (chmod o-w)",
                                     path.parent_path().string()));
    return;
  }
  const PluginNote* note = state_->take(path);
  if (note == nullptr) return;
  const std::string reason = probe(path, *note);
  if (!reason.empty()) state_->refuse(path, reason);
}

void Plugins::add_folder(const fs::path& folder) {
  state_->searched.push_back(folder);
  std::error_code error;
  if (!fs::is_directory(folder, error)) return;
  if (others_may_write(folder, false)) {
    state_->refusals.push_back(
        {folder, "others may write to this folder; take that right away (chmod o-w)"});
    return;
  }
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".so") found.push_back(fs::absolute(entry.path()));
  }
  std::ranges::sort(found);
  for (const fs::path& path : found) state_->take(path.lexically_normal());
}

void Plugins::add_standard_folders() {
  if (std::exchange(state_->has_standard_folders, true)) return;
  if (const char* list = std::getenv("QSOHOST_PLUGIN_PATH")) {
    std::istringstream folders(list);
    for (std::string folder; std::getline(folders, folder, ':');) {
      // An empty entry would be the current directory, which is never searched.
      if (!folder.empty()) add_folder(folder);
    }
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) add_folder(program.parent_path().parent_path() / "lib" / "qsohost" / "plugins");
}

const std::vector<StageOffer>& Plugins::offers() const {
  return state_->offers;
}
const std::vector<Refusal>& Plugins::refusals() const {
  return state_->refusals;
}
const std::vector<fs::path>& Plugins::searched() const {
  return state_->searched;
}

void Plugins::probe_all() {
  for (const State::File& file : std::vector(state_->files)) {
    const std::string reason = probe(file.path, file.note);
    if (!reason.empty()) state_->refuse(file.path, reason);
  }
}

const StageOffer* Plugins::find(std::string_view stage) const {
  const auto it = std::ranges::find(state_->offers, stage, &StageOffer::stage);
  return it == state_->offers.end() ? nullptr : &*it;
}

std::string Plugins::no_stage(std::string_view stage) const {
  std::vector<std::string> names;
  for (const StageOffer& o : state_->offers) names.push_back(o.stage);
  return fmt::format("no stage '{}'{}", stage, did_you_mean(stage, names));
}

std::string Plugins::where_looked() const {
  std::string out;
  for (const fs::path& path : state_->searched) {
    std::error_code error;
    out += fmt::format("\n  searched {}{}", path.string(),
                       fs::exists(path, error) ? "" : " (not there)");
  }
  for (const Refusal& r : state_->refusals) {
    out += fmt::format("\n  refused {}: {}", r.file.string(), r.reason);
  }
  return out + "\n  `qsohost list` shows every stage there is";
}

StagePtr Plugins::create(std::string_view stage) {
  const StageOffer* offer = find(stage);
  if (offer == nullptr) throw ChainError(no_stage(stage) + where_looked());
  if (const auto twin = state_->conflicts.find(std::string(stage));
      twin != state_->conflicts.end()) {
    throw ChainError(fmt::format("stage '{}' is offered by two plugins, {} and {}; remove one",
                                 stage, twin->second[0].string(), twin->second[1].string()));
  }
  const auto file = std::ranges::find(state_->files, offer->file, &State::File::path);
  const auto where = fmt::format("stage '{}' of {}", stage, offer->file.string());
  try {
    const PluginTable& table = load_table(file->path, file->note);
    const StageEntry* entry = std::find_if(table.stages, table.stages + table.stage_count,
                                           [&](const StageEntry& e) { return e.name == stage; });
    if (entry == table.stages + table.stage_count) {
      throw ChainError("its note and its table contradict each other; build it again");
    }
    return {entry->create(), entry->destroy};
  } catch (const std::exception& e) {
    throw ChainError(fmt::format("{} cannot be created: {}", where, e.what()));
  } catch (...) {
    throw ChainError(
        fmt::format("{} cannot be created: it threw something that is no std::exception", where));
  }
}

}  // namespace qsohost::inline v1
