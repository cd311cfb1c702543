#include "qsohost/host/loader.hpp"
#include "qsohost/names.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>
#include <utility>

#include "base/caught.hpp"
#include "data/option_faults.hpp"
#include "data/working_on.hpp"
#include "plugin/library.hpp"
#include "plugin/plugin_file.hpp"
#include "plugin/scripts.hpp"
#include "plugin/trust.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

// <prefix>/lib/qsohost/plugins for the prefix above the library's folder, which is lib or, in
// packages of Debian, lib/<architecture>.
fs::path plugins_beside_library() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&library_version), &info) == 0) return {};
  std::error_code error;
  fs::path folder = fs::canonical(info.dli_fname, error).parent_path();
  if (folder.filename() != "lib") folder = folder.parent_path();
  return error ? fs::path() : folder / "qsohost" / "plugins";
}

std::vector<fs::path> standard_folders() {
  std::vector<fs::path> folders;
  if (const char* list = std::getenv("QSOHOST_PLUGIN_PATH")) {
    std::istringstream names(list);
    for (std::string folder; std::getline(names, folder, ':');) {
      // An empty entry would be the current directory, which is never searched.
      if (!folder.empty()) folders.emplace_back(folder);
    }
  }
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  const fs::path beside = program.parent_path().parent_path() / "lib" / "qsohost" / "plugins";
  if (!error) folders.push_back(beside);
  const fs::path library = plugins_beside_library();
  if (!library.empty() && library != beside) folders.push_back(library);
  return folders;
}

}  // namespace

const char* library_version() {
  return QSOHOST_VERSION;
}

struct Plugins::State {
  struct File {
    fs::path path;
    PluginNote note;
    bool is_probed = false;
  };
  std::vector<File> files;
  std::map<fs::path, ScriptReader*> scripts;  // by file
  std::map<std::string, fs::path> seen;       // by name, refused ones too: the first hit wins
  std::vector<HiddenPlugin> hidden;
  std::vector<StageOffer> offers;
  std::map<std::string, std::function<StagePtr()>, std::less<>> own;  // stages of the host
  std::map<std::string, std::vector<fs::path>> conflicts;
  std::vector<Refusal> refusals;
  std::vector<fs::path> searched;
  bool has_standard_folders = false;
  bool allows_insecure = false;

  // Loads a file in a child process, once; refuses it if that fails. Returns the reason, or "".
  std::string try_out(const fs::path& path) {
    const auto file = std::ranges::find(files, path, &File::path);
    if (file == files.end() || std::exchange(file->is_probed, true)) return {};
    std::string reason = probe(path, file->note);
    if (!reason.empty()) refuse(path, reason);
    return reason;
  }

  // Refuses a file that others can change.
  bool is_insecure(const fs::path& path) {
    if (allows_insecure) return false;
    std::string reason = why_plugin_not_trusted(path);
    if (reason.empty()) return false;
    refuse(path, std::move(reason));
    return true;
  }

  void refuse(const fs::path& path, std::string reason) {
    std::erase_if(offers, [&](const StageOffer& o) { return o.file == path; });
    std::erase_if(files, [&](const File& f) { return f.path == path; });
    refusals.push_back({path, std::move(reason)});
  }

  // Not reported: the same file by another path, and files that are not plugins.
  void hide(const fs::path& path, const fs::path& taken) {
    std::error_code error;
    if (fs::equivalent(path, taken, error)) return;
    const auto read = read_plugin_note(path);
    const auto* note = std::get_if<PluginNote>(&read);
    const bool is_known = std::ranges::find(hidden, path, &HiddenPlugin::file) != hidden.end();
    if (note != nullptr && !is_known) hidden.push_back({path, note->version.data(), taken});
  }

  // Reads the note and offers the file's stages, or refuses the file.
  void take(const fs::path& path) {
    // A script is found by its path alone: two of one name are two scripts.
    const std::string name = is_script(path) ? path.string() : path.filename().string();
    const auto [first, is_first] = seen.try_emplace(name, path);
    if (!is_first) return hide(path, first->second);
    if (is_insecure(path)) return;
    if (is_script(path)) return take_script(path);
    auto read = read_plugin_note(path);
    if (auto* reason = std::get_if<std::string>(&read)) return refuse(path, std::move(*reason));
    files.push_back({path, std::get<PluginNote>(read), false});
    const PluginNote& note = files.back().note;
    if (note.stage_count == 0)
      return refuse(path, "it offers no stage; it must name one in QSOHOST_PLUGIN");
    for (std::size_t i = 0; i < note.stage_count; ++i) {
      const PluginNote::StageLine& line = note.stages[i];
      offer({line.name.data(), line.summary.data(), static_cast<Role>(line.role), note.name.data(),
             note.version.data(), path});
    }
  }

