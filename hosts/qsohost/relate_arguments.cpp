#include "relate_arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>

#include "qsohost/io/text.hpp"

namespace qsohost::cli {
namespace {

double number_in(const std::string& text, const char* option) {
  const auto value = parse_double(text);
  if (!value || !std::isfinite(*value)) {
    throw CLI::ValidationError(fmt::format("{}: '{}' must be a number", option, text));
  }
  return *value;
}

double positive_number_in(const std::string& text, const char* option) {
  const double value = number_in(text, option);
  if (!(value > 0)) {
    throw CLI::ValidationError(fmt::format("{}: '{}' must be above 0", option, text));
  }
  return value;
}

using ReadNumber = double (*)(const std::string& text, const char* option);

// NAME=VALUE
void add_named(const std::vector<std::string>& texts, const char* option, ReadNumber read,
               std::map<std::string, double>& out) {
  for (const std::string& text : texts) {
    const std::size_t at = text.find('=');
    if (at == std::string::npos || at == 0) {
      throw CLI::ValidationError(
          fmt::format("{}: '{}' must have the form NAME=VALUE", option, text));
    }
    out[text.substr(0, at)] = read(text.substr(at + 1), option);
  }
}

CLI::Validator ends_in(std::vector<std::string> endings) {
  return CLI::Validator(
      [endings = std::move(endings)](std::string& text) {
        for (const std::string& ending : endings) {
          if (text.ends_with(ending)) return std::string();
        }
        return fmt::format("'{}' should end in {}", text, fmt::join(endings, " or "));
      },
      "");
}

void add_sample_options(CLI::App& relate, SampleOptions& sample) {
  relate.add_option("--y", sample.y, "logD, logtau or logsigma, of which log10 is taken [logD]")
      ->type_name("NAME")
      ->default_str("");
  relate
      .add_option("--x", sample.x,
                  "Regressors: columns of the fits, of the run's catalogues or of --catalog, by "
                  "name (also without case or prefix: loglbol is WUSHEN_LOGLBOL); loglambda, "
                  "log10 of the band's wavelength at rest; log1pz, log10(1 + z)")
      ->type_name("NAME,...")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->required();
  relate
      .add_option("--cut", sample.cuts,
                  "Only objects for which this holds: '1 <= z < 1.1 and n_epochs > 50' (may be "
                  "given several times)")
      ->type_name("CONDITION")
      ->allow_extra_args(false);
  relate.add_option("--catalog", sample.catalog, "One more table to take columns from")
      ->type_name("FILE");
  relate.add_option("--catalog-id", sample.catalog_id, "Its column of identifiers [source_id]")
      ->type_name("NAME")
      ->default_str("");
  relate
      .add_option_function<std::vector<std::string>>(
          "--min-valid",
          [&sample](const std::vector<std::string>& texts) {
            add_named(texts, "--min-valid", number_in, sample.min_valid);
          },
          "Values of a regressor below this are missing: loglbol=40")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  relate
      .add_option_function<std::vector<std::string>>(
          "--wavelength",
          [&sample](const std::vector<std::string>& texts) {
            add_named(texts, "--wavelength", positive_number_in, sample.wavelength);
          },
          "Of a band, in Angstrom, for loglambda: ps1.g=4810; those of ZTF and Gaia are known")
      ->type_name("BAND=VALUE")
      ->allow_extra_args(false);
}

void add_fit_options(CLI::App& relate, RelateOptions& options) {
  relate
      .add_option("--fit", options.fits,
                  "Fits to take, such as loo.ztf.g; several with loglambda are related together "
                  "[all, each by itself]")
      ->type_name("LABEL.BAND,...")
      ->delimiter(',')
      ->allow_extra_args(false);
  relate
      .add_option_function<std::string>(
          "--snr-cut",
          [&options](const std::string& text) {
            options.snr_cut = text == "auto" ? 0 : positive_number_in(text, "--snr-cut");
          },
          "One more robust line, through objects whose light curves have (P95 - P5 of mag) / "
          "median error above this; auto: raised from 5 by 0.5 until at most 3,000 are left")
      ->type_name("S/N");
  relate
      .add_option("--light-curves", options.light_curves,
                  "Product that --snr-cut looks at [the smallest with the band]")
      ->type_name("FILE");
  relate
      .add_option_function<std::string>(
          "--partner",
          [&options](const std::string& text) {
            options.partner = text == "flat" ? Partner::Flat : Partner::Fitted;
          },
          "Population of tau (of D for logtau) in the hierarchical fit: fitted; or flat, which "
          "biases it and is there to compare [fitted]")
      ->type_name("HOW")
      ->check(CLI::IsMember({"fitted", "flat"}).description(""));
}

}  // namespace

CLI::App* add_relate(CLI::App& app, RelateArguments& arguments) {
  CLI::App* relate = app.add_subcommand(
      "relate", "Fit how D, tau or sigma of a run depend on luminosity or other columns");
  relate->add_option("RUN_DIR", arguments.options.run_dir, "The run directory")->required();
  add_sample_options(*relate, arguments.options.sample);
  add_fit_options(*relate, arguments.options);
  relate->add_option("--plot", arguments.plot, "Write a plot, .svg")
      ->type_name("FILE")
      ->check(ends_in({".svg"}));
  relate->add_option("--table", arguments.table, "Write the objects with residuals, .fits or .csv")
      ->type_name("FILE")
      ->check(ends_in({".fits", ".csv"}));
  relate->add_option("--json", arguments.json, "Write the numbers as JSON")->type_name("FILE");
  return relate;
}

}  // namespace qsohost::cli
