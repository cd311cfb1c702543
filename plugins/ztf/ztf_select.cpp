// Which epochs are those of a target, and what became of the others.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <qsohost/error.hpp>
#include <qsohost/sphere.hpp>

#include <algorithm>
#include <cmath>

#include "ztf_answer.hpp"
#include "ztf_columns.hpp"
#include "ztf_product.hpp"
#include "ztf_sources.hpp"

namespace ztf {

namespace {

bool is_complete(const Epoch& epoch) {
  return !std::isnan(epoch.mjd) && !std::isnan(epoch.mag) && !std::isnan(epoch.magerr);
}

bool is_same_exposure(const Epoch& a, const Epoch& b) {
  return a.mjd == b.mjd && a.expid == b.expid;
}

bool are_equal(const Epoch& a, const Epoch& b) {
  return a.nulls == b.nulls && std::ranges::all_of(column_rules(), [&](const ColumnRule& rule) {
           return rule.equal(a, b);
         });
}

// Which of the curve's rows are epochs. Rows of one exposure follow each other.
void sort_out(Candidate& candidate, Duplicates duplicates) {
  for (const Epoch& row : candidate.curve->epochs) {
    if (!is_complete(row)) {
      ++candidate.incomplete;
    } else if (duplicates == Duplicates::Drop && !candidate.epochs.empty() &&
               is_same_exposure(*candidate.epochs.back(), row)) {
      ++(are_equal(*candidate.epochs.back(), row) ? candidate.repeated : candidate.conflicting);
    } else {
      candidate.epochs.push_back(&row);
    }
  }
}

void count_epochs(std::span<const Candidate> candidates, qsohost::Counts& counts) {
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    std::int64_t in = 0;
    std::int64_t outside = 0;
    std::int64_t farther = 0;
    std::int64_t incomplete = 0;
    std::int64_t repeated = 0;
    std::int64_t conflicting = 0;
    std::int64_t second = 0;
    for (const Candidate& candidate : candidates) {
      if (candidate.curve->band != band) continue;
      const auto n = static_cast<std::int64_t>(candidate.curve->epochs.size());
      in += n;
      if (!candidate.is_inside) outside += n;
      if (candidate.is_inside && !candidate.is_kept) farther += n;
      if (!candidate.is_kept) continue;
      incomplete += candidate.incomplete;
      repeated += candidate.repeated;
      conflicting += candidate.conflicting;
      second += std::ranges::count(candidate.is_second, true);
    }
    const std::string item = group_name(band);
    counts.add(item, "epochs in answers", in);
    counts.add(item, "epochs outside the radius", outside);
    counts.add(item, "epochs of farther sources", farther);
    counts.add(item, "without magnitude or error", incomplete);
    counts.add(item, "repeated", repeated);
    counts.add(item, "repeated with other values", conflicting);
    counts.add(item, "second in an exposure", second);
    counts.add(item, "epochs added",
               in - outside - farther - incomplete - repeated - conflicting - second);
  }
}

// Of sources that are the same star, where there are several in a band.
void count_offsets(std::span<const Candidate> candidates, qsohost::Counts& counts) {
  for (const Candidate& candidate : candidates) {
    if (!candidate.is_kept || !candidate.is_target || candidate.is_reference) continue;
    const std::string item = group_name(candidate.curve->band);
    const Offset& offset = candidate.offset;
    const bool is_known = !std::isnan(offset.value);
    counts.add(item, is_known ? "offsets measured" : "offsets unknown (no overlap)");
    if (std::abs(offset.value) > 3 * offset.error) counts.add(item, "offsets over 3 errors");
  }
}

void count_two_sources(const TwoSources& two_sources, qsohost::Counts& counts) {
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    if (two_sources[band] == 0) continue;
    counts.add(group_name(band), "objects with two sources");
    counts.add(group_name(band), "exposures with two sources", two_sources[band]);
  }
}

// "604103100006917 (g 18.92 at 0.12 arcsec, 312 epochs)"
std::string name_of(const Candidate& candidate) {
  const std::string epochs =
      candidate.is_kept ? fmt::format("{} epochs", candidate.taken()) : "left out";
  return fmt::format("{} ({} {:.2f} at {:.2f} arcsec, {})", candidate.curve->oid,
                     kBands[candidate.curve->band], mean_mag(candidate), candidate.separation,
                     epochs);
}

