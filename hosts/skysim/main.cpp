#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <thread>

#include "make.hpp"
#include "qsohost/api.hpp"

namespace {

using namespace qsohost::skysim;

void add_make(CLI::App& app, MakeOptions& options, std::string& profile, std::int64_t& stars) {
  CLI::App* make = app.add_subcommand("make", "make the files of a simulated sky");
  make->add_option("DIR", options.folder, "where to put them")->required();
  make->add_option("--sources", options.recipe.sources, "quasars")->required();
  make->add_option("--seed", options.recipe.seed, "the same seed gives the same bytes")
      ->capture_default_str();
  make->add_option("--stars", stars, "unrelated Gaia sources; default: four a quasar");
  make->add_option("--profile", profile,
                   "survey: as archives are; clean: no bad epochs, outliers or neighbours")
      ->check(CLI::IsMember({"survey", "clean"}))
      ->capture_default_str();
  make->add_flag("--catalog-only", options.is_catalogue_only,
                 "only sdss_dr16q.fits and gaia_source.fits");
  make->add_flag("--answers", options.has_answers,
                 "also targets.csv and irsa/{source_id}.csv: what IRSA answers about each quasar");
  make->add_option("-j,--threads", options.threads, "default: one for each processor")
      ->check(CLI::Range(1, 1024));
  make->callback([&options, &profile, &stars] {
    options.recipe.is_clean = profile == "clean";
    options.recipe.stars =
        stars >= 0 ? static_cast<std::uint64_t>(stars) : 4 * options.recipe.sources;
    make_sky(options);
  });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("skysim: a simulated sky with its archives, to test against");
  app.require_subcommand(1);
  app.set_version_flag("--version", QSOHOST_VERSION);
  MakeOptions make;
  make.threads = std::max(1u, std::thread::hardware_concurrency());
  std::string profile = "survey";
  std::int64_t stars = -1;
  add_make(app, make, profile, stars);
  try {
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "skysim: {}\n", error.what());
    return 1;
  }
}
