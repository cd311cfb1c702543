#include "arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <functional>
#include <memory>
#include <sstream>

#include "output.hpp"
#include "run_arguments.hpp"

namespace qsohost::cli {
namespace {

constexpr const char* kAbout =
    "Runs chains of plugins over the light curves of quasars: cross-match, download, clean, fit, "
    "and row-aligned FITS files.";

constexpr const char* kExample = R"(Example:
  qsohost list                                   the stages that plugins offer
  qsohost inspect ztf-quality --toml >> my.toml  a stage entry to start from
  qsohost describe quasars.fits                  what a file holds, an entry that reads it
  qsohost --chain my.toml --check                check everything, open nothing
  qsohost --chain my.toml --dry-run 10           ten objects, nothing written
  qsohost --chain my.toml                        run; Ctrl-C stops after the batches in flight
  qsohost --chain my.toml --resume               go on where it stopped
  qsohost doctor --chain my.toml                 do its archives serve what it reads?
  qsohost status my.run                          how far it is, what failed and why
  qsohost report my.run                          a page to look at, my.run/report.html
  qsohost submit my.toml --shards 40 --into runs   on many machines, by SLURM
  qsohost merge a.run b.run --into all.run       products of shards (--shard)
  qsohost new survey my-survey                   a folder with a plugin of your own
  qsohost compare --chain my.toml --fitters ou-fit,dho   several fitters on the same light curves
  qsohost relate my.run --x loglbol              D against luminosity, without selection bias

Exit codes: 0 done; 1 the run failed; 2 command line, chain or plugin is wrong;
3 done, but some objects are unsettled (see --retry-failed); 130 interrupted, resumable.
)";

// CLI11's own formatter adds the dependencies of options to every line; messages report them when
// needed.
class PlainHelp : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string type = option->get_type_name();
    return type.empty() ? "" : " " + type;
  }
};

// What CLI11 fills in; converted to Arguments afterwards.
struct Raw {
  std::vector<std::string> plugins, set, swap;
  std::string chain, log_level;
  bool check = false, partial = false, allow_insecure_plugins = false;
  RunWords run;
  std::vector<std::string> run_dirs;
  std::string into, table;
  bool failed = false, not_found = false, matched = false;
  bool json = false, as_json = false, as_markdown = false, as_toml = false;
};

void add_plugin_option(CLI::App& app, Raw& raw) {
  app.add_option("--plugin", raw.plugins, "Load this plugin too (may be given several times)")
      ->type_name("FILE")
      ->allow_extra_args(false);
  app.add_flag("--allow-insecure-plugins", raw.allow_insecure_plugins,
               "Load plugins, too, that others can change (file or folder belongs to them, or they "
               "may write to it)");
}

using Add = std::function<CLI::Option*(CLI::Option*)>;

void add_log(CLI::App& app, const Add& of_run, Raw& raw, Arguments& arguments) {
  of_run(app.add_option("--log-file", arguments.log_file,
                        "Add all messages to this file too, with their times; debug and info of "
                        "--log-level, else info"))
      ->type_name("FILE");
  of_run(app.add_option(
             "--log-level", raw.log_level,
             "What to show: debug (every request to an archive too), info, warning or error; "
             "from warning on no progress either [info]"))
      ->type_name("LEVEL")
      ->check(CLI::IsMember({"debug", "info", "warning", "error"}).description(""));
}

LogLevel level_of(const std::string& text) {
  if (text == "debug") return LogLevel::Debug;
  if (text == "warning") return LogLevel::Warning;
  return text == "error" ? LogLevel::Error : LogLevel::Info;
}

CLI::Option* add_chain_options(CLI::App& app, Raw& raw, Arguments& arguments) {
  const std::string kChain = "Chain";
  auto* chain =
      app.add_option("--chain", raw.chain, "The chain file to work on")->type_name("FILE");
  const auto of_chain = [&](CLI::Option* option) { return option->needs(chain)->group(kChain); };
  chain->group(kChain);
  of_chain(app.add_option("--set", raw.set, "Set an option: ztf.radius_arcsec=1.5"))
      ->type_name("LABEL.OPTION=VALUE")
      ->allow_extra_args(false);
  of_chain(app.add_option("--swap", raw.swap, "Put another stage in a place: loo=dho"))
      ->type_name("LABEL=STAGE")
      ->allow_extra_args(false);
  auto* check =
      of_chain(app.add_flag("--check", raw.check, "Check the chain, open nothing, run nothing"));
  of_chain(app.add_option("--graph", arguments.graph, "Draw the chain: dot, mermaid or text"))
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"dot", "mermaid", "text"}).description(""))
      ->excludes(check);
  return chain;
}