  // A script is run at once: only then its stages are known.
  void take_script(const fs::path& path) {
    if (!fs::is_regular_file(path)) return refuse(path, "there is no such file; check the path");
    try {
      ScriptReader& reader = script_reader_for(path, standard_folders(), allows_insecure);
      const Script script = reader.read(path);
      if (script.stages.empty())
        return refuse(path, "it offers no stage; it must define a class or function that is one");
      scripts[path] = &reader;
      for (const ScriptStage& stage : script.stages)
        offer({stage.name, stage.summary, stage.role, path.stem().string(), script.version, path});
    } catch (...) {
      refuse(path, current_exception_message());
    }
  }

  void offer(StageOffer made) {
    const auto twin = std::ranges::find(offers, made.stage, &StageOffer::stage);
    if (twin == offers.end()) return offers.push_back(std::move(made));
    conflicts[made.stage] = {twin->file, made.file};
    refusals.push_back({made.file, fmt::format("offers stage '{}', which {} offers already; remove "
                                               "one of the two",
                                               made.stage, twin->file.string())});
  }

  StagePtr create_from_library(const StageOffer& offered) {
    const auto file = std::ranges::find(files, offered.file, &File::path);
    const PluginTable& table = load_table(file->path, file->note);
    const StageEntry* end = table.stages + table.stage_count;
    const StageEntry* entry = std::find_if(
        table.stages, end, [&](const StageEntry& e) { return e.name == offered.stage; });
    if (entry == end) {
      throw UsageError("its note and its table contradict each other; build it again");
    }
    return {entry->create(), entry->destroy};
  }
};

Plugins::Plugins() : state_(std::make_unique<State>()) {}
Plugins::~Plugins() = default;

void Plugins::allow_insecure() {
  state_->allows_insecure = true;
}

void Plugins::add_file(const fs::path& file) {
  const fs::path path = fs::absolute(file).lexically_normal();
  state_->searched.push_back(path);
  state_->take(path);
  state_->try_out(path);
}

void Plugins::add_folder(const fs::path& folder) {
  state_->searched.push_back(folder);
  std::error_code error;
  if (!fs::is_directory(folder, error)) return;
  if (std::string reason = why_not_trusted(folder); !state_->allows_insecure && !reason.empty()) {
    state_->refusals.push_back({folder, std::move(reason)});
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
  for (const fs::path& folder : standard_folders()) add_folder(folder);
}

void Plugins::add_stage(StageOffer offer, std::function<StagePtr()> create) {
  state_->own[offer.stage] = std::move(create);
  state_->offers.insert(state_->offers.begin(), std::move(offer));
}

const std::vector<StageOffer>& Plugins::offers() const {
  return state_->offers;
}
const std::vector<Refusal>& Plugins::refusals() const {
  return state_->refusals;
}
const std::vector<HiddenPlugin>& Plugins::hidden() const {
  return state_->hidden;
}
const std::vector<fs::path>& Plugins::searched() const {
  return state_->searched;
}

void Plugins::probe_all() {
  for (const State::File& file : std::vector(state_->files)) state_->try_out(file.path);
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
  if (offer == nullptr) throw UsageError(no_stage(stage) + where_looked());
  if (const auto own = state_->own.find(stage); own != state_->own.end()) return own->second();
  if (const auto twin = state_->conflicts.find(std::string(stage));
      twin != state_->conflicts.end()) {
    throw UsageError(fmt::format("stage '{}' is offered by two plugins, {} and {}; remove one",
                                 stage, twin->second[0].string(), twin->second[1].string()));
  }
  const auto where = fmt::format("stage '{}' of {}", stage, offer->file.string());
  const fs::path path = offer->file;
  if (const std::string reason = state_->try_out(path); !reason.empty()) {
    throw UsageError(fmt::format("{} cannot be created: {}", where, reason));
  }
  const auto script = state_->scripts.find(path);
  try {
    WorkingOn at;
    at.stage = offer->stage;
    at.plugin = fmt::format("of plugin {} {}", offer->plugin, offer->version);
    const AtWork at_work(at);
    StagePtr created =
        script == state_->scripts.end()
            ? state_->create_from_library(*offer)
            : StagePtr(script->second->create(path, offer->stage), [](Stage* s) { delete s; });
    if (const std::string fault = fault_in_options(*created); !fault.empty()) {
      throw UsageError(fmt::format("a fault of plugin {} {}, which its author has to correct: {}",
                                   offer->plugin, offer->version, fault));
    }
    return created;
  } catch (...) {
    throw UsageError(fmt::format("{} cannot be created: {}", where, current_exception_message()));
  }
}

}  // namespace qsohost::inline v1