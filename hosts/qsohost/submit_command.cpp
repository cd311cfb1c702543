#include "submit_command.hpp"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <numeric>
#include <sstream>

#include "closing_text.hpp"
#include "output.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/check_with_source.hpp"
#include "submit/digest.hpp"
#include "submit/manifest.hpp"
#include "submit/scripts.hpp"
#include "submit/shard_states.hpp"
#include "submit/slurm.hpp"
#include "text_file.hpp"

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

// `before`: what holds unless --fetch is given.
bool fetches_first(const Chain& chain, Fetch fetch, bool before) {
  if (fetch == Fetch::Chosen) return before;
  if (fetch == Fetch::None) return false;
  if (sends_requests(chain)) return true;
  throw UsageError("--fetch: no stage of the chain asks an archive over HTTP; leave it out");
}

void choose_who_asks(Manifest& manifest, const Chain& chain, Fetch fetch, bool before) {
  manifest.fetches_first = fetches_first(chain, fetch, before);
  manifest.shares_connections = !manifest.fetches_first && sends_requests(chain);
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
  out.scheduler = submit.scheduler;
  out.shards = submit.shards;
  out.by = submit.by;
  out.chain = fs::absolute(submit.chain).lexically_normal();
  out.name = chain.settings().name;
  out.digest = digest_of(chain);
  out.version = QSOHOST_VERSION;
  out.program = program();
  out.overrides = submit.overrides;
  for (const fs::path& plugin : arguments.plugins) out.plugins.push_back(fs::absolute(plugin));
  out.allows_insecure_plugins = arguments.allow_insecure_plugins;
  out.stage_files = stage_files(chain);
  choose_who_asks(out, chain, submit.fetch,
                  sends_requests(chain) && submit.scheduler == Scheduler::Slurm);
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

// Jobs for these shards, none of them twice. `fetch`: Here, Job or None.
int submit_jobs(const fs::path& folder, const Manifest& manifest,
                const std::vector<std::uint64_t>& shards, Fetch fetch) {
  std::vector<std::string> jobs;
  std::string after;
  if (fetch == Fetch::Here) {
    if (const int code = fetch_here(folder); code != kDone) return code;
  }
  if (fetch == Fetch::Job) {
    submit_script(folder, "fetch.sbatch", "", {}, jobs);
    after = "afterok:" + jobs.back();
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
void say_what_to_submit(const fs::path& folder, const Manifest& manifest, Fetch fetch) {
  const std::string in = shell_word(folder.string());
  if (fetch != Fetch::None)
    say("First, where archives can be reached:\n  bash {}/fetch.sbatch\n", in);
  say("Look at the file, and submit it; tasks that are done end at once when it is submitted "
      "again:\n  {}\n",
      manifest.scheduler == Scheduler::Pbs ? fmt::format("qsub {}/shards.pbs", in)
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

int hand_over(const fs::path& folder, const Manifest& manifest, const std::vector<Script>& scripts,
              const std::vector<std::uint64_t>& shards, Fetch fetch) {
  write_scripts(folder, scripts);
  write_manifest(folder, manifest);
  if (manifest.scheduler == Scheduler::Slurm) return submit_jobs(folder, manifest, shards, fetch);
  say_what_to_submit(folder, manifest, fetch);
  return kDone;
}

// Who asks the archives now.
Fetch who_fetches(const Manifest& manifest, Fetch wanted) {
  if (!manifest.fetches_first) return Fetch::None;
  return wanted == Fetch::Here ? Fetch::Here : Fetch::Job;
}

int submit_new(Plugins& plugins, const Arguments& arguments, const fs::path& folder) {
  const SubmitArguments& submit = arguments.submit;
  if (has_shards(folder)) {
    throw UsageError(fmt::format(
        "{} holds shards already; go on with them (qsohost submit --into {} --resume), or take "
        "another folder (--into)",
        folder.string(), shell_word(folder.string())));
  }
  std::optional<Chain> chain = load(plugins, submit.chain, submit.overrides);
  if (!chain) return kUsage;
  // Here, rather than by each task after its wait in the queue.
  check_with_source(*chain, [](LogLevel level, const std::string& text) {
    if (level >= LogLevel::Warning) complain("warning: {}\n", text);
  });
  const Manifest manifest = new_manifest(*chain, arguments);
  const std::vector<Script> scripts = scripts_of(folder, manifest, false);
  if (submit.dry_run) return print(folder, scripts);
  std::vector<std::uint64_t> all(manifest.shards);
  std::iota(all.begin(), all.end(), std::uint64_t{0});
  return hand_over(folder, manifest, scripts, all, who_fetches(manifest, submit.fetch));
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
  if (manifest.allows_insecure_plugins) plugins.allow_insecure();
  for (const fs::path& plugin : manifest.plugins) plugins.add_file(plugin);
  const std::optional<Chain> chain = load(plugins, manifest.chain, manifest.overrides);
  if (!chain) return kUsage;
  require_digest(*chain, manifest.chain, manifest.digest);
  choose_who_asks(manifest, *chain, submit.fetch, manifest.fetches_first);
  std::vector<std::uint64_t> left;
  bool is_fetched = !submit.retry_failed;
  for (const ShardStatus& shard : shard_states(folder, manifest)) {
    const bool is_retried = submit.retry_failed && shard.state == ShardState::Unsettled;
    if (is_done(shard.state) && !is_retried) continue;
    left.push_back(shard.shard);
    is_fetched = is_fetched && shard.run && shard.run->is_fetched;
  }
  if (left.empty() && run_is_finished(folder / "merged")) {
    say("{}: all {} shards are done and merged\n", folder.string(), manifest.shards);
    return kDone;
  }
  const std::vector<Script> scripts = scripts_of(folder, manifest, submit.retry_failed);
  if (submit.dry_run) {
    say("Tasks to run: {}\n", left.empty() ? "none, only the merge" : array_of(left, manifest));
    return print(folder, scripts);
  }
  require_no_queue(folder);
  const bool is_asked = !left.empty() && !is_fetched;
  return hand_over(folder, manifest, scripts, left,
                   is_asked ? who_fetches(manifest, submit.fetch) : Fetch::None);
}

// The rest can be quoted in scripts; a backslash cannot in the names of SLURM's logs.
void require_name_for_scripts(const fs::path& folder) {
  const std::string text = folder.string();
  const auto is_odd = [](unsigned char c) { return c == '\\' || std::iscntrl(c) != 0; };
  if (std::ranges::none_of(text, is_odd)) return;
  throw UsageError(fmt::format(
      "--into: '{}' holds a backslash or a control character, which scripts of schedulers cannot "
      "name; take another folder",
      text));
}

}  // namespace

int submit_shards(Plugins& plugins, const Arguments& arguments) {
  const fs::path folder = fs::weakly_canonical(fs::absolute(arguments.submit.into));
  require_name_for_scripts(folder);
  const bool is_new = !arguments.submit.resume && !arguments.submit.retry_failed;
  return is_new ? submit_new(plugins, arguments, folder) : submit_rest(plugins, arguments, folder);
}

}  // namespace qsohost::cli