void add_script_options(CLI::App& app, CLI::Option* chain, Arguments& arguments) {
  app.add_option("--require-digest", arguments.digest,
                 "Refuse to run unless the chain has this digest, see shards.toml of submit")
      ->type_name("HEX")
      ->needs(chain)
      ->group("Run");
  app.add_flag("--unsettled-ok", arguments.is_unsettled_ok,
               "Exit code 0 in place of 3, for schedulers that know no other success")
      ->needs(chain)
      ->group("Run");
}

CLI::App* add_compare(CLI::App& app, Raw& raw, Arguments& arguments) {
  CLI::App* compare =
      app.add_subcommand("compare", "Run several fitters on the same light curves of a chain");
  compare->add_option("--chain", raw.chain, "The chain file")->type_name("FILE")->required();
  compare->add_option("--fitters", arguments.line_up.fitters, "Their stages: ou-fit,dho")
      ->type_name("STAGE,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->required();
  compare
      ->add_option("--label", arguments.line_up.label,
                   "Of the fitter whose place they take [the chain's only one]")
      ->type_name("LABEL");
  compare
      ->add_option("--set", raw.set,
                   "Set an option: of the place for all (loo.mean=profiled), or of one fitter "
                   "(dho.min_points=30)")
      ->type_name("LABEL.OPTION=VALUE")
      ->allow_extra_args(false);
  compare->add_option("--out", raw.table, "The table: .fits or .csv [<chain name>_comparison.fits]")
      ->type_name("FILE");
  compare->add_flag_callback(
      "--leave-out-flagged", [&arguments] { arguments.flagged = Flagged::LeftOut; },
      "Of the summary: light curves whose fit one of two fitters flags as not to be trusted");
  compare->add_option("--limit", raw.run.limit, "Only N objects, the first")
      ->type_name("N")
      ->check(from_one_on());
  compare->add_option("-j,--threads", arguments.run.threads, "Compute threads [all]")
      ->type_name("THREADS")
      ->check(from_one_on(kMostThreads));
  add_log(
      *compare, [](CLI::Option* option) { return option; }, raw, arguments);
  add_plugin_option(*compare, raw);
  return compare;
}

void split(const std::vector<std::string>& texts, const char* option, const char* form,
           std::vector<std::pair<std::string, std::string>>& out) {
  for (const std::string& text : texts) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0)
      throw CLI::ValidationError(
          fmt::format("--{}: '{}' must have the form {}", option, text, form));
    out.emplace_back(text.substr(0, at), text.substr(at + 1));
  }
}

void finish_run(const Raw& raw, Arguments& arguments) {
  arguments.chain = raw.chain;
  split(raw.set, "set", "LABEL.OPTION=VALUE", arguments.overrides.set);
  split(raw.swap, "swap", "LABEL=STAGE", arguments.overrides.swap);
  for (const auto& [label, stage] : arguments.overrides.swap)
    if (stage.empty())
      throw CLI::ValidationError(
          fmt::format("--swap: no stage for '{0}'; write --swap {0}=STAGE", label));
  if (raw.check)
    arguments.command = Command::Check;
  else if (!arguments.graph.empty())
    arguments.command = Command::Graph;
  finish_run_options(raw.run, arguments.run);
}

CLI::App* add_status(CLI::App& app, Raw& raw) {
  CLI::App* status =
      app.add_subcommand("status", "Show how a run is, be it under way, broken off or finished");
  status->add_option("RUN_DIR", raw.run_dirs, "The run directory")->required()->expected(1);
  status->add_flag("--failed", raw.failed, "List the objects that failed or are bad, and why");
  status->add_flag("--not-found", raw.not_found, "List the objects that the archives do not have");
  status->add_flag("--matched", raw.matched, "List the objects that were found, and what");
  status->add_flag("--json", raw.json, "As JSON");
  return status;
}

