#include "score.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "cleaned_curves.hpp"
#include "product_table.hpp"
#include "qsohost/error.hpp"
#include "qsohost/light_curve_fitter.hpp"

namespace qsohost::skysim {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLine = "{:<8} {:<24} {:>7} {:>8} {:>7} {:>9} {:>10} {:>15} {:>15}";
// Flags of ou-loo: two sources in one light curve, as of all fitters, and given up because more
// than max_removed_fraction would have been removed.
constexpr std::int32_t kNotTrusted = kTwoSources | 1 << 24;

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

// `wrong`: epochs that are not good ones of the quasar; those that the cuts should have removed
// are right to remove, but not missed.
struct Epochs {
  std::size_t removed = 0, removed_wrong = 0;
  std::size_t missed = 0, found = 0;
  void add(const CleanedEpoch& epoch) {
    const bool is_wrong = epoch.kind != Kind::Good;
    removed += epoch.is_removed ? 1 : 0;
    removed_wrong += epoch.is_removed && is_wrong ? 1 : 0;
    if (!is_wrong || epoch.kind == Kind::FailsCuts) return;
    ++(epoch.is_removed ? found : missed);
  }
};

struct Score {
  Epochs own;  // of the quasars
  Epochs all;  // and of their neighbours
  bool has_neighbours = false;
  Deviations before, after;

  void add(const std::vector<CleanedEpoch>& epochs) {
    for (const CleanedEpoch& epoch : epochs) {
      all.add(epoch);
      if (epoch.kind == Kind::Neighbour)
        has_neighbours = true;
      else
        own.add(epoch);
    }
  }
};

struct ScoreOfCurves {
  Score not_flagged, all;
};

ScoreOfCurves score_of(const fs::path& file, const ScoreOptions& options, ProductTable& truth) {
  const LightCurveName name = name_in(file);
  ProductTable results(file);
  const CleanedCurves curves(name, options.curves, truth);
  const auto rows_of_truth = truth.rows_by_id();
  const auto times = results.arrays("removed_mjd");
  const auto epoch_ids = results.arrays("removed_epoch_id");
  const auto ids = results.scalars("source_id").values<std::int64_t>();
  const auto flags = results.scalars("flags").values<std::int32_t>();
  const Column& true_log_d = truth.scalars(fmt::format("logD_{}_{}", name.survey, name.band));

  ScoreOfCurves out;
  for (std::size_t row = 0; row < ids.size(); ++row) {
    const auto in_truth = rows_of_truth.find(ids[row]);
    if (in_truth == rows_of_truth.end()) {
      throw Error(fmt::format("{}: object {} is not in {}", file.string(), ids[row],
                              truth.file().string()));
    }
    const std::size_t t = in_truth->second;
    const auto epochs = curves.epochs({file, ids[row], times[row], epoch_ids[row]}, t);
    const double log_d = true_log_d.number(t);
    const auto add = [&](Score& score) {
      score.add(epochs);
      score.before.add(results.scalars("logD_full").number(row), log_d);
      score.after.add(results.scalars("logD_post").number(row), log_d);
    };
    add(out.all);
    if ((flags[row] & kNotTrusted) == 0) add(out.not_flagged);
  }
  return out;
}

std::string part(std::size_t of, std::size_t all) {
  if (all == 0) return "-";
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(of) / static_cast<double>(all));
}

std::string deviation(const Deviations& d) {
  if (d.values.empty()) return "-";
  return fmt::format("{:+.2f} +- {:.2f}", d.centre(), d.scatter());
}

std::string lines(const LightCurveName& name, const std::string& objects, const Score& score) {
  const auto line = [&](const std::string& which, const Epochs& e) {
    const std::size_t there = e.found + e.missed;
    return fmt::format(kLine, name.survey + "." + name.band, which, score.before.values.size(),
                       e.removed, part(e.removed_wrong, e.removed), there, part(e.found, there),
                       deviation(score.before), deviation(score.after)) +
           "\n";
  };
  std::string out = line(objects, score.own);
  if (score.has_neighbours) out += line(objects + " + neighbours", score.all);
  return out;
}

}  // namespace

std::string score(const ScoreOptions& options) {
  ProductTable truth(options.sky / "truth.fits");
  std::string out = fmt::format(kLine, "light", "objects", "", "epochs", "", "outliers",
                                "complete-", "fitted - true", "ln D") +
                    "\n";
  out += fmt::format(kLine, "curve", "", "fitted", "removed", "purity", "there", "ness", "before",
                     "after cleaning") +
         "\n";
  for (const fs::path& file : options.results) {
    const ScoreOfCurves s = score_of(file, options, truth);
    out += lines(name_in(file), "not flagged", s.not_flagged);
    out += lines(name_in(file), "all", s.all);
  }
  return out;
}

}  // namespace qsohost::skysim
