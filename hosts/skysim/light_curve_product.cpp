#include "light_curve_product.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace qsohost::skysim {

namespace {

void add_epoch(const ZtfEpoch& epoch, char band, Table& table) {
  const auto put = [&](std::string_view column, double value) {
    table.append_number(fmt::format("{}_{}", column, band), value);
  };
  put("mjd", epoch.exposure->mjd);
  put("mag", epoch.mag);
  put("magerr", epoch.magerr);
  put("catflags", epoch.catflags);
  put("sharp", epoch.sharp);
  put("chi", epoch.chi);
  put("limitmag", epoch.exposure->limit);
  put("airmass", epoch.exposure->airmass);
}

}  // namespace

void add_light_curve_row(const Quasar& quasar, const LightCurves& curves, Table& ztf_lc) {
  const bool is_seen = std::ranges::any_of(curves.objects, &ZtfObject::is_quasar);
  if (!is_seen || !quasar.in_gaia || !quasar.is_final) return;
  ztf_lc.at("source_id").append<std::int64_t>(quasar.source_id);
  Table::append_number(ztf_lc.at("ra"), quasar.gaia.ra);
  Table::append_number(ztf_lc.at("dec"), quasar.gaia.dec);
  for (const ZtfObject& object : curves.objects) {
    if (!object.is_quasar) continue;
    for (const ZtfEpoch& epoch : object.epochs) add_epoch(epoch, "gri"[object.band], ztf_lc);
  }
  for (std::size_t band = 0; band < kZtfBands; ++band) ztf_lc.end_row(kBands[band]);
}

std::vector<FitsKeyword> light_curve_keywords() {
  return {{"TIMESYS", "UTC", "time scale"},
          {"TREFPOS", "TOPOCENTER", "place of the times"},
          {"TIMEUNIT", "d", "unit of times"},
          {"MJDREF", "", "MJD at which times are 0", 0.0}};
}

}  // namespace qsohost::skysim
