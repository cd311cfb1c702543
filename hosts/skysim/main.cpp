#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <map>
#include <string>
#include <thread>

#include "load.hpp"
#include "make.hpp"
#include "qsohost/api.hpp"
#include "score.hpp"
#include "serve.hpp"
#include "traps.hpp"

namespace {

using namespace qsohost::skysim;

struct MakeArguments {
  MakeOptions options;
  std::string profile = "survey";
  std::string error_law = "survey";
  std::int64_t stars = -1;
  bool has_relation = false;
  Relation relation;
};

void add_relation(CLI::App* make, MakeArguments& arguments) {
  CLI::Option* flag = make->add_flag("--relation", arguments.has_relation,
                                     "D = sigma^2/tau and tau depend on luminosity");
  const auto add = [&](const char* name, double& value, double low, double high, const char* help) {
    const auto set = [&value, name, low, high](double given) {
      // Not CLI::Range, which lets NaN through.
      if (!(given >= low && given <= high)) {
        throw CLI::ValidationError(name, fmt::format("{} is not in {} to {}", given, low, high));
      }
      value = given;
    };
    make->add_option_function<double>(name, set, help)
        ->needs(flag)
        ->default_str(fmt::format("{}", value));
  };
  Relation& relation = arguments.relation;
  add("--d-intercept", relation.d_intercept, -8, 0,
      "log10 of D (mag^2/d, rest frame) at log10 L_bol = 46, 2500 A, z = 1");
  add("--d-slope", relation.d_slope, -5, 5, "of log10 D with log10 L_bol");
  add("--d-lambda-slope", relation.d_lambda_slope, -5, 5, "with log10 of the rest wavelength");
  add("--d-z-slope", relation.d_z_slope, -5, 5, "with log10(1 + z)");
  add("--d-scatter", relation.d_scatter, 0, 2, "of log10 D, dex");
  add("--tau-intercept", relation.tau_intercept, 0, 5,
      "log10 of tau (days, rest frame) at log10 L_bol = 46, z = 1");
  add("--tau-slope", relation.tau_slope, -5, 5, "of log10 tau with log10 L_bol");
  add("--tau-z-slope", relation.tau_z_slope, -5, 5, "with log10(1 + z)");
  add("--tau-scatter", relation.tau_scatter, 0, 2, "of log10 tau, dex");
}

void run_make(const MakeArguments& arguments) {
  MakeOptions options = arguments.options;
  Recipe& recipe = options.recipe;
  recipe.is_clean = arguments.profile == "clean";
  recipe.error_law = arguments.error_law == "flat" ? ErrorLaw::Flat : ErrorLaw::Survey;
  recipe.stars =
      arguments.stars >= 0 ? static_cast<std::uint64_t>(arguments.stars) : 4 * recipe.sources;
  if (arguments.has_relation) recipe.relation = arguments.relation;
  make_sky(options);
}

void add_make(CLI::App& app, MakeArguments& arguments) {
  MakeOptions& options = arguments.options;
  CLI::App* make = app.add_subcommand("make", "make the files of a simulated sky");
  make->add_option("DIR", options.folder, "where to put them")->required();
  make->add_option("--sources", options.recipe.sources, "quasars")->required();
  make->add_option("--seed", options.recipe.seed, "the same seed gives the same bytes")
      ->capture_default_str();
  make->add_option("--stars", arguments.stars, "unrelated Gaia sources; default: four a quasar");
  make->add_option("--profile", arguments.profile,
                   "survey: as archives are; clean: no bad epochs, outliers or neighbours")
      ->check(CLI::IsMember({"survey", "clean"}))
      ->capture_default_str();
  make->add_option("--error-law", arguments.error_law,
                   "errors of magnitudes; survey: as archives have them, growing with magnitude; "
                   "flat: 0.03 mag for all")
      ->check(CLI::IsMember({"survey", "flat"}))
      ->capture_default_str();
  make->add_flag("--catalog-only", options.is_catalogue_only,
                 "only sdss_dr16q.fits and gaia_source.fits");
  make->add_flag("--answers", options.has_answers,
                 "also targets.csv and irsa/{source_id}.csv: what IRSA answers about each quasar");
  make->add_flag("--products", options.has_products,
                 "also ztf_lc.fits: the quasars' light curves as lightcurve-source reads them");
  make->add_flag("--neowise", options.has_neowise,
                 "also neowise.fits: exposures in W1 and W2, and neowise_truth.fits");
  make->add_flag("--atlas", options.has_atlas,
                 "also atlas.fits: forced photometry in c and o, and atlas_truth.fits");
  make->add_option("-j,--threads", options.threads, "default: one for each processor")
      ->check(CLI::Range(1, 1024));
  add_relation(make, arguments);
  make->callback([&arguments] { run_make(arguments); });
}

void add_traps(CLI::App* serve, ServeOptions& options) {
  serve->add_option("--traps", options.traps, "NAME[=RATE],... of: " + Traps::names());
  const std::map<std::string, GaiaRelease> releases{{"dr3", GaiaRelease::Dr3},
                                                    {"dr4", GaiaRelease::Dr4}};
  serve->add_option("--gaia-release", options.gaia_release, "dr3, or dr4 beside it")
      ->transform(CLI::CheckedTransformer(releases).description("dr3|dr4"));
}

void add_serve(CLI::App& app, ServeOptions& options) {
  CLI::App* serve = app.add_subcommand("serve", "be the archives, on loopback");
  serve->add_option("DIR", options.folder, "what `make` made")->required();
  serve->add_option("--port", options.port, "0: any that is free")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  serve
      ->add_option("--throttle", options.throttle,
                   "irsa: full speed to 8 requests at a time, collapse at 16")
      ->check(CLI::IsMember({"irsa"}));
  serve->add_option("--faults", options.faults,
                    "NAME=RATE,...: 400, 429, 500, 503, reset, cut, empty, status, drip, garbage, "
                    "cut-at-line, job, or all");
  add_traps(serve, options);
  serve
      ->add_option("--time-scale", options.time_scale,
                   "so many times faster than the real service; 1440: a day in a minute")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  serve->add_option("--seed", options.seed, "of the faults")->capture_default_str();
  serve->callback([&options] { qsohost::skysim::serve(options); });
}

void add_load(CLI::App& app, LoadOptions& options) {
  CLI::App* load =
      app.add_subcommand("load", "put the catalogues into PostgreSQL, as WSDB has them");
  load->add_option("DIR", options.folder, "what `make` made")->required();
  load->add_option("--dsn", options.dsn,
                   "libpq connection string or URI; passwords by PGPASSWORD or ~/.pgpass");
  load->add_flag("--replace", options.is_replacing, "drop tables of these names first");
  load->callback([&options] { load_sky(options); });
}

void add_score(CLI::App& app, ScoreOptions& options) {
  CLI::App* score = app.add_subcommand("score", "compare what ou-loo found with the truth");
  score->add_option("DIR", options.sky, "what `make` made")->required();
  score->add_option("RESULTS", options.results, "products of ou-loo, e.g. run_loo_ztf_g.fits")
      ->required();
  score->add_option("--curves", options.curves, "products of the epochs that were cleaned")
      ->required();
  score->callback([&options] { fmt::print("{}", qsohost::skysim::score(options)); });
}

int work(int argc, char** argv) {
  CLI::App app("skysim: a simulated sky with its archives, to test against");
  app.require_subcommand(1);
  app.set_version_flag("--version", QSOHOST_VERSION);
  MakeArguments make;
  make.options.threads = std::max(1u, std::thread::hardware_concurrency());
  add_make(app, make);
  ServeOptions serve;
  add_serve(app, serve);
  LoadOptions load;
  add_load(app, load);
  ScoreOptions score;
  add_score(app, score);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return work(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "skysim: {}\n", error.what());
    return 1;
  }
}
