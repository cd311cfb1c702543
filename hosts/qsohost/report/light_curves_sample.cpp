#include "report/light_curves_sample.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "qsohost/light_curve_fitter.hpp"
#include "report/fit_columns.hpp"

namespace qsohost::cli {
namespace {

// A number that depends on seed and identifier alone: the objects with the lowest are a random
// sample, whatever the order of the rows. FNV-1a, then the finaliser of MurmurHash3.
double random_score(const std::string& id, std::uint64_t seed) {
  std::uint64_t h = 0xcbf29ce484222325U ^ (seed * 0x9e3779b97f4a7c15U);
  for (const char c : id) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdU;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53U;
  return static_cast<double>((h ^ (h >> 33)) >> 11);
}

// The objects with the lowest scores, at most `most`.
class Stratum {
 public:
  Stratum(std::string why, std::size_t most) : why_(std::move(why)), most_(most) {}

  void add(double score, const std::string& id) {
    if (id.empty() || (best_.size() == most_ && score > best_.rbegin()->first)) return;
    best_.emplace(score, id);
    if (best_.size() > most_) best_.erase(std::prev(best_.end()));
  }
  const std::string& why() const { return why_; }
  std::vector<std::string> ids() const {
    std::vector<std::string> out;
    for (const auto& [score, id] : best_) out.push_back(id);
    return out;
  }

 private:
  std::string why_;
  std::size_t most_;
  std::set<std::pair<double, std::string>> best_;
};

struct Strata {
  explicit Strata(std::size_t n)
      : fitted("fitted", n),
        flagged("fitted with flags", n),
        worst("largest chi2", n),
        removed("most epochs removed", n),
        failed("not fitted", n),
        without("without epochs of a survey", n),
        any("any object", n) {}
  Stratum fitted, flagged, worst, removed, failed, without, any;
  std::vector<const Stratum*> all() const {
    return {&fitted, &worst, &failed, &removed, &flagged, &without, &any};
  }
};

void add_fits(const Product& product, std::uint64_t seed, Strata& strata) {
  std::vector<std::string> columns{"source_id", "flags", "n_epochs"};
  const auto chi2 = first_column(product, {"chi2_red_post", "chi2_red", "chi2"});
  const auto removed = first_column(product, {"n_removed"});
  for (const auto& column : {chi2, removed}) {
    if (column) columns.push_back(*column);
  }
  const auto has_it = [&](const std::string& column) { return has_one_value(product, column); };
  if (!std::ranges::all_of(columns, has_it)) return;
  each_block(product, columns, [&](const Rows& rows) {
    const std::vector<std::string> ids = rows.texts(0);
    const std::vector<double> flags = rows.numbers(1), epochs = rows.numbers(2);
    const std::vector<double> chi2s = chi2 ? rows.numbers(3) : std::vector<double>{};
    const std::vector<double> gone = removed ? rows.numbers(columns.size() - 1) : chi2s;
    for (std::size_t i = 0; i < ids.size(); ++i) {
      const std::int32_t bits = std::isfinite(flags[i]) ? bits_of(flags[i]) : kFitFailed;
      const double random = random_score(ids[i], seed);
      if (!failure_of(bits).empty()) {
        (epochs[i] > 0 ? strata.failed : strata.without).add(random, ids[i]);
        continue;
      }
      (bits == 0 ? strata.fitted : strata.flagged).add(random, ids[i]);
      if (chi2 && std::isfinite(chi2s[i])) {
        strata.worst.add(-chi2s[i] / (*chi2 == "chi2" ? std::max(epochs[i], 1.0) : 1), ids[i]);
      }
      if (removed && gone[i] > 0) strata.removed.add(-gone[i], ids[i]);
    }
  });
}

// Arrays of a fixed length are padded with NaN.
bool has_numbers(const Cells& cells) {
  const std::size_t n = cells.values.size() * cells.values.width();
  for (std::size_t i = 0; i < n && cells.values.dtype() != DType::String; ++i) {
    if (std::isfinite(cells.values.number(i))) return true;
  }
  return false;
}

// Of a random part of the objects, for the arrays of all would have to be read: those with and
// without epochs.
void add_curves(const Product& product, std::size_t count, std::uint64_t seed, Strata& strata) {
  if (!has_one_value(product, "source_id")) return;
  Stratum candidates("", 4 * count);
  const std::array<std::string, 1> columns{"source_id"};
  each_block(product, columns, [&](const Rows& rows) {
    for (const std::string& id : rows.texts(0)) candidates.add(random_score(id, seed), id);
  });
  std::vector<std::string> times;
  for (const FitsEpochColumn& column : product.epochs.columns) {
    const auto group = std::ranges::find(product.epochs.groups, column.group, &GroupInfo::name);
    if (group != product.epochs.groups.end() && column.name == group->time &&
        first_column(product, {column.column})) {
      times.push_back(column.column);
    }
  }
  const std::vector<std::string> ids = candidates.ids();
  SampledRows sampled(product, {ids.begin(), ids.end()});
  for (const std::string& id : ids) {
    const std::vector<Cells> cells = sampled.read(id, times);
    (std::ranges::any_of(cells, has_numbers) ? strata.any : strata.without)
        .add(random_score(id, seed), id);
  }
}

}  // namespace

std::vector<ChosenObject> choose_objects(const RunProducts& run,
                                         const std::vector<SurveyCurves>& surveys,
                                         std::size_t count, std::uint64_t seed) {
  Strata strata(count);
  for (const ProductKind kind : {ProductKind::Fit, ProductKind::JointFit}) {
    for (const Product* product : run.of_kind(kind)) {
      add_fits(*product, seed, strata);
    }
  }
  for (const SurveyCurves& survey : surveys) {
    add_curves(*survey.products.front(), count, seed, strata);
  }
  std::vector<ChosenObject> chosen;
  std::set<std::string> taken;
  std::vector<std::vector<std::string>> ids;
  for (const Stratum* stratum : strata.all()) ids.push_back(stratum->ids());
  std::vector<std::size_t> next(ids.size());
  // In turn, so that a rare outcome is there even if the sample is small.
  for (bool is_any_left = true; is_any_left && chosen.size() < count;) {
    is_any_left = false;
    for (std::size_t s = 0; s < ids.size() && chosen.size() < count; ++s) {
      while (next[s] < ids[s].size() && taken.contains(ids[s][next[s]])) ++next[s];
      if (next[s] == ids[s].size()) continue;
      is_any_left = true;
      taken.insert(ids[s][next[s]]);
      chosen.push_back({ids[s][next[s]], strata.all()[s]->why()});
    }
  }
  return chosen;
}

}  // namespace qsohost::cli