CLI::App* add_describe(CLI::App& app, Raw& raw, Arguments& arguments) {
  CLI::App* describe = app.add_subcommand(
      "describe", "Show what a table file holds, and an entry for a chain that reads it");
  describe->add_option("FILE", arguments.file, "FITS, VOTable, IPAC, ECSV, CSV or TSV")->required();
  describe
      ->add_option("--hdu", arguments.hdu,
                   "HDU or TABLE, by name or number [the first table of the file]")
      ->type_name("HDU");
  describe->add_flag("--json", raw.json, "As JSON");
  return describe;
}

CLI::App* add_doctor(CLI::App& app, Raw& raw, Arguments& arguments) {
  CLI::App* doctor = app.add_subcommand(
      "doctor", "Ask the archives of a chain which release and columns they serve");
  doctor->add_option("ARCHIVE", arguments.archives,
                     "Stages of the chain, by label or kind [all]; without a chain one kind");
  doctor->add_option("--chain", raw.chain, "The chain file")->type_name("FILE");
  doctor->add_option("--set", raw.set, "Set an option: gaia.release=Gaia DR4")
      ->type_name("LABEL.OPTION=VALUE")
      ->allow_extra_args(false);
  doctor->add_flag("--json", raw.json, "As JSON");
  add_plugin_option(*doctor, raw);
  return doctor;
}

void finish_doctor(const Raw& raw, Arguments& arguments) {
  finish_run(raw, arguments);
  arguments.command = Command::Doctor;
  if (raw.chain.empty() && arguments.archives.size() != 1) {
    throw CLI::ValidationError("doctor: give --chain FILE, or one kind of stage such as 'neowise'");
  }
}

void finish_status(const Raw& raw, Arguments& arguments) {
  arguments.command = Command::Status;
  if (raw.matched) arguments.outcomes = {Outcome::Matched};
  if (raw.not_found) arguments.outcomes.push_back(Outcome::NotFound);
  if (!raw.failed) return;
  arguments.outcomes.push_back(Outcome::Failed);
  arguments.outcomes.push_back(Outcome::BadObject);
}

void finish_compare(const Raw& raw, Arguments& arguments) {
  finish_run(raw, arguments);
  arguments.command = Command::Compare;
  arguments.table = raw.table;
  const std::string ending = arguments.table.extension().string();
  if (!raw.table.empty() && ending != ".fits" && ending != ".csv")
    throw CLI::ValidationError(
        fmt::format("--out: '{}' must end in .fits or .csv", arguments.table.string()));
}

}  // namespace

