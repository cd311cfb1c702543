#include "score.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>

#include "qsohost/error.hpp"
#include "qsohost/io/fits.hpp"

namespace qsohost::skysim {
namespace {

namespace fs = std::filesystem;

constexpr double kSameEpoch = 1e-5;  // days; exposures are half a minute apart at least
constexpr std::int16_t kFailsCuts = 4;
constexpr const char* kLine = "{:<8} {:>7} {:>8} {:>7} {:>9} {:>10} {:>15} {:>15}\n";

// Selected columns of a whole file.
class Table {
 public:
  explicit Table(fs::path file) : file_(std::move(file)), table_(file_) {}

  bool has(const std::string& name) const { return table_.find(name).has_value(); }
  std::size_t rows() const { return table_.rows(); }

  const Cells& column(const std::string& name) {
    const auto known = columns_.find(name);
    if (known != columns_.end()) return known->second;
    const auto at = table_.find(name);
    if (!at) throw Error(fmt::format("{}: there is no column '{}'", file_.string(), name));
    return columns_.emplace(name, std::move(table_.read(0, rows(), std::array{*at}).front()))
        .first->second;
  }

  // A column with one value per row.
  const Column& scalars(const std::string& name) {
    const Cells& cells = column(name);
    if (cells.lengths.empty() && cells.values.width() == 1) return cells.values;
    throw Error(fmt::format("{}: column '{}' has several values a row, where one is wanted",
                            file_.string(), name));
  }

  std::map<std::int64_t, std::size_t> rows_by_id() {
    const auto ids = scalars("source_id").values<std::int64_t>();
    std::map<std::int64_t, std::size_t> out;
    for (std::size_t row = 0; row < ids.size(); ++row) out[ids[row]] = row;
    return out;
  }

  // An array column, array by array.
  std::vector<std::vector<double>> arrays(const std::string& name) {
    const Cells& cells = column(name);
    if (cells.lengths.size() != rows()) {
      throw Error(
          fmt::format("{}: column '{}' holds no arrays of varying length", file_.string(), name));
    }
    std::vector<std::vector<double>> out;
    std::size_t at = 0;
    for (const std::uint64_t length : cells.lengths) {
      auto& array = out.emplace_back();
      for (std::uint64_t i = 0; i < length; ++i) array.push_back(cells.values.number(at++));
    }
    return out;
  }

 private:
  fs::path file_;
  FitsTable table_;
  std::map<std::string, Cells> columns_;
};

struct LightCurveName {
  std::string survey;
  std::string band;
};

// "quick_loo_ztf_g.fits" -> ztf, g
LightCurveName name_in(const fs::path& file) {
  const std::string stem = file.stem().string();
  const std::size_t band = stem.rfind('_');
  const std::size_t survey = band == std::string::npos ? band : stem.rfind('_', band - 1);
  const std::string name =
      survey == std::string::npos ? "" : stem.substr(survey + 1, band - survey - 1);
  if (name != "ztf" && name != "gaia") {
    throw Error(fmt::format("{}: the name does not end as results of ou-loo do, e.g. _ztf_g.fits",
                            file.string()));
  }
  return {name, stem.substr(band + 1)};
}

// The name of the time column in the surveys' files.
std::string time_column(const LightCurveName& curve) {
  if (curve.survey == "ztf") return "mjd_" + curve.band;
  return curve.band == "g" ? "g_transit_time" : curve.band + "_obs_time";
}

bool contains_time(const std::vector<double>& times, double time) {
  return std::ranges::any_of(times, [&](double t) { return std::abs(t - time) < kSameEpoch; });
}

double median(std::vector<double> values) {
  if (values.empty()) return std::nan("");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

struct Deviations {
  std::vector<double> values;
  void add(double fitted, double truth) {
    if (std::isfinite(fitted) && std::isfinite(truth)) values.push_back(fitted - truth);
  }
  double centre() const { return median(values); }
  double scatter() const {
    const double middle = centre();
    std::vector<double> distances;
    for (const double v : values) distances.push_back(std::abs(v - middle));
    return 1.4826 * median(distances);
  }
};

struct Score {
  std::size_t removed = 0, right = 0;
  std::size_t outliers = 0, found = 0;
  Deviations before, after;
};

std::string part(std::size_t of, std::size_t all) {
  if (all == 0) return "-";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(of) / static_cast<double>(all));
}

Table curves_with(const std::string& time_column, const std::vector<fs::path>& files) {
  for (const fs::path& file : files) {
    Table table(file);
    if (table.has(time_column)) return table;
  }
  throw Error(fmt::format("none of the files of --curves has a column '{}'", time_column));
}

Score score_of(const fs::path& file, const ScoreOptions& options, Table& truth) {
  const LightCurveName name = name_in(file);
  const std::string key = name.survey + "_" + name.band;
  Table results(file);
  Table curves = curves_with(time_column(name), options.curves);
  const auto rows_of_truth = truth.rows_by_id();
  const auto rows_of_curves = curves.rows_by_id();
  const auto removed = results.arrays("removed_mjd");
  const auto outliers = truth.arrays("outlier_time_" + key);
  const auto reasons = truth.arrays("outlier_why_" + key);
  const auto times = curves.arrays(time_column(name));
  const auto ids = results.scalars("source_id").values<std::int64_t>();

  Score score;
  for (std::size_t row = 0; row < ids.size(); ++row) {
    const auto in_truth = rows_of_truth.find(ids[row]);
    const auto in_curves = rows_of_curves.find(ids[row]);
    if (in_truth == rows_of_truth.end() || in_curves == rows_of_curves.end()) {
      throw Error(fmt::format("{}: object {} is not in the sky, or not in the light curves",
                              file.string(), ids[row]));
    }
    const std::size_t t = in_truth->second;
    const double log_d = truth.scalars("logD_" + key).number(t);
    score.before.add(results.scalars("logD_full").number(row), log_d);
    score.after.add(results.scalars("logD_post").number(row), log_d);
    score.removed += removed[row].size();
    for (std::size_t k = 0; k < outliers[t].size(); ++k) {
      if (!contains_time(times[in_curves->second], outliers[t][k])) continue;
      const bool is_found = contains_time(removed[row], outliers[t][k]);
      score.right += is_found ? 1 : 0;
      if (reasons[t][k] == kFailsCuts) continue;
      score.outliers += 1;
      score.found += is_found ? 1 : 0;
    }
  }
  return score;
}

}  // namespace

std::string score(const ScoreOptions& options) {
  Table truth(options.sky / "truth.fits");
  std::string out = fmt::format(kLine, "light", "", "epochs", "", "outliers", "complete-",
                                "fitted - true", "ln D");
  out += fmt::format(kLine, "curve", "fitted", "removed", "purity", "there", "ness", "before",
                     "after cleaning");
  for (const fs::path& file : options.results) {
    const Score s = score_of(file, options, truth);
    const auto [survey, band] = name_in(file);
    const auto deviation = [](const Deviations& d) {
      return fmt::format("{:+.2f} +- {:.2f}", d.centre(), d.scatter());
    };
    out += fmt::format(kLine, survey + "." + band, s.after.values.size(), s.removed,
                       part(s.right, s.removed), s.outliers, part(s.found, s.outliers),
                       deviation(s.before), deviation(s.after));
  }
  return out;
}

}  // namespace qsohost::skysim
