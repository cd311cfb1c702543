// The light curves of the report: which epochs were removed and why, the fitted curve, and the JSON
// of the page, of a chain that is run here.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <random>

#include "folder.hpp"
#include "qsohost/host/run.hpp"
#include "qsohost/io/fits.hpp"
#include "qsohost/io/fits_epochs.hpp"
#include "report/light_curves.hpp"
#include "report/light_curves_json.hpp"
#include "report/light_curves_sample.hpp"
#include "report/sections.hpp"

using namespace qsohost;
using namespace qsohost::cli;
using nlohmann::json;

namespace {

BandEpochs band_of(const std::vector<double>& times, const std::vector<double>& mags) {
  BandEpochs band{.info = {.name = "ztf.g", .time_system = kMjdUtc}, .unit = "mag", .time = times};
  band.mag = mags;
  band.mag_err.assign(times.size(), 0.02);
  band.removed.resize(times.size());
  return band;
}

std::vector<double> ramp(std::size_t n, double from, double step) {
  std::vector<double> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(from + step * static_cast<double>(i));
  return out;
}

// What the section's markup holds between <script type="application/json"> and its end.
json data_of(const Section& section) {
  const std::size_t begin = section.markup.find("application/json");
  REQUIRE(begin != std::string::npos);
  const std::size_t from = section.markup.find('>', begin) + 1;
  return json::parse(section.markup.substr(from, section.markup.find("</script", from) - from));
}

const std::string kHostile = R"(</script><b>"x'&)";

// A chain from epochs to cleaned light curves, its products in `run`. Objects: `a` and one with a
// hostile name have 40 epochs, `few` has 3, too few for a fit.
class CleaningRun {
 public:
  CleaningRun() {
    std::mt19937_64 random(7);
    std::normal_distribution<double> noise(0, 0.03);
    std::ofstream epochs(folder / "epochs.csv"), catalogue(folder / "catalogue.csv");
    epochs << "source_id,mjd,mag,magerr,catflags,sharp,chi,airmass\n";
    catalogue << "source_id,z\n";
    std::string quoted = kHostile;
    quoted.insert(quoted.find('"'), "\"");
    for (const auto& [id, n] :
         {std::pair<std::string, int>{"a", 40}, {"\"" + quoted + "\"", 40}, {"few", 3}}) {
      catalogue << id << ",1.5\n";
      for (int i = 0; i < n; ++i) {
        const bool is_outlier = i == 20;
        const double mag = 19 + 0.2 * std::sin(0.2 * i) + noise(random) + (is_outlier ? 2 : 0);
        epochs << fmt::format("{},{},{:.4f},0.03,{},0.1,{},{}\n", id, 58000.25 + 10 * i, mag,
                              i == 5 ? 2 : 0, i == 6 || i == 5 ? 3 : 1, i == 7 ? 2.5 : 1.1);
      }
    }
  }

  RunProducts products(const std::string& stages) {
    std::ofstream(folder / "chain.toml")
        << "[chain]\nname = \"test\"\n[[stage]]\nuse = \"lightcurve-source\"\n"
           "paths = [\"epochs.csv\"]\ncatalog = \"catalogue.csv\"\n"
           "[[stage.band]]\ngroup = \"ztf.g\"\ntime = \"mjd\"\nmag_err = \"magerr\"\n"
           "columns = [\"catflags\", \"sharp\", \"chi\", \"airmass\"]\ntime_system = \"MJD UTC\"\n"
        << stages;
    Plugins plugins;
    std::vector<Problem> problems;
    auto chain = Chain::load(folder / "chain.toml", {}, plugins, problems);
    for (const Problem& problem : problems) UNSCOPED_INFO(problem.text());
    REQUIRE(chain);
    RunOptions options;
    options.run_dir = folder / "run";
    options.threads = 1;
    const RunReport report = run(*chain, options);
    INFO(report.error);
    REQUIRE(report.end != RunEnd::Failed);
    return RunProducts(folder / "run");
  }

