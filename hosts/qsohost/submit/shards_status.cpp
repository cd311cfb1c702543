#include "submit/shards_status.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "closing_text.hpp"
#include "json_text.hpp"
#include "submit/shard_states.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::array kStates{ShardState::Done,    ShardState::Unsettled,   ShardState::Running,
                             ShardState::Stopped, ShardState::Killed,      ShardState::Failed,
                             ShardState::Fetched, ShardState::NeverStarted};

struct Sums {
  std::uint64_t objects = 0, epochs = 0;
  std::optional<std::uint64_t> objects_total;  // guessed while not all shards know theirs
  bool is_guess = false;
  double rate = 0;  // objects per second, of those that run
  std::optional<double> seconds_to_go;
  std::array<std::size_t, kStates.size()> shards{};  // as kStates
};

Sums sums_of(const std::vector<ShardStatus>& states) {
  Sums out;
  std::uint64_t total = 0;
  std::size_t known = 0;
  for (const ShardStatus& shard : states) {
    const auto position = std::ranges::find(kStates, shard.state) - kStates.begin();
    ++out.shards.at(static_cast<std::size_t>(position));
    out.epochs += shard.epochs;
    if (!shard.run) continue;
    out.objects += shard.run->report.objects;
    if (shard.state == ShardState::Running) out.rate += shard.run->rate.value_or(0);
    if (!shard.run->objects_total) continue;
    total += *shard.run->objects_total;
    ++known;
  }
  if (known == 0) return out;
  out.is_guess = known < states.size();
  out.objects_total = total * states.size() / known;
  if (out.rate > 0) {
    const std::uint64_t left = *out.objects_total - std::min(*out.objects_total, out.objects);
    out.seconds_to_go = static_cast<double>(left) / out.rate;
  }
  return out;
}

// One line of it.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

std::string holder_text(const ShardStatus& shard) {
  if (!shard.run || !shard.run->holder) return "";
  const RunHolder& holder = *shard.run->holder;
  const std::string job = holder.job.empty() ? "" : fmt::format("job {}, ", holder.job);
  return fmt::format("{}host {}, last sign of life {} ago", job, holder.host,
                     duration(std::floor(holder.seconds_silent)));
}

std::string about(const ShardStatus& shard) {
  if (!shard.problem.empty()) return first_line(shard.problem);
  return holder_text(shard);
}

std::string objects_text(const ShardStatus& shard) {
  if (!shard.run) return "";
  const auto number = [](std::uint64_t n) { return grouped(static_cast<std::int64_t>(n)); };
  const std::string objects = number(shard.run->report.objects);
  const auto& total = shard.run->objects_total;
  return total ? fmt::format("{} of {}", objects, number(*total)) : objects;
}

std::string sums_text(const Sums& sums) {
  const auto number = [](std::uint64_t n) { return grouped(static_cast<std::int64_t>(n)); };
  std::string out;
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (sums.shards.at(i) == 0) continue;
    out +=
        fmt::format("{}{} {}", out.empty() ? "" : "; ", sums.shards.at(i), name_of(kStates.at(i)));
  }
  out += "\n" + number(sums.objects);
  if (sums.objects_total) {
    out += fmt::format(" of {}{}", sums.is_guess ? "about " : "", number(*sums.objects_total));
  }
  out += fmt::format(" objects, {} epochs", number(sums.epochs));
  if (sums.rate > 0) out += fmt::format("; {} objects/s", rate_text(sums.rate));
  if (sums.seconds_to_go) out += fmt::format("; {} to go", duration(*sums.seconds_to_go));
  return out + "\n";
}

std::string what_to_do(const fs::path& folder, const std::vector<ShardStatus>& states) {
  const bool all_done =
      std::ranges::all_of(states, [](const ShardStatus& s) { return is_done(s.state); });
  const std::string in = shell_word(folder.string());
  std::string out;
  if (std::ranges::any_of(states, [](const ShardStatus& s) {
        return s.state == ShardState::Unsettled || s.state == ShardState::Failed;
      })) {
    out += fmt::format("Objects that failed, and why:\n  qsohost status {} --failed\n", in);
    out += fmt::format("Do them again with\n  qsohost submit --into {} --retry-failed\n", in);
  }
  if (!all_done) {
    return out + fmt::format(
                     "When no task is queued any more, run those that are not done with\n"
                     "  qsohost submit --into {} --resume\nWhat a task said is in {}/log\n",
                     in, in);
  }
  if (run_is_finished(folder / "merged")) {
    return out + fmt::format("Merged: {}\n", (folder / "merged").string());
  }
  return out + fmt::format("Merge them with\n  bash {}/merge.sbatch\n", in);
}

nlohmann::ordered_json as_json(const ShardStatus& shard) {
  nlohmann::ordered_json out{{"shard", shard.shard},
                             {"state", name_of(shard.state)},
                             {"epochs", shard.epochs},
                             {"problem", shard.problem}};
  if (!shard.run) return out;
  out["objects"] = shard.run->report.objects;
  if (shard.run->objects_total) out["objects_total"] = *shard.run->objects_total;
  if (shard.run->rate) out["objects_per_second"] = *shard.run->rate;
  if (const auto& holder = shard.run->holder) {
    out["holder"] = {{"host", holder->host},
                     {"job", holder->job},
                     {"pid", holder->pid},
                     {"seconds_silent", holder->seconds_silent}};
  }
  return out;
}

}  // namespace

std::string shards_as_text(const fs::path& folder) {
  const Manifest manifest = read_manifest(folder);
  const std::vector<ShardStatus> states = shard_states(folder, manifest);
  Table table({{"shard", Align::Right},
               {"state"},
               {"objects", Align::Right},
               {"epochs", Align::Right},
               {""}});
  for (const ShardStatus& shard : states) {
    table.add({std::to_string(shard.shard), std::string(name_of(shard.state)), objects_text(shard),
               shard.run ? grouped(static_cast<std::int64_t>(shard.epochs)) : "", about(shard)});
  }
  return fmt::format("{}: chain {}, {} shards\n{}\n{}\n{}", folder.string(), manifest.name,
                     manifest.shards, table.text(), sums_text(sums_of(states)),
                     what_to_do(folder, states));
}

std::string shards_as_json(const fs::path& folder) {
  const Manifest manifest = read_manifest(folder);
  const std::vector<ShardStatus> states = shard_states(folder, manifest);
  const Sums sums = sums_of(states);
  nlohmann::ordered_json out{{"chain", manifest.name},
                             {"digest", manifest.digest},
                             {"shards_total", manifest.shards},
                             {"objects", sums.objects},
                             {"epochs", sums.epochs},
                             {"objects_per_second", sums.rate},
                             {"merged", run_is_finished(folder / "merged")},
                             {"shards", nlohmann::ordered_json::array()}};
  if (sums.objects_total) out["objects_total"] = *sums.objects_total;
  if (sums.seconds_to_go) out["seconds_to_go"] = *sums.seconds_to_go;
  for (const ShardStatus& shard : states) out["shards"].push_back(as_json(shard));
  return to_json_text(out) + "\n";
}

std::vector<fs::path> started_runs(const fs::path& folder) {
  if (!has_shards(folder)) return {folder};
  const Manifest manifest = read_manifest(folder);
  std::vector<fs::path> out;
  for (const ShardStatus& shard : shard_states(folder, manifest)) {
    if (shard.run) out.push_back(shard_folder(folder, manifest, shard.shard));
  }
  return out;
}

}  // namespace qsohost::cli
