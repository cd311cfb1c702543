#include "submit/manifest.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <limits>
#include <sstream>

#include "qsohost/error.hpp"
#include "qsohost/host/run.hpp"
#include "text_file.hpp"

namespace qsohost::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHead =
    "# The shards in this folder, as `qsohost submit` wrote it. `qsohost status` and\n"
    "# `qsohost submit --resume` read it: do not change it.\n";

constexpr std::array kSchedulers{Scheduler::Slurm, Scheduler::Pbs, Scheduler::HtCondor};

toml::array pairs(const std::vector<std::pair<std::string, std::string>>& values) {
  toml::array out;
  for (const auto& [name, value] : values) out.push_back(name + "=" + value);
  return out;
}

toml::array paths(const std::vector<fs::path>& files) {
  toml::array out;
  for (const fs::path& file : files) out.push_back(file.string());
  return out;
}

class Reader {
 public:
  Reader(std::string file, const toml::table& table) : file_(std::move(file)), table_(table) {}

  template <class T>
  T value(const char* key) const {
    const auto found = table_[key].value_exact<T>();
    if (!found) fail(key);
    return *found;
  }
  std::uint64_t count(const char* key, std::int64_t least,
                      std::uint64_t most = std::numeric_limits<std::int64_t>::max()) const {
    const auto n = value<std::int64_t>(key);
    if (n < least || static_cast<std::uint64_t>(n) > most) fail(key);
    return static_cast<std::uint64_t>(n);
  }
  Scheduler scheduler(const char* key) const {
    const auto name = value<std::string>(key);
    const auto found = std::ranges::find(kSchedulers, name, name_of);
    if (found == kSchedulers.end()) fail(key);
    return *found;
  }
  std::vector<std::string> texts(const char* key) const {
    const toml::array* const array = table_[key].as_array();
    if (array == nullptr) fail(key);
    std::vector<std::string> out;
    for (const toml::node& node : *array) {
      const auto text = node.value_exact<std::string>();
      if (!text) fail(key);
      out.push_back(*text);
    }
    return out;
  }
  std::vector<std::pair<std::string, std::string>> pairs(const char* key) const {
    std::vector<std::pair<std::string, std::string>> out;
    for (const std::string& text : texts(key)) {
      const std::size_t at = text.find('=');
      if (at == std::string::npos) fail(key);
      out.emplace_back(text.substr(0, at), text.substr(at + 1));
    }
    return out;
  }

 private:
  [[noreturn]] void fail(const char* key) const {
    const toml::node* const node = table_.get(key);
    const std::string line = node == nullptr ? "" : fmt::format(":{}", node->source().begin.line);
    throw UsageError(fmt::format("{}{}: '{}' is {}; submit the shards to another folder (--into)",
                                 file_, line, key, node == nullptr ? "missing" : "not valid"));
  }
  std::string file_;
  const toml::table& table_;
};

}  // namespace

std::string_view name_of(Scheduler scheduler) {
  switch (scheduler) {
    case Scheduler::Slurm:
      return "slurm";
    case Scheduler::Pbs:
      return "pbs";
    case Scheduler::HtCondor:
      return "htcondor";
  }
  return "";
}

fs::path manifest_file(const fs::path& folder) {
  return folder / "shards.toml";
}

std::size_t shard_digits(const Manifest& manifest) {
  return std::max<std::size_t>(3, std::to_string(manifest.shards - 1).size());
}

fs::path shard_folder(const fs::path& folder, const Manifest& manifest, std::uint64_t shard) {
  return folder / fmt::format("shard-{:0{}}", shard, shard_digits(manifest));
}

bool has_shards(const fs::path& folder) {
  return fs::exists(manifest_file(folder));
}

Manifest read_manifest(const fs::path& folder) {
  const std::string file = manifest_file(folder).string();
  if (!has_shards(folder)) {
    throw UsageError(
        fmt::format("{}: there is no such file, so {} holds no shards; make them with qsohost "
                    "submit CHAIN --shards N --into DIR",
                    file, folder.string()));
  }
  toml::table table;
  try {
    table = toml::parse_file(file);
  } catch (const toml::parse_error& e) {
    throw UsageError(fmt::format("{}:{}:{}: {}", file, e.source().begin.line,
                                 e.source().begin.column, e.description()));
  }
  const Reader read(file, table);
  Manifest out;
  out.shards = read.count("shards", 1, kMostShards);
  out.scheduler = read.scheduler("scheduler");
  out.by = read.value<std::string>("shard_by");
  out.chain = read.value<std::string>("chain");
  out.name = read.value<std::string>("name");
  out.digest = read.value<std::string>("digest");
  out.version = read.value<std::string>("version");
  out.program = read.value<std::string>("program");
  out.overrides.set = read.pairs("set");
  out.overrides.swap = read.pairs("swap");
  for (const std::string& plugin : read.texts("plugins")) out.plugins.emplace_back(plugin);
  out.allows_insecure_plugins = read.value<bool>("allow_insecure_plugins");
  for (const std::string& file : read.texts("stage_files")) out.stage_files.emplace_back(file);
  out.fetches_first = read.value<bool>("fetches_first");
  out.shares_connections = read.value<bool>("shares_connections");
  out.shards_per_task = read.count("shards_per_task", 1);
  out.max_running = read.count("max_running", 0);
  out.scheduler_options = read.value<std::string>("scheduler_options");
  out.fetch_options = read.value<std::string>("fetch_options");
  return out;
}

void write_manifest(const fs::path& folder, const Manifest& manifest) {
  const auto number = [](std::uint64_t n) { return static_cast<std::int64_t>(n); };
  const toml::table table{{"shards", number(manifest.shards)},
                          {"shard_by", manifest.by},
                          {"scheduler", name_of(manifest.scheduler)},
                          {"chain", manifest.chain.string()},
                          {"name", manifest.name},
                          {"digest", manifest.digest},
                          {"version", manifest.version},
                          {"program", manifest.program},
                          {"set", pairs(manifest.overrides.set)},
                          {"swap", pairs(manifest.overrides.swap)},
                          {"plugins", paths(manifest.plugins)},
                          {"allow_insecure_plugins", manifest.allows_insecure_plugins},
                          {"stage_files", paths(manifest.stage_files)},
                          {"fetches_first", manifest.fetches_first},
                          {"shares_connections", manifest.shares_connections},
                          {"shards_per_task", number(manifest.shards_per_task)},
                          {"max_running", number(manifest.max_running)},
                          {"scheduler_options", manifest.scheduler_options},
                          {"fetch_options", manifest.fetch_options}};
  std::ostringstream text;
  text << kHead << table << '\n';
  write_text_file(manifest_file(folder), text.str());
}

}  // namespace qsohost::cli
