// The only file that includes Boost.DLL.
#include "plugin/library.hpp"

#include <cxxabi.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#define BOOST_DLL_USE_STD_FS
#include <algorithm>
#include <array>
#include <boost/dll/shared_library.hpp>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <map>
#include <new>
#include <typeinfo>
#include <utility>
#include <vector>

#include "base/caught.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/loader.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

// Never emptied and never destroyed: code of a plugin may be needed until the process ends.
std::map<fs::path, boost::dll::shared_library>& registry() {
  static auto* libraries = new std::map<fs::path, boost::dll::shared_library>;
  return *libraries;
}

// The innermost comes first.
std::vector<fs::path> plugins_on_this_stack() {
  std::array<void*, 256> frames{};
  const int depth = ::backtrace(frames.data(), static_cast<int>(frames.size()));
  std::vector<fs::path> found;
  for (int i = 0; i < depth; ++i) {
    Dl_info info{};
    if (::dladdr(frames[i], &info) == 0 || info.dli_fname == nullptr) continue;
    const fs::path path = info.dli_fname;
    if (registry().contains(path) && std::ranges::find(found, path) == found.end()) {
      found.push_back(path);
    }
  }
  return found;
}

const boost::dll::shared_library& loaded(const fs::path& file) {
  auto& libraries = registry();
  auto it = libraries.find(file);
  if (it == libraries.end()) {
    using boost::dll::load_mode::type;
    const auto mode = static_cast<type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    boost::dll::shared_library library(file, mode);
    it = libraries.emplace(file, std::move(library)).first;
  }
  return it->second;
}

// Boost's own error codes mislead ("Bad file descriptor"); the real reason is the dlerror text
// inside.
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
  return fmt::format(
      "undefined symbol: {}\n  link the library that defines it into the plugin "
      "(qsohost_add_plugin() makes this an error when the plugin is linked)",
      readable_name(name.c_str()));
}

}  // namespace

const PluginTable& load_table(const fs::path& file, const PluginNote& note) {
  try {
    const boost::dll::shared_library& library = loaded(file);
    if (!library.has("qsohost_plugin")) {
      throw UsageError(
          "not a plugin: it has a note but no symbol 'qsohost_plugin'; build it by "
          "qsohost_add_plugin()");
    }
    const auto& table = library.get<const PluginTable>("qsohost_plugin");
    if (table.magic != kMagic || table.size != sizeof(PluginTable)) {
      throw UsageError(
          "not a plugin of this host: its table is too short or damaged; build it again");
    }
    if (table.api != note.abi.api || table.layout != note.abi.layout ||
        table.stage_count != note.stage_count) {
      throw UsageError("its note and its table contradict each other; build it again");
    }
    return table;
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    throw UsageError(reason_in(e.what()));
  }
}

ScriptReader& load_script_reader(const fs::path& file) {
  try {
    const boost::dll::shared_library& library = loaded(file);
    if (!library.has(kScriptReaderSymbol)) {
      throw UsageError(
          fmt::format("it has no symbol '{}'; install qsohost again", kScriptReaderSymbol));
    }
    return *library.get<ScriptReaderFunction>(kScriptReaderSymbol)();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& e) {
    throw UsageError(reason_in(e.what()));
  }
}

std::string probe(const fs::path& file, const PluginNote& note) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    // A crash is reported only by its exit status, not by handlers of this process.
    for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL})
      std::signal(signal, SIG_DFL);
    std::set_terminate(std::abort);
    if (const int null = ::open("/dev/null", O_WRONLY); null >= 0) ::dup2(null, STDERR_FILENO);
    std::string reason;
    try {
      load_table(file, note);
    } catch (const std::exception& e) {
      reason = e.what();
    }
    const bool is_written = ::write(ends[1], reason.data(), reason.size()) >= 0;
    ::_exit(is_written ? 0 : 1);
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
  if (WIFSIGNALED(status)) {
    return fmt::format(
        "crashes as it is loaded ({}); look for a variable outside functions whose initialiser "
        "throws or uses what is not there yet",
        ::strsignal(WTERMSIG(status)));
  }
  if (status != 0) return "ends the program as it is loaded";
  return reason;
}

std::string describe_uncaught() {
  std::string out = "something threw where nothing can catch it";
  if (const std::type_info* type = abi::__cxa_current_exception_type()) {
    if (*type == typeid(std::bad_alloc)) return kOutOfMemory;  // whoever asked for it
    // oneTBB throws it in a thread of its own.
    if (current_exception_message().starts_with("pthread_create")) {
      return "the system gives no more threads; ask for fewer (-j), or allow more threads (ulimit "
             "-u) or memory (ulimit -v)";
    }
    out += fmt::format(": {} ({})", current_exception_message(), readable_name(type->name()));
  }
  const std::vector<fs::path> guilty = plugins_on_this_stack();
  for (const fs::path& path : guilty) out += fmt::format("\n  in code of plugin {}", path.string());
  if (guilty.empty()) {
    out += "\n  in code of none of the plugins that are loaded:";
    for (const auto& [path, library] : registry()) out += "\n    " + path.string();
  }
  return out +
         "\n  An exception must not leave close(), a destructor, or a thread that a plugin has "
         "started: catch it there and throw it from the stage's next call";
}

}  // namespace qsohost::inline v1
