#include "report_arguments.hpp"

#include <CLI/CLI.hpp>

namespace qsohost::cli {

CLI::App* add_report(CLI::App& app, ReportArguments& arguments) {
  CLI::App* report = app.add_subcommand(
      "report", "Make a page of a run, or of two side by side: outcomes, light curves, plots");
  report->add_option("RUN_DIR", arguments.runs, "A run directory, or two to compare")
      ->required()
      ->expected(1, 2);
  report->add_option("--out", arguments.out, "The page [report.html in the first RUN_DIR]")
      ->type_name("FILE");
  report->add_option("--title", arguments.title, "Its title [the name of the chain]")
      ->type_name("TEXT");
  report
      ->add_option("--light-curves", arguments.options.light_curves,
                   "How many objects to show with their light curves [60]")
      ->type_name("N");
  report
      ->add_option("--seed", arguments.options.seed,
                   "Chooses these objects, and others where a plot shows a sample [1]")
      ->type_name("N");
  report
      ->add_option("--plots", arguments.plots,
                   "More plots of any two columns, as this TOML file says; see the guide report.md")
      ->type_name("FILE");
  report
      ->add_option("--compare-catalog", arguments.catalogs,
                   "A catalogue to compare with that of the run, or two to compare with each other "
                   "(FITS, CSV, VOTable)")
      ->type_name("FILE")
      ->expected(1, 2);
  return report;
}

}  // namespace qsohost::cli
