#include "report/light_curves_epochs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "qsohost/error.hpp"

namespace qsohost::cli {
namespace {

std::vector<double> numbers_of(const std::vector<Column>& columns, const std::string& name) {
  const auto at = std::ranges::find_if(columns, [&](const Column& c) { return c.name() == name; });
  std::vector<double> out;
  for (std::size_t i = 0; at != columns.end() && i < at->size(); ++i) out.push_back(at->number(i));
  return out;
}

// Gaia's products have fluxes and their errors in place of the magnitudes' errors.
void add_errors(BandEpochs& band) {
  const std::vector<double> flux = numbers_of(band.columns, "flux");
  const std::vector<double> error = numbers_of(band.columns, "flux_error");
  const bool is_there = !numbers_of(band.columns, band.info.mag_err).empty();
  if (is_there || flux.size() != error.size() || flux.empty()) return;
  Column& column = band.columns.emplace_back(ColumnInfo{band.info.mag_err, DType::F64, "mag", ""});
  for (std::size_t i = 0; i < flux.size(); ++i) {
    column.append(flux[i] > 0 ? kMagPerRelativeFlux * error[i] / flux[i] : kNan);
  }
}

BandEpochs read_band(SampledRows& table, const std::string& id, const GroupInfo& info) {
  const Product& product = table.product();
  std::vector<std::string> names, columns;
  for (const FitsEpochColumn& column : product.epochs.columns) {
    if (column.group != info.name || !first_column(product, {column.column})) continue;
    columns.push_back(column.column);
    names.push_back(column.name);
  }
  std::vector<Cells> cells = table.read(id, columns);
  fixed_to_arrays(cells);
  BandEpochs band{.info = info, .time = {}};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    band.columns.push_back(std::move(cells[i].values));
    band.columns.back().rename(names[i]);
    if (names[i] == info.mag) band.unit = band.columns.back().info().unit;
  }
  if (band.unit.empty()) band.unit = "mag";  // tables of other programs often do not say it
  add_errors(band);
  band.time = numbers_of(band.columns, info.time);
  band.mag = numbers_of(band.columns, info.mag);
  band.mag_err = numbers_of(band.columns, info.mag_err);
  if (band.mag_err.empty()) band.mag_err.resize(band.time.size(), kNan);
  const auto fits = [&](std::size_t n) { return n == band.time.size(); };
  if (!fits(band.mag.size()) || !fits(band.mag_err.size()) ||
      !std::ranges::all_of(band.columns, [&](const Column& c) { return fits(c.size()); })) {
    throw RunError(
        fmt::format("{}: the arrays of {} have different lengths, or times or magnitudes are "
                    "missing; make the product again",
                    product.file.filename().string(), info.name));
  }
  band.removed.resize(band.time.size());
  return band;
}

bool is_same_epoch(const BandEpochs& a, std::size_t i, const BandEpochs& b, std::size_t k) {
  const auto same = [](double x, double y) {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  };
  return same(a.time[i], b.time[k]) && same(a.mag[i], b.mag[k]) && same(a.mag_err[i], b.mag_err[k]);
}

// Marks what `later` lacks of what was kept so far. Returns whether it could be compared.
bool compare(BandEpochs& band, SampledRows& earlier, SampledRows& later, const std::string& id,
             std::vector<std::string>& notes) {
  const std::string& group = band.info.name;
  const auto& groups = later.product().epochs.groups;
  const std::string file = later.product().file.filename().string();
  if (std::ranges::find(groups, group, &GroupInfo::name) == groups.end()) {
    notes.push_back(fmt::format("{}: not in {}", group, file));
    return false;
  }
  const auto kept = find_kept(band, read_band(later, id, band.info));
  if (!kept) {
    notes.push_back(fmt::format("{}: the epochs in {} are not some of those before", group, file));
    return false;
  }
  const std::vector<HistoryStage> stages = stages_of(later.product());
  const std::size_t first = stages_of(earlier.product()).size();
  const std::string where =
      first > 0 && first < stages.size()
          ? fmt::format("between {} and {}", stages[first - 1].label, stages.back().label)
          : "not in " + file;
  for (std::size_t i = 0; i < band.removed.size(); ++i) {
    if (band.removed[i].is_kept() && (*kept)[i] == 0) {
      band.removed[i] = {first, stages.empty() ? first : stages.size() - 1, where};
    }
  }
  return true;
}

// A batch of this object whose only epoch is one of `band`. Light curves that are not there have no
// epochs, but their columns, for filters of several.
Batch batch_of_epoch(const std::vector<BandEpochs>& bands, const BandEpochs& band, std::size_t i) {
  Batch batch(0, 0, 1);
  batch.objects().add({"source_id", DType::I64, "", ""}).append<std::int64_t>(1);
  for (const BandEpochs& other : bands) {
    Group& group = batch.add_group(other.info);
    for (const Column& column : other.columns) {
      Column& to = group.add(column.info());
      if (&other == &band) to.append_cells(column, i, 1);
    }
    group.close_row();
  }
  return batch;
}

}  // namespace

std::optional<std::vector<std::uint8_t>> find_kept(const BandEpochs& earlier,
                                                   const BandEpochs& later) {
  std::vector<std::uint8_t> kept(earlier.time.size());
  std::size_t k = 0;
  for (std::size_t i = 0; i < kept.size() && k < later.time.size(); ++i) {
    if (!is_same_epoch(earlier, i, later, k)) continue;
    kept[i] = 1;
    ++k;
  }
  if (k < later.time.size()) return std::nullopt;
  return kept;
}

CurvesOfSurvey::CurvesOfSurvey(const SurveyCurves& survey, const std::set<std::string>& ids) {
  for (const Product* product : survey.products) tables_.emplace_back(*product, ids);
}

std::vector<BandEpochs> CurvesOfSurvey::read(const std::string& id,
                                             std::vector<std::string>& notes) {
  const auto begin = std::ranges::find_if(tables_, [&](const auto& t) { return t.has(id); });
  std::vector<BandEpochs> bands;
  if (begin == tables_.end()) return bands;
  for (const GroupInfo& info : begin->product().epochs.groups) {
    bands.push_back(read_band(*begin, id, info));
  }
  std::vector<bool> goes_on(bands.size(), true);
  for (auto later = begin + 1; later < tables_.end(); ++later) {
    if (!later->has(id)) {
      notes.push_back(fmt::format("not in {}", later->product().file.filename().string()));
      break;
    }
    for (std::size_t i = 0; i < bands.size(); ++i) {
      if (goes_on[i]) goes_on[i] = compare(bands[i], *(later - 1), *later, id, notes);
    }
  }
  return bands;
}

void name_rules(std::vector<BandEpochs>& bands, RemovalRules& rules) {
  for (BandEpochs& band : bands) {
    for (std::size_t i = 0; i < band.removed.size(); ++i) {
      if (band.removed[i].is_kept()) continue;
      rules.find(band.removed[i], band.info.name, [&] { return batch_of_epoch(bands, band, i); });
    }
  }
}

}  // namespace qsohost::cli
