#include "ztf_product.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "ztf_columns.hpp"

namespace ztf {

namespace {

using qsohost::DType;

struct ResultColumn {
  std::string_view name;
  DType dtype;
  std::string_view unit;
  std::string_view help;
};

// One element for each source inside the radius.
constexpr std::array kSourceColumns{
    ResultColumn{"oid", DType::I64, "", "ZTF source inside the radius, ascending"},
    ResultColumn{"separation", DType::F64, "arcsec", "from the target to the source's position"},
    ResultColumn{"mean_mag", DType::F32, "mag", "mean magnitude of its epochs, not shifted"},
    ResultColumn{"n_epochs", DType::I32, "", "epochs of it in the light curve; 0: left out"},
    ResultColumn{"offset", DType::F32, "mag",
                 "magnitude relative to the source with most epochs (there 0): median over epochs "
                 "without catflags at most 1 d apart; NaN: of another star, left out, or fewer "
                 "than 5 such epochs"},
    ResultColumn{"offset_err", DType::F32, "mag", "error of offset, from the scatter"},
    ResultColumn{"n_pairs", DType::I32, "", "epochs from which offset was found"},
};

// One value for each object.
constexpr std::array kObjectColumns{
    ResultColumn{"n_oids", DType::I32, "", "ZTF sources with epochs in the light curve"},
    ResultColumn{"n_neighbours", DType::I32, "",
                 "of these, farther than 0.7 arcsec from the nearest: another star or galaxy; "
                 "always 0 for objects = \"nearest\""},
    ResultColumn{"n_two_sources", DType::I32, "",
                 "exposures with epochs of two sources whose magnitudes differ by more than 5 "
                 "errors and 0.1 mag; always 0 for objects = \"nearest\""},
};

std::string results_name(std::string_view label, std::size_t band) {
  return fmt::format("{}.sources.{}", label, group_name(band));
}

// Epochs of one band. Those of a source follow each other.
struct KeptEpochs {
  struct Shift {
    std::size_t first;
    std::size_t end;
    float mag;
  };
  std::vector<const Epoch*> epochs;
  std::vector<std::int64_t> ids;
  std::vector<Shift> shifts;
};

// Appends the epochs of one band and the columns' nulls among them.
void append_band(const KeptEpochs& kept, qsohost::Group& group) {
  qsohost::Column& id = group.at("epoch_id");
  const std::size_t before = id.size();
  for (const std::int64_t place : kept.ids) id.append(place);
  std::uint32_t some_null = 0;
  for (const Epoch* epoch : kept.epochs) some_null |= epoch->nulls;
  std::uint32_t bit = 1;
  for (const ColumnRule& rule : column_rules()) {
    qsohost::Column& column = group.at(rule.name);
    rule.append(kept.epochs, column);
    for (std::size_t k = 0; (some_null & bit) != 0 && k < kept.epochs.size(); ++k) {
      if ((kept.epochs[k]->nulls & bit) != 0) column.set_null(before + k);
    }
    bit <<= 1;
  }
  const auto mags = group.at("mag").values<float>().subspan(before);
  for (const auto& [first, end, mag] : kept.shifts) {
    for (std::size_t k = first; k < end; ++k) mags[k] -= mag;
  }
}

void append_source(const Candidate& candidate, qsohost::Group& group) {
  const Offset offset = candidate.is_reference ? Offset{0, 0, 0} : candidate.offset;
  group.at("oid").append(candidate.curve->oid);
  group.at("separation").append(candidate.separation);
  group.at("mean_mag").append(mean_mag(candidate));
  group.at("n_epochs").append(static_cast<std::int32_t>(candidate.taken()));
  group.at("offset").append(offset.value);
  group.at("offset_err").append(offset.error);
  group.at("n_pairs").append(offset.pairs);
}

void declare_curve(qsohost::Ports& ports, std::size_t band) {
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
       .dtype = DType::I64,
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

void declare_sources(qsohost::Ports& ports, const std::string& results) {
  ports.adds_group({.name = results});
  for (const auto& [name, dtype, unit, help] : kSourceColumns) {
    ports.adds({results, std::string(name), dtype, std::string(unit), std::string(help)});
  }
  for (const auto& [name, dtype, unit, help] : kObjectColumns) {
    ports.adds(
        {"", fmt::format("{}.{}", results, name), dtype, std::string(unit), std::string(help)});
  }
}

}  // namespace

std::string group_name(std::size_t band) {
  return fmt::format("ztf.{}", kBands[band]);
}

void append_epochs(std::span<const Candidate> candidates, qsohost::Batch& batch) {
  std::array<KeptEpochs, kBands.size()> kept;
  std::int64_t place = 0;
  for (const Candidate& candidate : candidates) {
    if (!candidate.is_inside) continue;
    std::array<std::size_t, kBands.size()> before{};
    for (std::size_t b = 0; b < kept.size(); ++b) before[b] = kept[b].epochs.size();
    for (std::size_t k = 0; k < candidate.epochs.size(); ++k, ++place) {
      if (!candidate.is_kept || !candidate.is_taken(k)) continue;
      KeptEpochs& of_band = kept[candidate.epochs[k]->band];
      of_band.epochs.push_back(candidate.epochs[k]);
      of_band.ids.push_back(place);
    }
    if (candidate.shift == 0) continue;
    for (std::size_t b = 0; b < kept.size(); ++b) {
      kept[b].shifts.push_back({before[b], kept[b].epochs.size(), candidate.shift});
    }
  }
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    const std::string group = group_name(band);
    if (batch.find_group(group) != nullptr) append_band(kept[band], batch.group(group));
  }
}

void append_sources(std::span<const Candidate> candidates, const TwoSources& two_sources,
                    const Destination& to) {
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    const std::string results = results_name(to.label, band);
    if (to.batch.find_group(results) == nullptr) continue;
    qsohost::Group& group = to.batch.group(results);
    std::int32_t oids = 0;
    std::int32_t neighbours = 0;
    for (const Candidate& candidate : candidates) {
      if (candidate.curve->band != band || !candidate.is_inside) continue;
      append_source(candidate, group);
      if (candidate.taken() == 0) continue;
      ++oids;
      neighbours += candidate.is_target ? 0 : 1;
    }
    const auto set = [&](std::string_view column, std::int32_t n) {
      const std::size_t row = group.rows();  // not closed yet
      to.batch.objects().at(fmt::format("{}.{}", results, column)).values<std::int32_t>()[row] = n;
    };
    set("n_oids", oids);
    set("n_neighbours", neighbours);
    set("n_two_sources", static_cast<std::int32_t>(two_sources[band]));
  }
}

void declare_columns(qsohost::Ports& ports, std::string_view label,
                     std::span<const std::uint8_t> bands) {
  for (const std::uint8_t band : bands) declare_curve(ports, band);
  for (const std::uint8_t band : bands) declare_sources(ports, results_name(label, band));
}

}  // namespace ztf
