#include "curve_tables.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "catalogue.hpp"
#include "nan.hpp"

namespace qsohost::skysim {

namespace {

float median(std::vector<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

void add_object(const ZtfObject& object, Table& table) {
  std::vector<float> mags;
  std::vector<float> errors;
  double sum = 0;
  double squares = 0;
  double position_squares = 0;
  int good = 0;
  for (const ZtfEpoch& e : object.epochs) {
    mags.push_back(e.mag);
    errors.push_back(e.magerr);
    sum += e.mag;
    if (e.catflags < 32768) ++good;
    const double away = separation_arcsec(object.position, {e.ra, e.dec}) / 3600;
    position_squares += away * away;
  }
  const auto n = static_cast<double>(mags.size());
  const double mean = sum / n;
  double chi_squared = 0;
  for (const ZtfEpoch& e : object.epochs) {
    squares += (e.mag - mean) * (e.mag - mean);
    chi_squared += (e.mag - mean) * (e.mag - mean) / (e.magerr * e.magerr);
  }
  table.at("oid").append<std::int64_t>(object.oid);
  table.append_number("field", object.field.number);
  table.append_number("ccdid", object.field.ccd);
  table.append_number("qid", object.field.quadrant);
  table.append_number("fid", static_cast<double>(object.band) + 1);
  table.at("filtercode").append_string(fmt::format("z{}", "gri"[object.band]));
  table.append_number("ra", object.position.ra);
  table.append_number("dec", object.position.dec);
  table.append_number("nobs", n);
  table.append_number("ngoodobs", good);
  table.append_number("refmag", median(mags));
  table.append_number("refmagerr", median(errors) / std::sqrt(std::min(n, 15.0)));
  table.append_number("astrometricrms", std::sqrt(position_squares / n));
  table.append_number("chisq", n > 1 ? chi_squared / (n - 1) : kNan);
  table.append_number("magrms", std::sqrt(squares / n));
  table.append_number("meanmag", mean);
  table.append_number("medianmag", median(mags));
  table.append_number("medmagerr", median(errors));
  table.append_number("minmag", *std::min_element(mags.begin(), mags.end()));
  table.append_number("maxmag", *std::max_element(mags.begin(), mags.end()));
}

template <class T, class F>
void put_epochs(Table& table, std::string_view column, const ZtfObject& object, const F& value) {
  Column& out = table.at(column);
  for (const ZtfEpoch& epoch : object.epochs) out.append<T>(value(epoch));
}

void add_light_curve(const ZtfObject& object, Table& table) {
  using E = ZtfEpoch;
  table.at("oid").append<std::int64_t>(object.oid);
  table.append_number("exptime", 30);
  table.append_number("programid", 1);
  put_epochs<std::int32_t>(table, "expid", object, [](const E& e) { return e.exposure->id; });
  put_epochs<double>(table, "hjd", object, [](const E& e) { return e.hjd; });
  put_epochs<double>(table, "mjd", object, [](const E& e) { return e.exposure->mjd; });
  put_epochs<float>(table, "mag", object, [](const E& e) { return e.mag; });
  put_epochs<float>(table, "magerr", object, [](const E& e) { return e.magerr; });
  put_epochs<std::int32_t>(table, "catflags", object, [](const E& e) { return e.catflags; });
  put_epochs<double>(table, "ra", object, [](const E& e) { return e.ra; });
  put_epochs<double>(table, "dec", object, [](const E& e) { return e.dec; });
  put_epochs<float>(table, "chi", object, [](const E& e) { return e.chi; });
  put_epochs<float>(table, "sharp", object, [](const E& e) { return e.sharp; });
  put_epochs<float>(table, "limitmag", object, [](const E& e) { return e.exposure->limit; });
  put_epochs<float>(table, "magzp", object, [](const E& e) { return e.exposure->zero_point; });
  put_epochs<float>(table, "magzprms", object, [](const E& e) { return e.exposure->zero_rms; });
  put_epochs<float>(table, "clrcoeff", object, [](const E& e) { return e.exposure->colour; });
  put_epochs<float>(table, "clrcounc", object, [](const E& e) { return e.exposure->colour_error; });
  put_epochs<float>(table, "airmass", object, [](const E& e) { return e.exposure->airmass; });
  table.end_row("epochs");
}

void add_transit(const GaiaTransit& t, Table& table) {
  constexpr std::array<std::string_view, 3> prefixes{"g_transit_", "bp_", "rp_"};
  constexpr std::array<std::string_view, 3> times{"g_transit_time", "bp_obs_time", "rp_obs_time"};
  table.at("transit_id").append<std::int64_t>(t.id);
  table.append_number("g_transit_n_obs", t.ccds);
  for (std::size_t b = 0; b < 3; ++b) {
    const double flux = std::pow(10, 0.4 * (kGaiaZero[b] - t.mag[b]));
    const std::string prefix(prefixes[b]);
    table.append_number(times[b], t.time[b]);
    table.append_number(prefix + "flux", flux);
    table.append_number(prefix + "flux_error", flux * t.flux_error[b]);
    table.append_number(prefix + "flux_over_error", 1 / t.flux_error[b]);
    table.append_number(prefix + "mag", t.mag[b]);
  }
  const auto& specs = columns_of("gaia_epoch");
  std::uint32_t flag = 1;
  for (const ColumnSpec& spec : specs) {
    if (spec.info.dtype != DType::Bool) continue;
    table.at(spec.info.name).append<bool>((t.flags & flag) != 0);
    flag <<= 1;
  }
}

void add_gaia_row(std::int64_t source_id, std::span<const GaiaTransit> transits, Table& table) {
  table.at("solution_id").append<std::int64_t>(375316653866487564);  // that of the real table
  table.at("source_id").append<std::int64_t>(source_id);
  table.append_number("n_transits", static_cast<double>(transits.size()));
  for (const GaiaTransit& t : transits) add_transit(t, table);
  table.end_row("transits");
}

void add_neighbours(const LightCurves& curves, std::size_t band, Table& table) {
  const std::string name(kBands[band]);
  for (const ZtfObject& object : curves.objects) {
    if (object.band != band || object.is_quasar) continue;
    for (const ZtfEpoch& e : object.epochs) {
      table.append_number("neighbour_time_" + name, e.exposure->mjd);
      table.append_number("neighbour_mag_" + name, e.mag);
    }
  }
  table.end_row(name + "_neighbours");
}

void add_truth_of_band(const Quasar& quasar, const LightCurves& curves, std::size_t band,
                       Table& table) {
  const std::string name(kBands[band]);
  const Process& process = quasar.processes[band];
  table.append_number("log_sigma_" + name, std::log(process.sigma));
  table.append_number("logD_" + name, 2 * std::log(process.sigma) - std::log(quasar.tau));
  table.append_number("log10D_" + name, std::log10(process.sigma * process.sigma / quasar.tau));
  table.append_number("mean_" + name, process.mean);
  table.append_number("jitter_" + name, process.jitter);
  std::size_t epochs = 0;
  const auto outlier = [&](double time, double offset, Why why) {
    if (why == Why::None) return;
    table.append_number("outlier_time_" + name, time);
    table.append_number("outlier_offset_" + name, offset);
    table.append_number("outlier_why_" + name, static_cast<double>(why));
  };
  if (band < kZtfBands) {
    for (const ZtfObject& object : curves.objects) {
      if (object.band != band || !object.is_quasar) continue;
      epochs += object.epochs.size();
      for (const ZtfEpoch& e : object.epochs) outlier(e.exposure->mjd, e.offset, e.why);
    }
    add_neighbours(curves, band, table);
  } else {
    const std::size_t b = band - kZtfBands;
    for (const GaiaTransit& t : curves.transits) {
      if (std::isnan(t.mag[b])) continue;
      ++epochs;
      outlier(t.time[b], t.offset[b], t.why[b]);
    }
  }
  table.append_number("n_epochs_" + name, static_cast<double>(epochs));
  table.end_row(name);
}

void add_truth(const Quasar& quasar, const LightCurves& curves, Table& table) {
  const bool in_ztf = std::ranges::any_of(curves.objects, &ZtfObject::is_quasar);
  table.at("source_id").append<std::int64_t>(quasar.source_id);
  table.at("sdss_name").append_string(sdss_name(quasar.sdss));
  table.append_number("ra", quasar.sdss.ra);
  table.append_number("dec", quasar.sdss.dec);
  table.append_number("z", quasar.z);
  table.append_number("in_gaia", quasar.in_gaia ? 1 : 0);
  table.append_number("has_gaia_epochs", quasar.has_gaia_epochs ? 1 : 0);
  table.append_number("in_ztf", in_ztf ? 1 : 0);
  table.append_number("has_neighbour", quasar.has_neighbour ? 1 : 0);
  table.append_number("loglbol", quasar.loglbol);
  table.append_number("logmbh", quasar.logmbh);
  table.append_number("log_tau", std::log(quasar.tau));
  for (std::size_t band = 0; band < kBands.size(); ++band) {
    add_truth_of_band(quasar, curves, band, table);
  }
}

}  // namespace

void CurveTables::add(const Quasar& quasar, const LightCurves& curves) {
  if (quasar.is_twin) return;
  for (const ZtfObject& object : curves.objects) {
    add_object(object, ztf_objects);
    add_light_curve(object, ztf_light_curves);
  }
  if (quasar.has_gaia_epochs) {
    const std::span<const GaiaTransit> all(curves.transits);
    // Occasionally the archive has a source in two rows.
    const std::size_t first = quasar.has_split_epochs ? all.size() / 2 : all.size();
    add_gaia_row(quasar.source_id, all.first(first), gaia_epoch);
    if (first < all.size()) add_gaia_row(quasar.source_id, all.subspan(first), gaia_epoch);
  }
  add_truth(quasar, curves, truth);
}

}  // namespace qsohost::skysim
