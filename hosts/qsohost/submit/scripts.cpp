#include "submit/scripts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <utility>

#include "closing_text.hpp"

namespace qsohost::cli {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::pair<std::string, std::string>>;  // "@NAME@" and what it becomes

// Values are not looked at again: a path may hold an @.
std::string filled(std::string_view text, const Words& words) {
  std::string out;
  while (!text.empty()) {
    const std::size_t at = text.find('@');
    out += text.substr(0, at);
    if (at == std::string_view::npos) break;
    text.remove_prefix(at);
    const auto word = std::ranges::find_if(
        words, [&](const auto& entry) { return text.starts_with(entry.first); });
    out += word == words.end() ? "@" : word->second;
    text.remove_prefix(word == words.end() ? 1 : word->first.size());
  }
  return out;
}

std::uint64_t tasks_of(const Manifest& manifest) {
  return (manifest.shards + manifest.shards_per_task - 1) / manifest.shards_per_task;
}

std::string chain_words(const Manifest& manifest) {
  std::string out = "--chain " + shell_word(manifest.chain.string());
  for (const auto& [key, value] : manifest.overrides.set) {
    out += " --set " + shell_word(key + "=" + value);
  }
  for (const auto& [label, stage] : manifest.overrides.swap) {
    out += " --swap " + shell_word(label + "=" + stage);
  }
  return out;
}

std::string plugin_words(const Manifest& manifest, const std::vector<fs::path>& files) {
  std::string out = manifest.allows_insecure_plugins ? " --allow-insecure-plugins" : "";
  for (const fs::path& file : files) out += " --plugin " + shell_word(file.string());
  return out;
}

// Tasks that ask archives themselves are together as polite as one run.
std::string request_words(const fs::path& folder, const Manifest& manifest) {
  if (manifest.fetches_first) return " --offline";
  if (!manifest.shares_connections) return "";
  return " --share-connections " + shell_word((folder / "connections").string());
}

// A line of the script, if there are any.
std::string options_line(const std::string& options, Scheduler scheduler) {
  if (options.empty()) return "";
  switch (scheduler) {
    case Scheduler::Slurm:
      return "#SBATCH " + options + "\n";
    case Scheduler::Pbs:
      return "#PBS " + options + "\n";
    case Scheduler::HtCondor:
      return options + "\n";
  }
  return "";
}

std::string task_text(const Manifest& manifest) {
  if (manifest.shards_per_task == 1) {
    return fmt::format("shard k of {}, from 0 on", manifest.shards);
  }
  return fmt::format("shards {0} k to {0} k + {1} of {2}, from 0 on", manifest.shards_per_task,
                     manifest.shards_per_task - 1, manifest.shards);
}

std::string limited(std::string array, const Manifest& manifest) {
  if (manifest.max_running > 0) array += fmt::format("%{}", manifest.max_running);
  return array;
}

bool is_in_job_name(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
}

// In file names % begins what SLURM fills in.
std::string log_folder(const fs::path& folder) {
  std::string out;
  for (const char c : (folder / "log").string()) out += c == '%' ? "%%" : std::string(1, c);
  return out;
}

Words words_of(const fs::path& folder, const Manifest& manifest, bool retries) {
  const std::uint64_t last = tasks_of(manifest) - 1;
  std::string job = manifest.name;
  std::ranges::replace_if(
      job, [](char c) { return !is_in_job_name(c); }, '-');
  return {{"@NAME@", manifest.name},
          {"@JOB@", job},
          {"@VERSION@", manifest.version},
          {"@FOLDER@", shell_word(folder.string())},
          {"@LOG@", shell_word(log_folder(folder))},
          {"@ARRAY@", limited(fmt::format("0-{}", last), manifest)},
          {"@TASKS@", std::to_string(last + 1)},
          {"@TASK_TEXT@", task_text(manifest)},
          {"@PROGRAM@", shell_word(manifest.program)},
          {"@CHAIN@", chain_words(manifest) + plugin_words(manifest, manifest.plugins)},
          {"@PLUGINS@", plugin_words(manifest, manifest.stage_files)},
          {"@SHARDS@", std::to_string(manifest.shards)},
          {"@PER_TASK@", std::to_string(manifest.shards_per_task)},
          {"@DIGITS@", std::to_string(shard_digits(manifest))},
          {"@START@", retries ? "--retry-failed" : "--resume"},
          {"@BY@", manifest.by == "rows" ? "" : " --shard-by " + manifest.by},
          {"@REQUESTS@", request_words(folder, manifest)},
          {"@DIGEST@", manifest.digest}};
}

}  // namespace

std::string array_of(const std::vector<std::uint64_t>& shards, const Manifest& manifest) {
  std::vector<std::uint64_t> tasks;
  for (const std::uint64_t shard : shards) tasks.push_back(shard / manifest.shards_per_task);
  std::ranges::sort(tasks);
  tasks.erase(std::unique(tasks.begin(), tasks.end()), tasks.end());
  std::string out;
  for (std::size_t i = 0; i < tasks.size();) {
    std::size_t end = i + 1;
    while (end < tasks.size() && tasks[end] == tasks[end - 1] + 1) ++end;
    out += fmt::format("{}{}", out.empty() ? "" : ",", tasks[i]);
    if (end - i > 1) out += fmt::format("-{}", tasks[end - 1]);
    i = end;
  }
  return limited(std::move(out), manifest);
}

std::vector<Script> scripts_of(const fs::path& folder, const Manifest& manifest, bool retries) {
  const Words words = words_of(folder, manifest, retries);
  const Scheduler scheduler = manifest.scheduler;
  const bool is_slurm = scheduler == Scheduler::Slurm;
  const auto with = [&](const std::string& options) {
    Words out = words;
    out.emplace_back("@SCHEDULER_OPTIONS@\n", options_line(options, scheduler));
    return out;
  };
  Words task_words = with(manifest.scheduler_options);
  task_words.emplace_back(
      "@RUN@\n",
      filled(script_template(manifest.shards_per_task == 1 ? "one.sh" : "several.sh"), words));
  std::vector<Script> out;
  const auto add = [&](const std::string& file, const Words& its_words) {
    out.push_back({file, filled(script_template(file), its_words)});
  };
  if (manifest.fetches_first) {
    const std::string& own = manifest.fetch_options;
    add("fetch.sbatch", with(!is_slurm ? "" : own.empty() ? manifest.scheduler_options : own));
  }
  switch (scheduler) {
    case Scheduler::Slurm:
      add("shards.sbatch", task_words);
      break;
    case Scheduler::Pbs:
      add("shards.pbs", task_words);
      break;
    case Scheduler::HtCondor:
      add("shards.condor", task_words);
      add("shards.sh", task_words);
      break;
  }
  add("merge.sbatch", with(is_slurm ? manifest.scheduler_options : ""));
  return out;
}

}  // namespace qsohost::cli
