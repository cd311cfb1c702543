#include "neowise_columns.hpp"

#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/sphere.hpp>

#include <algorithm>
#include <cmath>
#include <tuple>

namespace neowise {

namespace {

using qsohost::Column;
using qsohost::DType;

// An exposure near a target.
struct Seen {
  const Exposure* exposure = nullptr;
  double separation = 0;  // arcsec
  std::int64_t place = 0;
};

struct EpochColumn {
  std::string_view name;
  DType dtype;
  std::string_view unit;
  bool in_product;
  std::string_view help;
  void (*append)(Column&, const Seen&, std::size_t band);
};

template <auto Member>
void append_of_band(Column& column, const Seen& seen, std::size_t band) {
  column.append(seen.exposure->bands[band].*Member);
}

template <auto Member>
void append_number(Column& column, const Seen& seen, std::size_t /*band*/) {
  column.append(seen.exposure->*Member);
}

template <auto Member, class T>
void append_integer(Column& column, const Seen& seen, std::size_t /*band*/) {
  const auto& value = seen.exposure->*Member;
  value ? column.append(static_cast<T>(*value)) : column.append_null();
}

template <auto Member>
void append_text(Column& column, const Seen& seen, std::size_t /*band*/) {
  column.append_string(seen.exposure->*Member);
}

constexpr std::array kEpochColumns{
    EpochColumn{"epoch_id", DType::I64, "", false,
                "place among the rows of the target, from 0, by time; the same in both bands",
                [](Column& column, const Seen& seen, std::size_t) { column.append(seen.place); }},
    EpochColumn{"mjd", DType::F64, "d", true,
                "middle of the exposure as the archive gives it: 1.57 s late before MJD 57196.48, "
                "0.57 s after",
                append_number<&Exposure::mjd>},
    EpochColumn{"mag", DType::F64, "mag", true,
                "magnitude by profile fit, Vega; a limit where mag_err is NaN",
                append_of_band<&Measured::mag>},
    EpochColumn{"mag_err", DType::F64, "mag", true, "error of mag; NaN: null in the archive",
                append_of_band<&Measured::mag_err>},
    EpochColumn{
        "separation", DType::F64, "arcsec", true, "from the target to the detection",
        [](Column& column, const Seen& seen, std::size_t) { column.append(seen.separation); }},
    EpochColumn{"rchi2", DType::F64, "", true, "reduced chi-squared of the profile fit",
                append_of_band<&Measured::rchi2>},
    EpochColumn{"sat", DType::F64, "", true, "part of saturated pixels",
                append_of_band<&Measured::sat>},
    EpochColumn{"qi_fact", DType::F64, "", true, "image quality: 1, 0.5, 0",
                append_number<&Exposure::qi_fact>},
    EpochColumn{"saa_sep", DType::F64, "deg", true,
                "distance from the South Atlantic Anomaly; negative: inside",
                append_number<&Exposure::saa_sep>},
    EpochColumn{"qual_frame", DType::I32, "", true, "quality of the frame: 10 is best",
                append_integer<&Exposure::qual_frame, std::int32_t>},
    EpochColumn{"nb", DType::I32, "", true, "components of the profile fit",
                append_integer<&Exposure::nb, std::int32_t>},
    EpochColumn{"na", DType::I32, "", true, "1: the detection was split into components",
                append_integer<&Exposure::na, std::int32_t>},
    EpochColumn{"cc_flags", DType::String, "", false,
                "artefacts, a character for each of four bands; 0: none",
                append_text<&Exposure::cc_flags>},
    EpochColumn{"ph_qual", DType::String, "", false,
                "A, B, C by signal to noise, U: limit, a character for each band",
                append_text<&Exposure::ph_qual>},
    EpochColumn{"moon_masked", DType::String, "", false,
                "1 for each band whose frame is masked near the Moon",
                append_text<&Exposure::moon_masked>},
    EpochColumn{"allwise_cntr", DType::I64, "", false, "the source's number in AllWISE",
                append_integer<&Exposure::allwise_cntr, std::int64_t>},
    EpochColumn{"scan_id", DType::String, "", false, "scan that the exposure is of",
                append_text<&Exposure::scan_id>},
};

std::string group_name(std::size_t band) {
  return fmt::format("neowise.{}", kBands[band]);
}

bool is_earlier(const Seen& a, const Seen& b) {
  const auto key = [](const Exposure& e) { return std::tie(e.mjd, e.ra, e.dec, e.scan_id); };
  return key(*a.exposure) < key(*b.exposure);
}

// By time: the order of an answer's rows is the archive's own.
std::vector<Seen> inside(const std::vector<Exposure>& exposures, double ra, double dec,
                         double radius) {
  std::vector<Seen> seen;
  double nearest = std::numeric_limits<double>::infinity();
  for (const Exposure& exposure : exposures) {
    const double separation = qsohost::separation_arcsec(ra, dec, exposure.ra, exposure.dec);
    nearest = std::min(nearest, separation);
    if (separation <= radius) seen.push_back({&exposure, separation});
  }
  if (seen.empty()) {
    throw qsohost::NotFound(
        fmt::format("the nearest detection is {:.2f} arcsec away, outside the radius", nearest));
  }
  std::ranges::stable_sort(seen, is_earlier);
  for (std::size_t k = 0; k < seen.size(); ++k) seen[k].place = static_cast<std::int64_t>(k);
  return seen;
}

}  // namespace

void declare_columns(qsohost::Ports& ports) {
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    const std::string group = group_name(band);
    ports.adds_group({.name = group,
                      .survey = "neowise",
                      .band = std::string(kBands[band]),
                      .time = "mjd",
                      .mag = "mag",
                      .mag_err = "mag_err",
                      .time_system = qsohost::kMjdUtc});
    for (const EpochColumn& column : kEpochColumns) {
      ports.adds({.group = group,
                  .name = std::string(column.name),
                  .dtype = column.dtype,
                  .unit = std::string(column.unit),
                  .help = std::string(column.help),
                  .in_product = column.in_product});
    }
  }
}

std::string add_curves(const std::vector<Exposure>& exposures, double ra, double dec,
                       double radius_arcsec, qsohost::Batch& batch) {
  const std::vector<Seen> seen = inside(exposures, ra, dec, radius_arcsec);
  std::array<std::size_t, kBands.size()> epochs{};
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    qsohost::Group& group = batch.group(group_name(band));
    for (const Seen& each : seen) {
      if (std::isnan(each.exposure->bands[band].mag)) continue;
      ++epochs[band];
      for (const EpochColumn& column : kEpochColumns) {
        column.append(group.at(column.name), each, band);
      }
    }
  }
  if (epochs[0] + epochs[1] == 0) {
    throw qsohost::NotFound(fmt::format("{} exposures there, none with a magnitude", seen.size()));
  }
  return fmt::format("w1 {}, w2 {}; exposures {}", epochs[0], epochs[1], seen.size());
}

}  // namespace neowise
