// Whatever a product, a catalogue or a file of plots holds, the report page and the relations of
// the fits are made, or the run is refused; no text of the data becomes markup. Input: a table,
// which stands beside the product of a fit, or the file of plots. Texts of the seeds hold "<fuzz>",
// which no page has of its own.
#include <deque>
#include <numeric>
#include <optional>

#include "fuzz_file.hpp"
#include "qsohost/io/fits.hpp"
#include "relate/relate.hpp"
#include "relate/relation_files.hpp"
#include "report/report.hpp"

using namespace qsohost;
using namespace qsohost::fuzz;

namespace {

namespace fs = std::filesystem;

constexpr std::size_t kRows = 40;

// As ou-loo writes it, with numbers that have some scatter.
void write_fit(const fs::path& file) {
  std::deque<Column> values;
  std::vector<FitsColumn> columns;
  const auto add = [&](const char* name, const auto& value) {
    Column& column = values.emplace_back(ColumnInfo{name, dtype_of<decltype(value(0))>(), "", ""});
    for (std::size_t i = 0; i < kRows; ++i) column.append(value(static_cast<std::int32_t>(i)));
    columns.push_back({column.info(), &column});
  };
  add("source_id", [](std::int32_t i) { return std::int64_t{i} + 1; });
  add("z", [](std::int32_t i) { return 0.1 * (i % 7) + 0.3; });
  int k = 0;
  for (const char* name :
       {"log_sigma_full", "log_tau_full", "logD_full", "log_sigma_post", "log_tau_post",
        "logD_post", "err_log_sigma_post", "err_log_tau_post", "err_logD_post"}) {
    ++k;
    add(name, [k](std::int32_t i) { return 0.3 + 0.01 * ((i * 37 + k * 11) % 101); });
  }
  add("n_epochs", [](std::int32_t i) { return 20 + i; });
  add("n_removed", [](std::int32_t i) { return i % 3; });
  add("flags", [](std::int32_t i) { return i % 5 == 0 ? 1 : 0; });
  std::vector<std::size_t> rows(kRows);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  write_fits_table(file, {"loo.ztf.g", {{"CHAIN", "mine", ""}}, {}}, columns, rows);
}

const fs::path& run_dir() {
  static const fs::path run = [] {
    fs::create_directory(folder() / "run");
    write_fit(folder() / "run/fit.fits");
    return folder() / "run";
  }();
  return run;
}

void make(const cli::ReportRequest& request) {
  const cli::Report report = cli::make_report(request);
  if (report.html.find("<fuzz") != report.html.npos) std::abort();
}

// With the threshold that is chosen by itself, which reads the light curves; none: without them.
void relate(std::optional<double> snr_cut) {
  cli::RelateOptions options;
  options.run_dir = run_dir();
  options.sample.x = {"z", "log1pz"};
  options.sample.cuts = {"z < 5"};
  options.snr_cut = snr_cut;
  const std::vector<cli::Relation> relations = cli::relate(options);
  static_cast<void>(cli::relations_as_json(relations));
  for (const cli::Relation& relation : relations) static_cast<void>(cli::relation_figure(relation));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const bool is_table = input.starts_with("SIMPLE");
  cli::ReportRequest request;
  request.runs = {run_dir()};
  if (!is_table) {
    fs::remove(run_dir() / "in.fits");
    request.plots = folder() / "plots.toml";
    write(request.plots, data, size);
    refusing([&] { make(request); });
    return 0;
  }
  write(run_dir() / "in.fits", data, size);
  refusing([&] { make(request); });
  request.catalogs = {run_dir() / "in.fits", run_dir() / "fit.fits"};
  refusing([&] { make(request); });
  refusing([] { relate(std::nullopt); });
  refusing([] { relate(0); });
  return 0;
}
