// From light curves to groups of a batch.
#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/sphere.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "ztf_answer.hpp"
#include "ztf_columns.hpp"

namespace ztf {

namespace {

std::string group_name(std::size_t band) {
  return fmt::format("ztf.{}", kBands[band]);
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

void keep_nearest(std::span<Candidate> candidates) {
  const auto is_nearer = [](const Candidate& a, const Candidate& b) {
    return std::tie(a.separation, a.curve->oid) < std::tie(b.separation, b.curve->oid);
  };
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
  for (const auto& [quadrant, candidate] : nearest) candidate->is_kept = true;
}

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

struct KeptEpochs {
  std::vector<const Epoch*> epochs;
  std::vector<std::int64_t> ids;
};

// Appends the kept epochs of one band and the column's nulls among them.
void append_band(const KeptEpochs& kept, qsohost::Group& group) {
  qsohost::Column& id = group.at("epoch_id");
  const std::size_t before = id.size();
  for (const std::int64_t place : kept.ids) id.append(place);
  std::uint32_t bit = 1;
  for (const ColumnRule& rule : column_rules()) {
    qsohost::Column& column = group.at(rule.name);
    rule.append(kept.epochs, column);
    for (std::size_t k = 0; k < kept.epochs.size(); ++k) {
      if ((kept.epochs[k]->nulls & bit) != 0) column.set_null(before + k);
    }
    bit <<= 1;
  }
}

}  // namespace

std::vector<const Curve*> pointers_to(std::span<const Curve> curves) {
  std::vector<const Curve*> out;
  out.reserve(curves.size());
  for (const Curve& curve : curves) out.push_back(&curve);
  return out;
}

std::vector<Candidate> candidates_of(Curves curves, double ra, double dec,
                                     const Selection& selection) {
  if (!std::isfinite(ra) || !std::isfinite(dec)) {
    throw qsohost::BadObject(fmt::format("the target's position ({}, {}) is not finite", ra, dec));
  }
  std::vector<Candidate> candidates;
  for (const Curve* curve : curves) {
    const double separation = qsohost::separation_arcsec(ra, dec, curve->ra, curve->dec);
    const bool is_inside = separation <= selection.radius_arcsec;
    candidates.push_back({curve, separation, is_inside, is_inside});
    if (is_inside) sort_out(candidates.back(), selection.duplicates);
  }
  if (selection.objects == Objects::Nearest) keep_nearest(candidates);
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

void append(std::span<const Candidate> candidates, qsohost::Batch& batch) {
  std::array<KeptEpochs, kBands.size()> kept;
  std::int64_t place = 0;
  for (const Candidate& candidate : candidates) {
    if (!candidate.is_inside) continue;
    for (const Epoch* epoch : candidate.epochs) {
      if (candidate.is_kept) {
        kept[epoch->band].epochs.push_back(epoch);
        kept[epoch->band].ids.push_back(place);
      }
      ++place;
    }
  }
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    const std::string group = group_name(band);
    if (batch.find_group(group) != nullptr) append_band(kept[band], batch.group(group));
  }
}

void count(std::span<const Candidate> candidates, qsohost::Counts& counts) {
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    std::int64_t in = 0;
    std::int64_t outside = 0;
    std::int64_t farther = 0;
    std::int64_t incomplete = 0;
    std::int64_t repeated = 0;
    std::int64_t conflicting = 0;
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
    }
    const std::string item = group_name(band);
    counts.add(item, "epochs in answers", in);
    counts.add(item, "epochs outside the radius", outside);
    counts.add(item, "epochs of farther sources", farther);
    counts.add(item, "without magnitude or error", incomplete);
    counts.add(item, "repeated", repeated);
    counts.add(item, "repeated with other values", conflicting);
    counts.add(item, "epochs added", in - outside - farther - incomplete - repeated - conflicting);
  }
}

std::vector<Candidate> add_curves(Curves curves, double ra, double dec, const Selection& selection,
                                  qsohost::Batch& batch, qsohost::Counts& counts) {
  std::vector<Candidate> candidates = candidates_of(curves, ra, dec, selection);
  count(candidates, counts);
  check_found(candidates, selection);
  append(candidates, batch);
  return candidates;
}

void declare_columns(qsohost::Ports& ports, std::span<const std::uint8_t> bands) {
  for (const std::uint8_t band : bands) {
    const std::string group = group_name(band);
    ports.adds_group({.name = group,
                      .survey = "ztf",
                      .band = std::string(kBands[band]),
                      .time = "mjd",
                      .mag = "mag",
                      .mag_err = "magerr",
                      .time_system = qsohost::kMjdUtc});
    ports.adds(
        {.group = group,
         .name = "epoch_id",
         .dtype = qsohost::DType::I64,
         .help = "place among the epochs of the target, from 0: by oid, mjd, expid, in all bands"});
    for (const ColumnRule& rule : column_rules()) {
      ports.adds({.group = group,
                  .name = std::string(rule.name),
                  .dtype = rule.dtype,
                  .unit = std::string(rule.unit),
                  .help = std::string(rule.help),
                  .in_product = rule.in_product});
    }
  }
}

}  // namespace ztf