  Folder folder;
};

std::string sink(const std::string& label, const std::string& what, const std::string& file) {
  return fmt::format(
      "[[stage]]\nuse = \"fits-sink\"\nlabel = \"{}\"\nwhat = \"{}\"\npath = \"{}.fits\"\n", label,
      what, file);
}

std::string cleaning() {
  return sink("raw", "ztf", "raw") +
         R"([[stage]]
use = "epoch-quality"
label = "quality"
[[stage.rule]]
column = "catflags"
equals = [0]
[[stage.rule]]
column = "chi"
max = 2
[[stage.rule]]
column = "airmass"
max = 1.8
)" + sink("cleaned", "ztf", "cleaned") +
         "[[stage]]\nuse = \"ou-loo\"\nlabel = \"loo\"\ngroups = [\"ztf.g\"]\n" +
         sink("results", "loo", "loo_{survey}_{band}") + "[[stage]]\nuse = \"drop-epochs\"\n" +
         sink("last", "ztf", "last");
}

const json& object_of(const json& data, const std::string& id) {
  for (const json& object : data["objects"]) {
    if (object["id"] == id) return object;
  }
  FAIL("no object " << id);
  return data;
}

// Positions of removed epochs by rule.
std::map<std::string, std::vector<int>> removed_of(const json& data, const json& curve) {
  std::map<std::string, std::vector<int>> out;
  for (const json& pair : curve["removed"]) {
    out[data["rules"][pair[1].get<std::size_t>()]].push_back(pair[0]);
  }
  return out;
}

}  // namespace

TEST_CASE("epochs are found again in order, by all bits", "[light-curves]") {
  // Equal times, and equal epochs, one of which is gone.
  const BandEpochs earlier = band_of({1, 1, 2, 2, 3, NAN}, {19, 20, 19, 19, 18, 17});
  const auto kept = find_kept(earlier, band_of({1, 2, NAN}, {20, 19, 17}));
  REQUIRE(kept);
  CHECK(*kept == std::vector<std::uint8_t>{0, 1, 1, 0, 0, 1});
  CHECK(*find_kept(earlier, band_of({}, {})) == std::vector<std::uint8_t>(6));
  CHECK_FALSE(find_kept(earlier, band_of({2, 1}, {19, 19})));                 // another order
  CHECK_FALSE(find_kept(earlier, band_of({1}, {std::nextafter(19., 20.)})));  // another value
}

TEST_CASE("flags have words, a fitter's own those of its column", "[light-curves]") {
  const std::string description =
      "sum of: 1 too few epochs, 8 no; at a bound: 64 sigma low, 128 sigma high; likewise: 256, "
      "512; 16384 some error is undefined (NaN)";
  CHECK(words_of_flags(0, description).empty());
  CHECK(words_of_flags(1 | 128, description) ==
        std::vector<std::string>{"too few epochs", "at a bound: sigma high"});
  CHECK(words_of_flags(512 | 16384, description) ==
        std::vector<std::string>{"likewise: flag 512", "some error is undefined"});
  CHECK(words_of_flags(16, "") == std::vector<std::string>{"flag 16"});
}

