// From a parsed answer to groups of a batch.
#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/sphere.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "ztf_answer.hpp"
#include "ztf_columns.hpp"

namespace ztf {

namespace {

std::string group_name(std::size_t band) {
  return fmt::format("ztf.{}", kBands[band]);
}

void keep_nearest(Answer& answer) {
  if (!answer.has_quadrants) {
    throw qsohost::BadObject(
        "objects = \"nearest\" needs the columns field, ccdid and qid, which "
        "this answer does not have; ask for all columns");
  }
  const auto is_nearer = [](const Source& a, const Source& b) {
    return std::tie(a.separation, a.oid) < std::tie(b.separation, b.oid);
  };
  std::map<std::tuple<int, int, int, int>, Source*> nearest;
  for (Source& source : answer.sources) {
    source.is_kept = false;
    if (!source.is_inside) continue;
    Source*& best = nearest[{source.band, source.field, source.ccdid, source.qid}];
    if (best == nullptr || is_nearer(source, *best)) best = &source;
  }
  for (const auto& [quadrant, source] : nearest) source->is_kept = true;
}

// The kept epochs of one band and the column's nulls among them.
void append_band(const std::vector<const Epoch*>& epochs, qsohost::Group& group) {
  qsohost::Column& id = group.at("epoch_id");
  const std::size_t before = id.size();
  for (const Epoch* epoch : epochs) id.append(epoch->epoch_id);
  std::uint32_t bit = 1;
  for (const ColumnRule& rule : column_rules()) {
    qsohost::Column& column = group.at(rule.name);
    rule.append(epochs, column);
    for (std::size_t k = 0; k < epochs.size(); ++k) {
      if ((epochs[k]->nulls & bit) != 0) column.set_null(before + k);
    }
    bit <<= 1;
  }
}

}  // namespace

void select(Answer& answer, double ra, double dec, const Selection& selection) {
  if (!std::isfinite(ra) || !std::isfinite(dec)) {
    throw qsohost::BadObject(fmt::format("the target's position ({}, {}) is not finite", ra, dec));
  }
  if (answer.sources.empty()) {
    throw qsohost::NotFound("no ZTF source there: the answer has a header and no rows");
  }
  double nearest = HUGE_VAL;
  for (Source& source : answer.sources) {
    source.separation = qsohost::separation_arcsec(ra, dec, source.ra, source.dec);
    source.is_inside = source.separation <= selection.radius_arcsec;
    source.is_kept = source.is_inside;
    nearest = std::min(nearest, source.separation);
  }
  if (nearest > selection.radius_arcsec) {
    throw qsohost::NotFound(
        fmt::format("none of the {} ZTF sources of the answer is within {} arcsec; the nearest is "
                    "at {:.2f} arcsec",
                    answer.sources.size(), selection.radius_arcsec, nearest));
  }
  if (selection.nearest_only) keep_nearest(answer);
}

void append(const Answer& answer, qsohost::Batch& batch) {
  std::array<std::vector<const Epoch*>, kBands.size()> kept;
  for (const Epoch& epoch : answer.epochs) {
    const Source& source = answer.sources[epoch.source];
    if (source.is_kept) kept[epoch.band].push_back(&epoch);
  }
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    const std::string group = group_name(band);
    if (batch.find_group(group) != nullptr) append_band(kept[band], batch.group(group));
  }
}

void count(const Answer& answer, qsohost::Counts& counts) {
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    std::int64_t in = 0;
    std::int64_t outside = 0;
    std::int64_t added = 0;
    for (const Source& source : answer.sources) {
      if (source.band != band) continue;
      const auto n = static_cast<std::int64_t>(source.epochs);
      in += n;
      if (!source.is_inside) outside += n;
      if (source.is_kept) added += n;
    }
    const std::string item = group_name(band);
    counts.add(item, "epochs in answers", in);
    counts.add(item, "epochs outside the radius", outside);
    counts.add(item, "epochs of farther sources", in - outside - added);
    counts.add(item, "epochs added", added);
  }
}

void add_answer(std::string_view text, double ra, double dec, const Selection& selection,
                qsohost::Batch& batch, qsohost::Counts& counts) {
  Answer answer = parse_answer(text);
  try {
    select(answer, ra, dec, selection);
  } catch (const qsohost::NotFound&) {
    count(answer, counts);
    throw;
  }
  count(answer, counts);
  append(answer, batch);
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
    ports.adds({.group = group,
                .name = "epoch_id",
                .dtype = qsohost::DType::I64,
                .help = "place among the epochs of the answer, from 0"});
    for (const ColumnRule& rule : column_rules()) {
      ports.adds({.group = group,
                  .name = std::string(rule.name),
                  .dtype = rule.dtype,
                  .unit = std::string(rule.unit),
                  .help = std::string(rule.help)});
    }
  }
}

}  // namespace ztf
