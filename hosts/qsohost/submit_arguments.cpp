#include "submit_arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

namespace qsohost::cli {
namespace {

// The script of the merge names all their folders in one command.
constexpr std::uint64_t kMostShards = 10'000;

std::function<void(const std::vector<std::string>&)> split_into(
    std::vector<std::pair<std::string, std::string>>& out) {
  return [&out](const std::vector<std::string>& texts) {
    for (const std::string& text : texts) {
      const std::size_t at = text.find('=');
      if (at == std::string::npos || at == 0 || at + 1 > text.size())
        throw CLI::ValidationError(fmt::format("'{}' must have the form NAME=VALUE", text));
      out.emplace_back(text.substr(0, at), text.substr(at + 1));
    }
  };
}

// It becomes a line of the scripts.
void require_one_line(const std::string& text) {
  if (text.find('\n') != std::string::npos)
    throw CLI::ValidationError("--slurm-options, --fetch-options: each must be one line");
}

void add_what(CLI::App& submit, SubmitArguments& arguments, std::vector<std::string>& plugins,
              bool& allow_insecure_plugins, CLI::Option* chain) {
  submit
      .add_option_function<std::vector<std::string>>("--set", split_into(arguments.overrides.set),
                                                     "Set an option: ztf.radius_arcsec=1.5")
      ->type_name("LABEL.OPTION=VALUE")
      ->allow_extra_args(false)
      ->needs(chain);
  submit
      .add_option_function<std::vector<std::string>>("--swap", split_into(arguments.overrides.swap),
                                                     "Put another stage in a place: loo=dho")
      ->type_name("LABEL=STAGE")
      ->allow_extra_args(false)
      ->needs(chain);
  submit.add_option("--plugin", plugins, "Load this plugin too (may be given several times)")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->needs(chain);
  submit
      .add_flag("--allow-insecure-plugins", allow_insecure_plugins,
                "Load plugins, too, that others can change; in the jobs as well")
      ->needs(chain);
  submit
      .add_option("--shard-by", arguments.by,
                  "rows: equal ranges of the catalogue; hash: of the identifier, where the cost "
                  "depends on the place in the sky [rows]")
      ->type_name("KEY")
      ->check(CLI::IsMember({"rows", "hash"}).description(""))
      ->needs(chain);
}

void add_how(CLI::App& submit, SubmitArguments& arguments, CLI::Option* chain) {
  const std::map<std::string, Fetch> fetches{
      {"here", Fetch::Here}, {"job", Fetch::Job}, {"none", Fetch::None}};
  const std::map<std::string, Scheduler> schedulers{
      {"slurm", Scheduler::Slurm}, {"pbs", Scheduler::Pbs}, {"htcondor", Scheduler::HtCondor}};
  submit
      .add_option("--slurm-options", arguments.scheduler_options,
                  "Of sbatch, for all jobs: \"-p long -t 8:00:00 --mem=4G -c 4\"")
      ->type_name("OPTIONS");
  submit
      .add_option("--fetch-options", arguments.fetch_options,
                  "In their place for the job that asks the archives")
      ->type_name("OPTIONS");
  submit.add_option("--max-running", arguments.max_running, "Tasks that run at a time [no limit]")
      ->type_name("N")
      ->check(CLI::Range(std::uint64_t{1}, kMostShards).description(""));
  submit
      .add_option("--fetch", arguments.fetch,
                  "Ask the archives first, by one client: here, in a job of its own (job), or not "
                  "(none: each shard asks for itself, over the connections that one run may "
                  "open) [job, if the chain asks any]")
      ->type_name("WHERE")
      ->transform(CLI::CheckedTransformer(fetches).description(""));
  submit
      .add_option("--scheduler", arguments.scheduler,
                  "slurm; or pbs or htcondor, for which files to start from are written, and "
                  "nothing is submitted [slurm]")
      ->type_name("NAME")
      ->transform(CLI::CheckedTransformer(schedulers).description(""))
      ->needs(chain);
  submit.add_flag("--dry-run", arguments.dry_run, "Print the scripts; write and submit nothing");
}

}  // namespace

CLI::App* add_submit(CLI::App& app, SubmitArguments& arguments, std::vector<std::string>& plugins,
                     bool& allow_insecure_plugins) {
  CLI::App* submit =
      app.add_subcommand("submit", "Run a chain on many machines: shards in a job array");
  CLI::Option* chain = submit->add_option("CHAIN", arguments.chain, "The chain file");
  CLI::Option* shards =
      submit->add_option("--shards", arguments.shards, "Into how many parts to cut the catalogue")
          ->type_name("N")
          ->check(CLI::Range(std::uint64_t{1}, kMostShards).description(""));
  submit
      ->add_option("--into", arguments.into,
                   "A folder that all machines see: run directories of the shards, scripts, logs, "
                   "and the merged products")
      ->type_name("DIR")
      ->required();
  chain->needs(shards);
  shards->needs(chain);
  add_what(*submit, arguments, plugins, allow_insecure_plugins, chain);
  add_how(*submit, arguments, chain);
  auto* resume = submit->add_flag("--resume", arguments.resume,
                                  "Submit the shards of DIR that are not done, and merge");
  resume->excludes(chain);
  submit
      ->add_flag("--retry-failed", arguments.retry_failed,
                 "As --resume, and objects that failed are done again, with new requests")
      ->excludes(chain)
      ->excludes(resume);
  submit->callback([&arguments, chain] {
    if (!arguments.resume && !arguments.retry_failed && !*chain)
      throw CLI::ValidationError("submit: give CHAIN and --shards N, or --resume");
    require_one_line(arguments.scheduler_options.value_or(""));
    require_one_line(arguments.fetch_options.value_or(""));
  });
  return submit;
}

}  // namespace qsohost::cli
