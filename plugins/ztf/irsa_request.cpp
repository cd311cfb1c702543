#include "irsa_request.hpp"

#include <fmt/format.h>

#include <qsohost/adql.hpp>
#include <qsohost/error.hpp>

#include <cmath>

namespace ztf {

namespace {

constexpr std::size_t kLongestUrl = 8000;
constexpr std::size_t kMostAtOnce = 500;  // positions; more are sent as a job

double degrees(double arcsec) {
  return (arcsec + kMarginArcsec) / 3600.0;
}

std::string number(double degrees) {
  return fmt::format("{:.10f}", degrees);
}

double normal_ra(double ra) {
  const double turned = std::fmod(ra, 360.0);
  return turned < 0 ? turned + 360.0 : turned;
}

// Common to all requests for light curves.
std::string tail(const IrsaSettings& settings, bool as_votable = false) {
  std::string out = "COLLECTION=" + qsohost::escape(settings.collection);
  if (settings.has_row_filter()) {
    out += fmt::format("&BAD_CATFLAGS_MASK={}", settings.bad_catflags_mask);
  }
  return out + (as_votable ? "&FORMAT=VOTABLE" : "&FORMAT=CSV");
}

std::string band_names(const IrsaSettings& settings) {
  if (settings.bands.size() == kBands.size()) return {};
  std::string names;
  for (const std::uint8_t band : settings.bands) {
    names += names.empty() ? "" : ",";
    names += kBands[band];
  }
  return "BANDNAME=" + qsohost::escape(names) + "&";
}

std::string id_parameter(std::int64_t oid) {
  return fmt::format("ID={}&", oid);
}

// The positions as a VOTable: number and coordinates.
std::string table_of(std::span<const UploadedPosition> positions) {
  const std::vector<qsohost::UploadColumn> columns{
      {"n", "int"}, {"ra", "double", "deg"}, {"dec", "double", "deg"}};
  std::vector<std::vector<std::string>> rows;
  rows.reserve(positions.size());
  for (const UploadedPosition& p : positions) {
    rows.push_back(
        {fmt::format("{}", p.n), number(normal_ra(p.position.ra)), number(p.position.dec)});
  }
  return qsohost::to_votable(columns, rows);
}

}  // namespace

void check_position(const Position& position) {
  if (std::isfinite(position.ra) && std::abs(position.dec) <= 90) return;
  throw qsohost::BadObject(
      fmt::format("the target's position ({}, {}) is none on the sky; correct it in the catalogue "
                  "(degrees, ICRS)",
                  position.ra, position.dec));
}

qsohost::Request curves_at(const IrsaSettings& settings, const Position& position,
                           bool as_votable) {
  qsohost::Request request;
  const std::string circle =
      fmt::format("CIRCLE {} {} {}", number(normal_ra(position.ra)), number(position.dec),
                  number(degrees(settings.selection.radius_arcsec)));
  request.url = fmt::format("{}?POS={}&{}{}", settings.curves_url, qsohost::escape(circle),
                            band_names(settings), tail(settings, as_votable));
  return request;
}

qsohost::Request curves_of(const IrsaSettings& settings, std::span<const std::int64_t> oids,
                           bool as_votable) {
  qsohost::Request request;
  request.url = settings.curves_url + "?";
  for (const std::int64_t oid : oids) request.url += id_parameter(oid);
  request.url += tail(settings, as_votable);
  return request;
}

std::vector<std::vector<std::int64_t>> in_lots(const IrsaSettings& settings,
                                               std::span<const std::int64_t> oids) {
  const std::size_t rest = settings.curves_url.size() + 1 + tail(settings, true).size();
  std::vector<std::vector<std::int64_t>> lots;
  std::size_t length = 0;
  for (const std::int64_t oid : oids) {
    const std::size_t more = id_parameter(oid).size();
    const auto most = static_cast<std::size_t>(settings.ids_per_request);
    if (lots.empty() || lots.back().size() >= most || length + more > kLongestUrl) {
      lots.emplace_back();
      length = rest;
    }
    lots.back().push_back(oid);
    length += more;
  }
  return lots;
}

qsohost::TapQuery look_up(const IrsaSettings& settings, std::span<const UploadedPosition> positions,
                          int round, std::chrono::milliseconds delay) {
  qsohost::TapQuery query;
  query.url = settings.tap_url;
  query.adql = fmt::format(
      "SELECT t.n, o.oid, o.fid, o.nobs FROM {} o, TAP_UPLOAD.targets t "
      "WHERE CONTAINS(POINT('ICRS', o.ra, o.dec), CIRCLE('ICRS', t.ra, t.dec, {})) = 1",
      qsohost::adql_name(settings.objects_table),
      number(degrees(settings.selection.radius_arcsec)));
  query.uploads = {{"targets", table_of(positions)}};
  query.about = fmt::format("objects near {} positions", positions.size());
  query.turn = round;
  query.delay = delay;
  query.as_job = positions.size() > kMostAtOnce;
  return query;
}

}  // namespace ztf