TEST_CASE("a fitted curve needs the epochs that were fitted", "[light-curves]") {
  BandEpochs band = band_of(ramp(500, 58000, 3), ramp(500, 19, 1e-4));
  band.mag[100] = 25;
  CurveFit fit{.stage = "loo",
               .group = "ztf.g",
               .position = 3,
               .z = 1,
               .n_epochs = 500,
               .n_removed = 1,
               .log_sigma = std::log(0.1),
               .log_tau = std::log(100),
               .mean = 19};
  fit.removed_times = {band.time[100]};
  mark_removed(band, fit);
  CHECK(band.removed[100].rule == "loo: leave-one-out");
  std::vector<std::string> notes;
  const auto curve = fitted_curve(band, fit, notes);
  REQUIRE(curve);
  CHECK(notes.empty());
  CHECK(curve->time.size() <= 300);
  CHECK(curve->time.front() == band.time.front());
  CHECK(curve->time.back() == Approx(band.time.back()));
  CHECK(curve->mean[curve->mean.size() / 2] == Approx(19.025).margin(0.01));
  CHECK(std::abs(curve->residuals[200]) < 1);
  CHECK(curve->residuals[100] > 50);  // of a removed epoch: from those fitted

  fit.n_epochs = 499;
  CHECK_FALSE(fitted_curve(band, fit, notes));
  REQUIRE(notes.size() == 1);
  fit.mean = NAN;  // no damped random walk: nothing to say
  CHECK_FALSE(fitted_curve(band, fit, notes));
  CHECK(notes.size() == 1);
}

TEST_CASE("light curves are written without losing an epoch in silence", "[light-curves]") {
  ObjectCurves object{.id = "1", .why = "fitted", .bands = {}, .fits = {}, .notes = {}};
  object.bands.push_back(band_of({58000.1234, 57999, NAN, 1e300}, {19.1234, NAN, 19, 19}));
  object.bands.push_back(band_of({}, {}));
  object.bands[0].mag_err[0] = NAN;
  RuleNames rules;
  const json written = json::parse(json_of(object, rules).dump());
  const json& curve = written["curves"][0];
  CHECK(curve["undrawn"] == 3);
  CHECK(curve["t"] == json{8000123});
  const double mag =
      curve["zero"].get<double>() + curve["y"][0].get<double>() * curve["step"].get<double>();
  CHECK(mag == Approx(19.1234).margin(1e-3));
  CHECK(curve["e"] == json{nullptr});
  CHECK(written["curves"][1]["t"].empty());
}

TEST_CASE("a run's removed epochs have their rules", "[light-curves]") {
  CleaningRun cleaning_run;
  const RunProducts run = cleaning_run.products(cleaning());
  std::filesystem::remove(cleaning_run.folder / "epochs.csv");  // products alone are enough
  const Section section = light_curves_section(run, {});
  INFO(section.paragraphs.back());
  const json data = data_of(section);
  REQUIRE(data["objects"].size() == 3);
  for (const std::string& id : {std::string("a"), kHostile}) {
    const json& curve = object_of(data, id)["curves"][0];
    REQUIRE(curve["t"].size() == 40);
    INFO(data["rules"].dump());
    // Epoch 5 fails two rules and counts for the first.
    CHECK(removed_of(data, curve) ==
          std::map<std::string, std::vector<int>>{{"quality: failed catflags = 0", {5}},
                                                  {"quality: failed chi <= 2", {6}},
                                                  {"quality: failed airmass <= 1.8", {7}},
                                                  {"loo: leave-one-out", {20}}});
    CHECK(curve["r"][20] > 1000);  // 10 standard deviations
    CHECK(curve["fit"]["y"].size() == curve["fit"]["t"].size());
  }
  const json& few = object_of(data, "few");
  CHECK(few["why"] == "not fitted");
  CHECK_FALSE(few["curves"][0].contains("fit"));
  CHECK(few["fits"][0].back() == "too few epochs");
  CHECK(section.markup.find("<b>") == std::string::npos);
  CHECK(light_curves_section(run, {}).markup == section.markup);
}

TEST_CASE("the sample is taken from each outcome", "[light-curves]") {
  CleaningRun cleaning_run;
  const RunProducts run = cleaning_run.products(cleaning());
  const auto surveys = curves_by_survey(run);
  REQUIRE(surveys.size() == 1);
  REQUIRE(surveys[0].products.size() == 3);
  CHECK(surveys[0].products[0]->file.filename() == "raw.fits");
  CHECK(surveys[0].products[2]->file.filename() == "last.fits");
  const auto two = choose_objects(run, surveys, 2, 1);
  REQUIRE(two.size() == 2);
  CHECK(two[0].id != two[1].id);
  std::map<std::string, std::string> why;
  for (const ChosenObject& object : choose_objects(run, surveys, 60, 1))
    why[object.id] = object.why;
  CHECK(why.size() == 3);
  CHECK(why["few"] == "not fitted");
  CHECK(light_curves_section(run, {.light_curves = 0}).empty());
}

