#include "compare/scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "qsohost/error.hpp"
#include "qsohost/light_curve_fitter.hpp"

namespace qsohost::cli {
namespace {

struct Doubt {
  std::int32_t flag;
  const char* text;
};
constexpr Doubt kDoubts[] = {
    {kShortBaseline, "baseline below 10 tau"},
    {kFasterThanCadence, "tau below the median cadence"},
    {kConstantPreferred, "a constant is preferred (BIC)"},
    {kErrorsTooSmall, "errors too small for the residuals"},
    {kErrorSentinels, "errors that stand for none took no part"},
    {kRoundedTimes, "times rounded to 32-bit numbers"},
    {kTwoSources, "two sources"},
};

bool is_flagged(const ComparedFit& fit) {
  return std::ranges::any_of(kDoubts,
                             [&](const Doubt& doubt) { return (fit.flags & doubt.flag) != 0; });
}

}  // namespace

Spool::Spool(std::size_t width) : file_(std::tmpfile()), sizes_(width) {
  if (!file_)
    throw RunError(
        "cannot make a temporary file for the summary; set TMPDIR to a folder with room");
}

void Spool::add(std::span<const double> row) {
  if (std::fwrite(row.data(), sizeof(double), row.size(), file_.get()) != row.size())
    throw RunError(
        "cannot write a temporary file of the summary; set TMPDIR to a folder with room");
  for (std::size_t i = 0; i < row.size(); ++i) sizes_[i] += std::isnan(row[i]) ? 0 : 1;
}

double Spool::median(std::size_t column) const {
  std::vector<double> values;
  values.reserve(sizes_[column]);
  std::vector<double> row(sizes_.size());
  std::rewind(file_.get());
  while (std::fread(row.data(), sizeof(double), row.size(), file_.get()) == row.size()) {
    if (!std::isnan(row[column])) values.push_back(row[column]);
  }
  if (values.size() != sizes_[column])
    throw RunError(
        "cannot read a temporary file of the summary; set TMPDIR to a folder on another disk");
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

Scores::Scores(Names names, Flagged flagged,
               const std::function<bool(std::size_t, std::size_t, std::size_t)>& is_shared)
    : names_(std::move(names)), flagged_(flagged) {
  const std::size_t n = names_.fitters.size();
  for (const std::string& fitter : names_.fitters) {
    for (const std::string& group : names_.groups) {
      OfFitter& of = of_fitter_.emplace_back();
      of.score.fitter = fitter;
      of.score.group = group;
    }
  }
  for (std::size_t a = 0; a < n; ++a) {
    for (std::size_t b = a + 1; b < n; ++b) {
      std::vector<std::size_t> places;
      for (std::size_t i = 0; i < names_.values.size(); ++i) {
        if (is_shared(a, b, i)) places.push_back(i);
      }
      for (const std::string& group : names_.groups) {
        OfPair& of = of_pair_.emplace_back(OfPair{a, b, {}, places, Spool(places.size()), {}});
        of.score.first = names_.fitters[a];
        of.score.second = names_.fitters[b];
        of.score.group = group;
        of.lower.resize(places.size());
      }
    }
  }
}

void Scores::add(std::size_t group, const std::vector<ComparedFit>& fits) {
  const std::size_t groups = names_.groups.size();
  for (std::size_t a = 0; a < fits.size(); ++a) add(fits[a], of_fitter_[a * groups + group]);
  for (std::size_t k = group; k < of_pair_.size(); k += groups)
    add(fits[of_pair_[k].first], fits[of_pair_[k].second], of_pair_[k]);
}

void Scores::add(const ComparedFit& fit, OfFitter& of) const {
  ++of.score.curves;
  of.score.total_seconds += fit.seconds;
  of.times.add({&fit.seconds, 1});
  if (!fit.failure.empty()) {
    ++of.score.failed;
    ++of.reasons[fit.failure];
    return;
  }
  if (is_flagged(fit)) ++of.score.flagged;
  for (const Doubt& doubt : kDoubts) {
    if ((fit.flags & doubt.flag) != 0) ++of.doubts[doubt.flag];
  }
  if (std::isnan(fit.log_jitter)) return;
  ++of.score.with_jitter;
  if ((fit.flags & kJitterAtBound) != 0) ++of.score.jitter_at_bound;
}

void Scores::add(const ComparedFit& first, const ComparedFit& second, OfPair& of) const {
  if (!first.failure.empty() || !second.failure.empty()) return;
  if (flagged_ == Flagged::LeftOut && (is_flagged(first) || is_flagged(second))) {
    ++of.score.left_out;
    return;
  }
  if (first.n_epochs != second.n_epochs) {
    ++of.score.other_epochs;
    return;
  }
  ++of.score.curves;
  std::vector<double> differences;
  for (std::size_t i = 0; i < of.places.size(); ++i) {
    const double difference = first.values[of.places[i]] - second.values[of.places[i]];
    differences.push_back(difference);
    if (difference < 0) ++of.lower[i][0];
    if (difference > 0) ++of.lower[i][1];
  }
  of.differences.add(differences);
}

std::vector<FitterScore> Scores::fitters() const {
  std::vector<FitterScore> out;
  for (const OfFitter& of : of_fitter_) {
    FitterScore& score = out.emplace_back(of.score);
    score.reasons.assign(of.reasons.begin(), of.reasons.end());
    for (const Doubt& doubt : kDoubts) {
      const auto found = of.doubts.find(doubt.flag);
      if (found != of.doubts.end()) score.doubts.emplace_back(doubt.text, found->second);
    }
    score.median_seconds = of.times.median(0);
  }
  return out;
}

std::vector<PairScore> Scores::pairs() const {
  std::vector<PairScore> out;
  for (const OfPair& of : of_pair_) {
    PairScore& score = out.emplace_back(of.score);
    score.aic.median_difference = score.bic.median_difference = std::nan("");
    for (std::size_t i = 0; i < of.places.size(); ++i) {
      const std::string& name = names_.values[of.places[i]];
      const std::uint64_t curves = of.differences.size(i);
      const double median = of.differences.median(i);
      if (name == "aic" || name == "bic") {
        (name == "aic" ? score.aic : score.bic) = {curves, median, of.lower[i][0], of.lower[i][1]};
      } else {
        score.others.push_back({name, curves, median});
      }
    }
  }
  return out;
}

}  // namespace qsohost::cli
