#include "submit_command.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "closing_text.hpp"
#include "output.hpp"
#include "qsohost/error.hpp"
#include "qsohost/http.hpp"
#include "submit/files.hpp"
#include "submit/manifest.hpp"
#include "submit/scripts.hpp"
#include "submit/shard_states.hpp"
#include "submit/slurm.hpp"

namespace qsohost::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kDefaultArraySize = 1001;  // of SLURM

// This program; for another host of the command line (Python) the one that PATH has.
std::string program() {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  return !error && self.filename() == "qsohost" ? self.string() : "qsohost";
}

bool asks_archives(const Chain& chain) {
  return std::ranges::any_of(chain.stages(), [](const ChainStage& stage) {
    return dynamic_cast<const HttpStage*>(stage.stage.get()) != nullptr;
  });
}

std::vector<fs::path> files_of(const Chain& chain) {
  std::vector<fs::path> out;
  for (const ChainStage& stage : chain.stages()) {
    const fs::path& file = stage.offer.file;
    if (file.empty() || std::ranges::find(out, file) != out.end()) continue;
    out.push_back(file);
  }
  return out;
}

std::optional<Chain> load(Plugins& plugins, const fs::path& file, const Overrides& overrides) {
  std::vector<Problem> problems;
  std::optional<Chain> chain = Chain::load(file, overrides, plugins, problems);
  for (const Problem& problem : problems) complain("{}\n", problem.text());
  return chain;
}

std::uint64_t shards_per_task(std::uint64_t shards, Scheduler scheduler) {
  if (scheduler != Scheduler::Slurm) return 1;
  const std::uint64_t most = slurm_array_size().value_or(kDefaultArraySize);
  return (shards + most - 1) / most;
}

Manifest new_manifest(const Chain& chain, const Arguments& arguments) {
  const SubmitArguments& submit = arguments.submit;
  Manifest out;
  out.shards = submit.shards;
  out.by = submit.by;
  out.chain = fs::absolute(submit.chain).lexically_normal();
  out.name = chain.settings().name;
  out.digest = chain.hash();
  out.version = QSOHOST_VERSION;
  out.program = program();
  out.overrides = submit.overrides;
  for (const fs::path& plugin : arguments.plugins) out.plugins.push_back(fs::absolute(plugin));
  out.stage_files = files_of(chain);
  out.fetches_first = submit.fetch == Fetch::Chosen
                          ? asks_archives(chain) && submit.scheduler == Scheduler::Slurm
                          : submit.fetch != Fetch::None;
  if (out.fetches_first && !asks_archives(chain)) {
    throw UsageError("--fetch: no stage of the chain asks an archive over HTTP; leave it out");
  }
  out.shares_connections = !out.fetches_first && asks_archives(chain);
  out.shards_per_task = shards_per_task(submit.shards, submit.scheduler);
  out.max_running = submit.max_running.value_or(0);
  out.scheduler_options = submit.scheduler_options.value_or("");
  out.fetch_options = submit.fetch_options.value_or("");
  return out;
}

fs::path jobs_file(const fs::path& folder) {
  return folder / "jobs";
}

std::vector<std::string> earlier_jobs(const fs::path& folder) {
  std::istringstream in(read_text_file(jobs_file(folder)));
  std::vector<std::string> jobs;
  for (std::string job; in >> job;) jobs.push_back(job);
  return jobs;
}

// One after the other, so that no job is forgotten if the next one is refused.
void submit_script(const fs::path& folder, const std::string& file, const std::string& dependency,
                   std::vector<std::string> options, std::vector<std::string>& jobs) {
  if (!dependency.empty()) {
    options.push_back("--dependency=" + dependency);
    options.emplace_back("--kill-on-invalid-dep=yes");  // if it has failed, do not wait for ever
  }
  jobs.push_back(slurm_submit(folder / file, options));
  write_text_file(jobs_file(folder), fmt::format("{}\n", fmt::join(jobs, "\n")));
  say("{}: job {}\n", file, jobs.back());
}

// Here, before any job.
int fetch_here(const fs::path& folder) {
  say("Asking the archives; Ctrl-C ends it, and\n  qsohost submit --into {} --resume --fetch here\n"
      "goes on\n",
      shell_word(folder.string()));
  const std::string command = "exec bash " + shell_word((folder / "fetch.sbatch").string());
  const int status = std::system(command.c_str());  // NOLINT(cert-env33-c,concurrency-mt-unsafe)
  return WIFEXITED(status) ? WEXITSTATUS(status) : kInterrupted;
}

// Jobs for these shards, none of them twice.
int submit_jobs(const fs::path& folder, const Manifest& manifest,
                const std::vector<std::uint64_t>& shards, Fetch fetch) {
  std::vector<std::string> jobs;
  std::string after;
  if (!shards.empty() && manifest.fetches_first) {
    if (fetch == Fetch::Here) {
      if (const int code = fetch_here(folder); code != kDone) return code;
    } else {
      submit_script(folder, "fetch.sbatch", "", {}, jobs);
      after = "afterok:" + jobs.back();
    }
  }
  if (!shards.empty()) {
    submit_script(folder, "shards.sbatch", after, {"--array=" + array_of(shards, manifest)}, jobs);
    after = "afterany:" + jobs.back();
  }
  submit_script(folder, "merge.sbatch", after, {}, jobs);
  say("How far they are:\n  qsohost status {}\n", shell_word(folder.string()));
  return kDone;
}

