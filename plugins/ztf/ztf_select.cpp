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
  std::map<std::tuple<int, int, int, int>, Candidate*> nearest;
  for (Candidate& candidate : candidates) {
    if (!std::exchange(candidate.is_kept, false)) continue;
    const Curve& curve = *candidate.curve;
    if (!has_quadrant(curve)) {
      throw qsohost::BadObject(
          "objects = \"nearest\" needs the columns field, ccdid and qid, which this answer does "
          "not have; ask for all columns");
    }
    Candidate*& best = nearest[{curve.band, curve.field, curve.ccdid, curve.qid}];
    if (best == nullptr || is_nearer(candidate, *best)) best = &candidate;
  }
  for (const auto& [quadrant, candidate] : nearest) candidate->is_kept = true;
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
  }
  if (selection.nearest_only) keep_nearest(candidates);
  return candidates;
}

void check_found(std::span<const Candidate> candidates, const Selection& selection) {
  if (candidates.empty()) {
    throw qsohost::NotFound("no ZTF source there: the answer has a header and no rows");
  }
  if (std::ranges::any_of(candidates, &Candidate::is_kept)) return;
  const auto nearest = std::ranges::min(candidates, {}, &Candidate::separation);
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
    for (const Epoch& epoch : candidate.curve->epochs) {
      if (candidate.is_kept) {
        kept[epoch.band].epochs.push_back(&epoch);
        kept[epoch.band].ids.push_back(place);
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
    std::int64_t added = 0;
    for (const Candidate& candidate : candidates) {
      if (candidate.curve->band != band) continue;
      const auto n = static_cast<std::int64_t>(candidate.curve->epochs.size());
      in += n;
      if (!candidate.is_inside) outside += n;
      if (candidate.is_kept) added += n;
    }
    const std::string item = group_name(band);
    counts.add(item, "epochs in answers", in);
    counts.add(item, "epochs outside the radius", outside);
    counts.add(item, "epochs of farther sources", in - outside - added);
    counts.add(item, "epochs added", added);
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