Parsed parse_arguments(int argc, const char* const* argv) {
  Arguments arguments;
  Raw raw;
  CLI::App app(kAbout, "qsohost");
  app.set_version_flag("--version", fmt::format("qsohost {} (plugin interface {})", QSOHOST_VERSION,
                                                QSOHOST_API_NUMBER));
  app.footer(kExample);
  app.formatter(std::make_shared<PlainHelp>());
  app.get_formatter()->column_width(36);
  app.require_subcommand(0, 1);
  add_plugin_option(app, raw);
  CLI::Option* chain = add_chain_options(app, raw, arguments);
  add_run_options(app, chain, raw.run, arguments.run);
  add_log(
      app, [&](CLI::Option* o) { return o->needs(chain)->group("Run"); }, raw, arguments);
  add_script_options(app, chain, arguments);

  CLI::App* list = app.add_subcommand("list", "Show the stages that can be used, and refusals");
  list->add_flag("--json", raw.json, "As JSON");
  add_plugin_option(*list, raw);

  CLI::App* inspect = app.add_subcommand("inspect", "Show a stage's options and ports");
  inspect->add_option("STAGE", arguments.stage, "Name of the stage")->required();
  auto* json = inspect->add_flag("--json", raw.as_json, "As JSON");
  auto* markdown = inspect->add_flag("--markdown", raw.as_markdown, "As a section of a README");
  auto* toml = inspect->add_flag("--toml", raw.as_toml, "As an entry for a chain file");
  json->excludes(markdown)->excludes(toml);
  markdown->excludes(toml);
  add_plugin_option(*inspect, raw);

  CLI::App* merge =
      app.add_subcommand("merge", "Make the products again from chunks of complete runs");
  merge->add_option("RUN_DIR", raw.run_dirs, "A run directory, or those of all shards")->required();
  merge->add_option("--into", raw.into, "Where products go [the only RUN_DIR]")->type_name("DIR");
  merge->add_flag("--partial", raw.partial, "Shards at the end of the catalogue may be missing");
  merge
      ->add_option("--stall-timeout", arguments.run.stall_timeout,
                   "Warn of a call of a stage that takes longer, and again after each such time; "
                   "0: never [600]")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e9).description(""));
  add_plugin_option(*merge, raw);

  CLI::App* fresh =
      app.add_subcommand("new", "Write a folder with a plugin to start from, test included");
  fresh->add_option("KIND", arguments.kind, "source, survey, filter, fitter or sink")
      ->required()
      ->check(CLI::IsMember({"source", "survey", "filter", "fitter", "sink"}).description(""));
  fresh->add_flag("--python", arguments.in_python, "A script in Python: source, filter or fitter");
  fresh->add_option("NAME", arguments.name, "Of plugin, stage and folder: my-survey")->required();
  CLI::App* status = add_status(app, raw);
  CLI::App* compare = add_compare(app, raw, arguments);
  CLI::App* describe = add_describe(app, raw, arguments);
  CLI::App* doctor = add_doctor(app, raw, arguments);
  CLI::App* relate = add_relate(app, arguments.relation);
  CLI::App* report = add_report(app, arguments.page);
  CLI::App* submit = add_submit(app, arguments.submit, raw.plugins, raw.allow_insecure_plugins);

  try {
    app.parse(argc, argv);
    arguments.plugins.assign(raw.plugins.begin(), raw.plugins.end());
    arguments.allow_insecure_plugins = raw.allow_insecure_plugins;
    arguments.json = raw.json;
    arguments.log_level = level_of(raw.log_level);
    if (raw.as_json) arguments.format = InspectFormat::Json;
    if (raw.as_markdown) arguments.format = InspectFormat::Markdown;
    if (raw.as_toml) arguments.format = InspectFormat::Toml;
    const bool is_command = !app.get_subcommands().empty();
    if (is_command && *chain)
      throw CLI::ValidationError("--chain goes with no command such as 'list'");
    if (!is_command && !*chain)
      throw CLI::ValidationError("nothing to do: give --chain FILE, 'list' or 'inspect STAGE'");
    arguments.run_dirs.assign(raw.run_dirs.begin(), raw.run_dirs.end());
    arguments.into = raw.into;
    arguments.partial = raw.partial;
    if (merge->parsed() && raw.run_dirs.size() > 1 && raw.into.empty())
      throw CLI::ValidationError("merging several runs needs a place for the products: --into DIR");
    if (list->parsed())
      arguments.command = Command::List;
    else if (inspect->parsed())
      arguments.command = Command::Inspect;
    else if (merge->parsed())
      arguments.command = Command::Merge;
    else if (fresh->parsed())
      arguments.command = Command::New;
    else if (status->parsed())
      finish_status(raw, arguments);
    else if (compare->parsed())
      finish_compare(raw, arguments);
    else if (describe->parsed())
      arguments.command = Command::Describe;
    else if (doctor->parsed())
      finish_doctor(raw, arguments);
    else if (relate->parsed())
      arguments.command = Command::Relate;
    else if (report->parsed())
      arguments.command = Command::Report;
    else if (submit->parsed())
      arguments.command = Command::Submit;
    else
      finish_run(raw, arguments);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream err;
    const int code = app.exit(error, out, err);
    write_text(Stream::Out, out.str());
    write_text(Stream::Err, err.str());
    return {std::nullopt, code == 0 ? unless_output_is_lost(kDone) : kUsage};
  }
  return {std::move(arguments), kDone};
}

}  // namespace qsohost::cli