// "g 312, r 280; oids 3", and all sources of bands in which there are others than the target.
std::string detail_of(std::span<const Candidate> candidates, const TwoSources& two_sources) {
  std::array<std::int64_t, kBands.size()> epochs{};
  std::array<bool, kBands.size()> has_others{};
  std::size_t oids = 0;
  for (const Candidate& candidate : candidates) {
    const std::size_t band = candidate.curve->band;
    has_others[band] |= two_sources[band] > 0 || (candidate.is_inside && !candidate.is_target);
    if (!candidate.is_kept) continue;
    epochs[band] += candidate.taken();
    ++oids;
  }
  std::vector<std::string> parts;
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    if (epochs[band] > 0) parts.push_back(fmt::format("{} {}", kBands[band], epochs[band]));
  }
  std::string detail = fmt::format("{}; oids {}", fmt::join(parts, ", "), oids);
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    if (two_sources[band] == 0) continue;
    detail += fmt::format("; two sources in {} exposures of {}", two_sources[band], kBands[band]);
  }
  parts.clear();
  for (const Candidate& candidate : candidates) {
    const bool is_told = candidate.is_inside && has_others[candidate.curve->band];
    if (is_told) parts.push_back(name_of(candidate));
  }
  if (!parts.empty()) detail += fmt::format("; sources: {}", fmt::join(parts, ", "));
  return detail;
}

}  // namespace

std::int64_t Candidate::taken() const {
  if (!is_kept) return 0;
  return static_cast<std::int64_t>(epochs.size()) - std::ranges::count(is_second, true);
}

std::vector<const Curve*> pointers_to(std::span<const Curve> curves) {
  std::vector<const Curve*> out;
  out.reserve(curves.size());
  for (const Curve& curve : curves) out.push_back(&curve);
  return out;
}

std::vector<Candidate> candidates_of(Curves curves, double ra, double dec,
                                     const Selection& selection) {
  if (!std::isfinite(ra) || !std::isfinite(dec)) {
    throw qsohost::BadObject(fmt::format(
        "the target's position ({}, {}) is not finite; correct it in the catalogue", ra, dec));
  }
  std::vector<Candidate> candidates;
  for (const Curve* curve : curves) {
    const double separation = qsohost::separation_arcsec(ra, dec, curve->ra, curve->dec);
    const bool is_inside = separation <= selection.radius_arcsec;
    candidates.push_back({curve, separation, is_inside, is_inside});
    if (is_inside) sort_out(candidates.back(), selection.duplicates);
  }
  find_target(candidates);
  if (selection.objects == Objects::Nearest) keep_nearest(candidates);
  measure_offsets(candidates);
  for (Candidate& candidate : candidates) {
    const bool is_shifted = selection.align == Align::Median && !std::isnan(candidate.offset.value);
    if (is_shifted) candidate.shift = candidate.offset.value;
  }
  if (selection.objects == Objects::Nearest) keep_one_per_exposure(candidates);
  return candidates;
}

void check_found(std::span<const Candidate> candidates, const Selection& selection) {
  if (candidates.empty()) {
    throw qsohost::NotFound("no ZTF source there: the answer has a header and no rows");
  }
  std::int64_t incomplete = 0;
  bool has_any = false;
  for (const Candidate& candidate : candidates) {
    if (!candidate.is_kept) continue;
    if (!candidate.epochs.empty()) return;
    has_any = true;
    incomplete += candidate.incomplete;
  }
  if (has_any) {
    throw qsohost::NotFound(fmt::format(
        "all {} epochs of the ZTF sources there are without time, magnitude or error", incomplete));
  }
  const auto& nearest = *std::ranges::min_element(candidates, {}, &Candidate::separation);
  throw qsohost::NotFound(
      fmt::format("none of the {} ZTF sources of the answer is within {} arcsec; the nearest is "
                  "at {:.2f} arcsec",
                  candidates.size(), selection.radius_arcsec, nearest.separation));
}

std::string add_curves(Curves curves, double ra, double dec, const Selection& selection,
                       const Destination& to) {
  const std::vector<Candidate> candidates = candidates_of(curves, ra, dec, selection);
  const TwoSources two_sources = two_source_exposures(candidates);
  count_epochs(candidates, to.counts);
  count_offsets(candidates, to.counts);
  count_two_sources(two_sources, to.counts);
  check_found(candidates, selection);
  append_epochs(candidates, to.batch);
  append_sources(candidates, two_sources, to);
  return detail_of(candidates, two_sources);
}

}  // namespace ztf