// Of schedulers to which nothing is submitted here.
void say_what_to_submit(const fs::path& folder, const Manifest& manifest, Scheduler scheduler) {
  const std::string in = shell_word(folder.string());
  if (manifest.fetches_first)
    say("First, where archives can be reached:\n  bash {}/fetch.sbatch\n", in);
  say("Look at the file, and submit it; tasks that are done end at once when it is submitted "
      "again:\n  {}\n",
      scheduler == Scheduler::Pbs ? fmt::format("qsub {}/shards.pbs", in)
                                  : fmt::format("condor_submit {}/shards.condor", in));
  say("When all have ended:\n  bash {}/merge.sbatch\n", in);
}

void write_scripts(const fs::path& folder, const std::vector<Script>& scripts) {
  std::error_code error;
  fs::create_directories(folder / "log", error);
  if (error) throw RunError(fmt::format("{}: {}", (folder / "log").string(), error.message()));
  for (const Script& script : scripts) {
    write_text_file(folder / script.file, script.text);
    fs::permissions(folder / script.file, fs::perms::owner_exec, fs::perm_options::add, error);
  }
}

int print(const fs::path& folder, const std::vector<Script>& scripts) {
  for (const Script& script : scripts) {
    say("### {}\n{}\n", (folder / script.file).string(), script.text);
  }
  return unless_output_is_lost(kDone);
}

int submit_new(Plugins& plugins, const Arguments& arguments, const fs::path& folder) {
  const SubmitArguments& submit = arguments.submit;
  if (has_shards(folder)) {
    throw UsageError(fmt::format(
        "{} holds shards already; go on with them (qsohost submit --into {} --resume), or take "
        "another folder (--into)",
        folder.string(), shell_word(folder.string())));
  }
  const std::optional<Chain> chain = load(plugins, submit.chain, submit.overrides);
  if (!chain) return kUsage;
  const Manifest manifest = new_manifest(*chain, arguments);
  const std::vector<Script> scripts = scripts_of(folder, manifest, submit.scheduler);
  if (submit.dry_run) return print(folder, scripts);
  write_scripts(folder, scripts);
  write_manifest(folder, manifest);
  if (submit.scheduler != Scheduler::Slurm) {
    say_what_to_submit(folder, manifest, submit.scheduler);
    return kDone;
  }
  std::vector<std::uint64_t> all(manifest.shards);
  for (std::uint64_t shard = 0; shard < manifest.shards; ++shard) all[shard] = shard;
  return submit_jobs(folder, manifest, all, submit.fetch);
}

void require_same_chain(const Chain& chain, const Manifest& manifest, const fs::path& folder) {
  if (chain.hash() == manifest.digest) return;
  throw UsageError(fmt::format(
      "{}: the chain, a plugin or a script has changed since the shards of {} were submitted "
      "(digest {} then, {} now); go back to that of then, or submit to another folder (--into)",
      manifest.chain.string(), folder.string(), manifest.digest, chain.hash()));
}

void require_no_queue(const fs::path& folder) {
  const std::vector<std::string> queued = slurm_queued(earlier_jobs(folder));
  if (queued.empty()) return;
  throw UsageError(
      fmt::format("{}: jobs {} are queued or run; wait for them, or cancel them with scancel {}",
                  folder.string(), fmt::join(queued, ", "), fmt::join(queued, " ")));
}

int submit_rest(Plugins& plugins, const Arguments& arguments, const fs::path& folder) {
  const SubmitArguments& submit = arguments.submit;
  Manifest manifest = read_manifest(folder);
  if (submit.scheduler_options) manifest.scheduler_options = *submit.scheduler_options;
  if (submit.fetch_options) manifest.fetch_options = *submit.fetch_options;
  if (submit.max_running) manifest.max_running = *submit.max_running;
  for (const fs::path& plugin : manifest.plugins) plugins.add_file(plugin);
  const std::optional<Chain> chain = load(plugins, manifest.chain, manifest.overrides);
  if (!chain) return kUsage;
  require_same_chain(*chain, manifest, folder);
  std::vector<std::uint64_t> left;
  for (const ShardStatus& shard : shard_states(folder, manifest)) {
    if (!is_done(shard.state)) left.push_back(shard.shard);
  }
  if (left.empty() && run_is_finished(folder / "merged")) {
    say("{}: all {} shards are done and merged\n", folder.string(), manifest.shards);
    return kDone;
  }
  const std::vector<Script> scripts = scripts_of(folder, manifest, submit.scheduler);
  if (submit.dry_run) {
    say("Tasks to run: {}\n", left.empty() ? "none, only the merge" : array_of(left, manifest));
    return print(folder, scripts);
  }
  require_no_queue(folder);
  write_scripts(folder, scripts);
  write_manifest(folder, manifest);
  return submit_jobs(folder, manifest, left, submit.fetch);
}

}  // namespace

int submit_shards(Plugins& plugins, const Arguments& arguments) {
  const fs::path folder = fs::weakly_canonical(arguments.submit.into);
  return arguments.submit.resume ? submit_rest(plugins, arguments, folder)
                                 : submit_new(plugins, arguments, folder);
}

}  // namespace qsohost::cli
