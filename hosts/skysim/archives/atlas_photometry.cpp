#include "archives/atlas_photometry.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "tap/fits_rows.hpp"

namespace qsohost::skysim {

namespace {

constexpr double kSame = 2;  // arcsec
// Difference images: their templates changed on these days.
constexpr std::array<double, 2> kNewTemplate{58417, 58882};
constexpr std::array<double, 3> kTemplateFlux{0.92, 1, 1.06};  // in units of the mean

enum Field : std::size_t {
  Band,
  Mjd,
  Flux,
  FluxErr,
  Err,
  Chi,
  X,
  Y,
  Major,
  Minor,
  Phi,
  Apfit,
  Limit,
  Sky,
  kFields
};
constexpr std::array<const char*, kFields> kNames{"band",  "mjd",   "flux",    "flux_err", "err",
                                                  "chi_n", "x",     "y",       "maj",      "min",
                                                  "phi",   "apfit", "mag5sig", "sky"};

std::vector<std::size_t> places_of(const FitsTable& table, std::span<const char* const> names) {
  std::vector<std::size_t> places;
  for (const char* name : names) places.push_back(table.find(name).value());
  return places;
}

double mean_flux(const std::vector<Cells>& cells, double band) {
  double sum = 0;
  double n = 0;
  for (std::size_t i = 0; i < cells[Flux].values.size(); ++i) {
    if (cells[Band].values.number(i) != band) continue;
    sum += cells[Flux].values.number(i);
    ++n;
  }
  return n > 0 ? sum / n : 0;
}

double template_at(double mjd) {
  std::size_t era = 0;
  while (era < kNewTemplate.size() && mjd >= kNewTemplate[era]) ++era;
  return kTemplateFlux[era];
}

}  // namespace

std::string_view atlas_header() {
  return "###MJD          m      dm   uJy   duJy F err chi/N     RA       Dec        x        y    "
         " "
         "maj  min   phi  apfit mag5sig Sky   Obs\n";
}

void AtlasPhotometry::read_positions() {
  table_.emplace(file_);
  constexpr std::array<const char*, 2> names{"ra", "dec"};
  const auto cells = table_->read(0, table_->rows(), places_of(*table_, names));
  for (std::size_t i = 0; i < table_->rows(); ++i) {
    positions_.push_back({cells[0].values.number(i), cells[1].values.number(i)});
  }
}

std::optional<std::uint64_t> AtlasPhotometry::find(const Position& position) {
  std::optional<std::uint64_t> nearest;
  double least = kSame;
  for (std::size_t i = 0; i < positions_.size(); ++i) {
    const double distance = separation_arcsec(position, positions_[i]);
    if (distance > least) continue;
    least = distance;
    nearest = i;
  }
  return nearest;
}

std::string AtlasPhotometry::result(const AtlasRequest& request) {
  const std::lock_guard lock(mutex_);
  if (!std::filesystem::exists(file_)) return "";
  if (!table_) read_positions();
  const auto row = find(request.position);
  if (!row) return "";
  const auto cells = table_->read(*row, 1, places_of(*table_, kNames));
  const std::array<double, 2> means{mean_flux(cells, 0), mean_flux(cells, 1)};
  std::string out;
  for (std::size_t i = 0; i < cells[Mjd].values.size(); ++i) {
    const auto at = [&](Field field) { return cells[field].values.number(i); };
    const double mjd = at(Mjd);
    if (mjd < request.first || mjd > request.last) continue;
    const std::size_t band = at(Band) == 0 ? 0 : 1;
    const double flux = request.is_reduced ? at(Flux) : at(Flux) - means[band] * template_at(mjd);
    const double mag = 23.9 - 2.5 * std::log10(std::abs(flux));
    const double day = std::floor(mjd);
    out += fmt::format(
        "{:.6f} {:7.3f} {:6.3f} {:5.0f} {:6.0f} {} {:2.0f} {:6.2f} {:9.5f} {:9.5f} {:8.2f} "
        "{:8.2f} {:4.2f} {:4.2f} {:5.1f} {:6.3f} {:5.2f} {:5.2f} 01a{:.0f}o{:04.0f}{}\n",
        mjd, std::copysign(mag, flux), 1.0857 * at(FluxErr) / std::abs(flux), flux, at(FluxErr),
        band == 0 ? 'c' : 'o', at(Err), at(Chi), request.position.ra, request.position.dec, at(X),
        at(Y), at(Major), at(Minor), at(Phi), at(Apfit), at(Limit), at(Sky), day,
        std::floor((mjd - day) * 2000), band == 0 ? 'c' : 'o');
  }
  return out.empty() ? out : std::string(atlas_header()) + out;
}

}  // namespace qsohost::skysim
