#include "compare/scores.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "qsohost/error.hpp"

namespace qsohost::cli {

Spool::Spool() : file_(std::tmpfile()) {
  if (!file_) throw RunError("cannot make a temporary file for the summary; is TMPDIR full?");
}

void Spool::add(double value) {
  if (std::isnan(value)) return;
  if (std::fwrite(&value, sizeof value, 1, file_.get()) != 1)
    throw RunError("cannot write a temporary file of the summary; is the disk full?");
  ++size_;
}

double Spool::median() const {
  if (size_ == 0) return std::numeric_limits<double>::quiet_NaN();
  std::vector<double> values(size_);
  std::rewind(file_.get());
  if (std::fread(values.data(), sizeof(double), size_, file_.get()) != size_)
    throw RunError("cannot read a temporary file of the summary");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(size_ / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (size_ % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

Scores::Scores(std::vector<std::string> fitters, std::vector<std::string> names,
               const std::vector<std::vector<bool>>& given)
    : names_(std::move(names)), labels_(std::move(fitters)), of_fitter_(labels_.size()) {
  for (std::size_t a = 0; a < labels_.size(); ++a) {
    for (std::size_t b = a + 1; b < labels_.size(); ++b) {
      OfPair& pair = of_pair_.emplace_back();
      pair.first = a;
      pair.second = b;
      for (std::size_t i = 0; i < names_.size(); ++i) {
        if (given[a][i] && given[b][i]) pair.places.push_back(i);
      }
      pair.differences.resize(pair.places.size());
      pair.lower.resize(pair.places.size());
    }
  }
}

void Scores::add(const std::vector<ComparedFit>& fits) {
  for (std::size_t a = 0; a < fits.size(); ++a) {
    OfFitter& score = of_fitter_[a];
    ++score.curves;
    score.seconds += fits[a].seconds;
    score.times.add(fits[a].seconds);
    if (!fits[a].failure.empty()) ++score.reasons[fits[a].failure];
  }
  for (OfPair& pair : of_pair_) {
    const ComparedFit &first = fits[pair.first], &second = fits[pair.second];
    if (!first.failure.empty() || !second.failure.empty()) continue;
    ++pair.curves;
    for (std::size_t i = 0; i < pair.places.size(); ++i) {
      const double difference = first.values[pair.places[i]] - second.values[pair.places[i]];
      if (std::isnan(difference)) continue;
      pair.differences[i].add(difference);
      if (difference != 0) ++pair.lower[i][difference < 0 ? 0 : 1];
    }
  }
}

std::vector<FitterScore> Scores::fitters() const {
  std::vector<FitterScore> out;
  for (std::size_t a = 0; a < labels_.size(); ++a) {
    const OfFitter& score = of_fitter_[a];
    FitterScore& s = out.emplace_back();
    s.fitter = labels_[a];
    s.curves = score.curves;
    s.reasons.assign(score.reasons.begin(), score.reasons.end());
    for (const auto& [reason, n] : s.reasons) s.failed += n;
    s.median_seconds = score.times.median();
    s.total_seconds = score.seconds;
  }
  return out;
}

std::vector<PairScore> Scores::pairs() const {
  std::vector<PairScore> out;
  for (const OfPair& pair : of_pair_) {
    PairScore& s = out.emplace_back();
    s.first = labels_[pair.first];
    s.second = labels_[pair.second];
    s.curves = pair.curves;
    s.aic.median_difference = s.bic.median_difference = std::nan("");
    for (std::size_t i = 0; i < pair.places.size(); ++i) {
      const std::string& name = names_[pair.places[i]];
      const Spool& differences = pair.differences[i];
      if (name == "aic" || name == "bic") {
        (name == "aic" ? s.aic : s.bic) = {differences.size(), differences.median(),
                                           pair.lower[i][0], pair.lower[i][1]};
      } else {
        s.others.push_back({name, differences.size(), differences.median()});
      }
    }
  }
  return out;
}

}  // namespace qsohost::cli
