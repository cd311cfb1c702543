#include "ztf_sources.hpp"

#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/sphere.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "ztf_columns.hpp"

namespace ztf {

namespace {

constexpr double kSameNight = 1;        // d
constexpr std::size_t kLeastPairs = 5;  // a median of fewer says less than one epoch
constexpr float kErrorsApart = 5;
constexpr float kMagApart = 0.1f;

// A source without any epoch is no rival.
bool is_nearer(const Candidate& a, const Candidate& b) {
  const auto key = [](const Candidate& c) {
    return std::tuple(c.epochs.empty(), c.separation, c.curve->oid);
  };
  return key(a) < key(b);
}

// Columns missing in this curve's rows have no value.
bool has_quadrant(const Curve& curve) {
  std::uint32_t bit = 1;
  for (const ColumnRule& rule : column_rules()) {
    const bool is_part = rule.name == "field" || rule.name == "ccdid" || rule.name == "qid";
    if (is_part && (curve.epochs.front().nulls & bit) != 0) return false;
    bit <<= 1;
  }
  return true;
}

// Calls use(a, i, b, j) for every two epochs of one exposure that are taken of two sources.
template <class Candidates, class Use>
void for_each_shared(Candidates candidates, const Use& use) {
  for (auto& b : candidates) {
    for (auto& a : candidates) {
      if (&a == &b) break;
      if (!a.is_kept || !b.is_kept || a.curve->band != b.curve->band) continue;
      std::size_t first = 0;
      for (std::size_t i = 0; i < a.epochs.size(); ++i) {
        const double mjd = a.epochs[i]->mjd;
        while (first < b.epochs.size() && b.epochs[first]->mjd < mjd) ++first;
        for (std::size_t j = first; j < b.epochs.size() && b.epochs[j]->mjd == mjd; ++j) {
          if (a.is_taken(i) && b.is_taken(j)) use(a, i, b, j);
        }
      }
    }
  }
}

float magnitude(const Candidate& candidate, std::size_t i) {
  return candidate.epochs[i]->mag - candidate.shift;
}

float median(std::vector<float>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

std::vector<const Epoch*> without_catflags(const Candidate& candidate) {
  std::vector<const Epoch*> epochs;
  std::ranges::copy_if(candidate.epochs, std::back_inserter(epochs),
                       [](const Epoch* epoch) { return epoch->catflags == 0; });
  return epochs;
}

// Magnitudes minus that of the reference's epoch nearest in time, for epochs of the same night.
std::vector<float> differences(const Candidate& candidate, const Candidate& reference) {
  const std::vector<const Epoch*> others = without_catflags(reference);
  std::vector<float> out;
  std::size_t k = 0;
  for (const Epoch* epoch : without_catflags(candidate)) {
    const auto away = [&](std::size_t i) { return std::abs(others[i]->mjd - epoch->mjd); };
    while (k + 1 < others.size() && away(k + 1) <= away(k)) ++k;
    if (k < others.size() && away(k) <= kSameNight) out.push_back(epoch->mag - others[k]->mag);
  }
  return out;
}

Offset offset_of(const Candidate& candidate, const Candidate& reference) {
  std::vector<float> values = differences(candidate, reference);
  Offset offset{.pairs = static_cast<std::int32_t>(values.size())};
  if (values.size() < kLeastPairs) return offset;
  offset.value = median(values);
  for (float& value : values) value = std::abs(value - offset.value);
  // Of a median: sqrt(pi / 2) standard deviations, which are 1.4826 median deviations.
  offset.error = 1.2533f * 1.4826f * median(values) / std::sqrt(static_cast<float>(values.size()));
  return offset;
}

}  // namespace

void find_target(std::span<Candidate> candidates) {
  const Candidate* nearest = nullptr;
  for (const Candidate& candidate : candidates) {
    if (!candidate.is_inside) continue;
    if (nearest == nullptr || is_nearer(candidate, *nearest)) nearest = &candidate;
  }
  if (nearest == nullptr) return;
  for (Candidate& candidate : candidates) {
    candidate.is_target =
        candidate.is_inside &&
        qsohost::separation_arcsec(nearest->curve->ra, nearest->curve->dec, candidate.curve->ra,
                                   candidate.curve->dec) <= kSameSource;
  }
}

void keep_nearest(std::span<Candidate> candidates) {
  std::array<int, kBands.size()> inside{};
  for (const Candidate& candidate : candidates)
    inside[candidate.curve->band] += candidate.is_inside;
  std::map<std::tuple<int, int, int, int>, Candidate*> nearest;
  for (Candidate& candidate : candidates) {
    if (!std::exchange(candidate.is_kept, false)) continue;
    const Curve& curve = *candidate.curve;
    if (inside[curve.band] > 1 && !has_quadrant(curve)) {
      throw qsohost::BadObject(fmt::format(
          "{} ZTF sources of band {} are inside the radius, and to tell which is the nearest of a "
          "quadrant needs the columns field, ccdid and qid, which this answer does not have; ask "
          "for all columns, or set objects = \"all\"",
          inside[curve.band], kBands[curve.band]));
    }
    Candidate*& best = nearest[{curve.band, curve.field, curve.ccdid, curve.qid}];
    if (best == nullptr || is_nearer(candidate, *best)) best = &candidate;
  }
  // The nearest of a quadrant in which the target was not found is a neighbour.
  for (const auto& [quadrant, candidate] : nearest) candidate->is_kept = candidate->is_target;
}

void keep_one_per_exposure(std::span<Candidate> candidates) {
  const auto leave_out = [](Candidate& candidate, std::size_t i) {
    candidate.is_second.resize(candidate.epochs.size());
    candidate.is_second[i] = true;
  };
  for_each_shared(candidates, [&](Candidate& a, std::size_t i, Candidate& b, std::size_t j) {
    const bool a_is_flagged = a.epochs[i]->catflags != 0;
    const bool b_is_flagged = b.epochs[j]->catflags != 0;
    const bool b_is_better = a_is_flagged == b_is_flagged ? is_nearer(b, a) : a_is_flagged;
    b_is_better ? leave_out(a, i) : leave_out(b, j);
  });
}

void measure_offsets(std::span<Candidate> candidates) {
  std::array<Candidate*, kBands.size()> references{};
  const auto is_compared = [](const Candidate& c) { return c.is_kept && c.is_target; };
  for (Candidate& candidate : candidates) {
    if (!is_compared(candidate)) continue;
    Candidate*& best = references[candidate.curve->band];
    if (best == nullptr || candidate.epochs.size() > best->epochs.size()) best = &candidate;
  }
  for (Candidate& candidate : candidates) {
    if (!is_compared(candidate)) continue;
    const Candidate& reference = *references[candidate.curve->band];
    candidate.is_reference = &candidate == &reference;
    if (!candidate.is_reference) candidate.offset = offset_of(candidate, reference);
  }
}

TwoSources two_source_exposures(std::span<const Candidate> candidates) {
  std::array<std::vector<double>, kBands.size()> times;
  for_each_shared(candidates,
                  [&](const Candidate& a, std::size_t i, const Candidate& b, std::size_t j) {
                    const float apart = std::abs(magnitude(a, i) - magnitude(b, j));
                    const float error = std::hypot(a.epochs[i]->magerr, b.epochs[j]->magerr);
                    if (apart > kErrorsApart * error && apart > kMagApart) {
                      times[a.curve->band].push_back(a.epochs[i]->mjd);
                    }
                  });
  TwoSources counts{};
  for (std::size_t band = 0; band < times.size(); ++band) {
    std::ranges::sort(times[band]);
    const auto repeated = std::ranges::unique(times[band]);
    counts[band] = static_cast<std::int64_t>(times[band].size() - repeated.size());
  }
  return counts;
}

float mean_mag(const Candidate& candidate) {
  double sum = 0;
  for (const Epoch* epoch : candidate.epochs) sum += epoch->mag;
  return static_cast<float>(sum / static_cast<double>(candidate.epochs.size()));
}

}  // namespace ztf