TEST_CASE("light curves alone are shown without rules or fits", "[light-curves]") {
  CleaningRun cleaning_run;
  const Section section =
      light_curves_section(cleaning_run.products(sink("raw", "ztf", "raw")), {.id_prefix = "b-"});
  const json data = data_of(section);
  CHECK(data["objects"].size() == 3);
  CHECK(data["rules"].empty());
  CHECK(section.markup.find(R"(id="b-lc-search")") != std::string::npos);
}

TEST_CASE("tables of other programs are shown as far as they can be", "[light-curves]") {
  const Folder folder;
  // Of object 1 no number is finite, 2 has no epochs, 3 has more magnitudes than times.
  Column ids({"source_id", DType::I64, "", ""}), times({"mjd_g", DType::F64, "d", ""}),
      mags({"mag_g", DType::F32, "mag", ""}), flags({"flags", DType::I32, "", ""}),
      numbers({"n_epochs", DType::I32, "", ""});
  for (const std::int64_t id : {1, 2, 3}) {
    ids.append(id);
    numbers.append<std::int32_t>(2);
  }
  for (const double time : std::initializer_list<double>{NAN, INFINITY, 58000}) times.append(time);
  for (const float mag : {NAN, 19.F, 19.F, 20.F}) mags.append(mag);
  for (int i = 0; i < 4; ++i) flags.append<std::int32_t>(1 << 8);
  const std::vector<std::uint64_t> of_times{0, 2, 2, 3}, of_mags{0, 2, 2, 4};
  const FitsEpochs epochs{{{"ztf.g", "ztf", "g", "mjd", "mag", "magerr", kMjdUtc}},
                          {{"mjd_g", "ztf.g", "mjd"}, {"mag_g", "ztf.g", "mag"}}};
  const std::vector<FitsColumn> curves{
      {ids.info(), &ids}, {times.info(), &times, of_times}, {mags.info(), &mags, of_mags}};
  const std::vector<FitsColumn> fits{
      {ids.info(), &ids}, {numbers.info(), &numbers}, {flags.info(), &flags, of_mags}};
  const std::vector<std::size_t> rows{0, 1, 2};
  write_fits_table(folder / "curves.fits", {"ztf", epoch_keywords(epochs), {}}, curves, rows);
  write_fits_table(folder / "fits.fits", {"fit.ztf.g", {}, {}}, fits, rows);

  const json data = data_of(light_curves_section(RunProducts(folder.path), {}));
  REQUIRE(data["objects"].size() == 3);
  CHECK(object_of(data, "1")["curves"][0]["undrawn"] == 2);
  CHECK(object_of(data, "2")["curves"][0]["t"].empty());
  CHECK(object_of(data, "2")["why"] == "without epochs of a survey");
  CHECK(object_of(data, "3")["curves"].empty());
  const std::string note = object_of(data, "3")["notes"][0];
  CHECK_THAT(note, Catch::Contains("curves.fits: the arrays of ztf.g have different lengths"));
}

TEST_CASE("no light curves, no section", "[light-curves]") {
  const Folder folder;
  CHECK(light_curves_section(RunProducts(folder.path), {}).empty());
}

TEST_CASE("the page's script and licences are whole", "[light-curves]") {
  CHECK(light_curves_script().find("var uPlot=function(){") != std::string::npos);
  CHECK(light_curves_script().ends_with("})();\n"));
  CHECK(light_curves_script().find("</") == std::string::npos);
  CHECK(licences().find("Permission is hereby granted") != std::string::npos);
}
