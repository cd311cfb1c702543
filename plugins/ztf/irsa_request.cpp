#include "irsa_request.hpp"

#include <fmt/format.h>

#include <qsohost/error.hpp>

#include <cmath>
#include <iterator>

namespace ztf {

namespace {

constexpr std::size_t kLongestUrl = 8000;
// Cannot be part of a table of numbers.
constexpr std::string_view kBoundary = "qsohost-0f1e2d3c4b5a";

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

// What is the same in every request for light curves.
std::string tail(const Asking& asking, bool as_votable = false) {
  std::string out = "COLLECTION=" + qsohost::escape(asking.collection);
  if (asking.has_row_filter()) {
    out += fmt::format("&BAD_CATFLAGS_MASK={}", asking.bad_catflags_mask);
  }
  return out + (as_votable ? "&FORMAT=VOTABLE" : "&FORMAT=CSV");
}

std::string band_names(const Asking& asking) {
  if (asking.bands.size() == kBands.size()) return {};
  std::string names;
  for (const std::uint8_t band : asking.bands) {
    names += names.empty() ? "" : ",";
    names += kBands[band];
  }
  return "BANDNAME=" + qsohost::escape(names) + "&";
}

std::string id_parameter(std::int64_t oid) {
  return fmt::format("ID={}&", oid);
}

std::string votable(std::span<const Numbered> positions) {
  std::string out =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<VOTABLE version=\"1.3\" xmlns=\"http://www.ivoa.net/xml/VOTable/v1.3\">\n"
      "<RESOURCE><TABLE>\n"
      "<FIELD name=\"n\" datatype=\"int\"/>\n"
      "<FIELD name=\"ra\" datatype=\"double\" unit=\"deg\"/>\n"
      "<FIELD name=\"dec\" datatype=\"double\" unit=\"deg\"/>\n"
      "<DATA><TABLEDATA>\n";
  for (const Numbered& p : positions) {
    fmt::format_to(std::back_inserter(out), "<TR><TD>{}</TD><TD>{}</TD><TD>{}</TD></TR>\n", p.n,
                   number(normal_ra(p.position.ra)), number(p.position.dec));
  }
  return out + "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n";
}

std::string part(std::string_view name, std::string_view text) {
  return fmt::format("--{}\r\nContent-Disposition: form-data; name=\"{}\"\r\n\r\n{}\r\n", kBoundary,
                     name, text);
}

std::string file_part(std::string_view name, std::string_view text) {
  return fmt::format(
      "--{}\r\nContent-Disposition: form-data; name=\"{}\"; filename=\"{}.xml\"\r\n"
      "Content-Type: application/x-votable+xml\r\n\r\n{}\r\n",
      kBoundary, name, name, text);
}

}  // namespace

void check_position(const Position& position) {
  if (std::isfinite(position.ra) && std::abs(position.dec) <= 90) return;
  throw qsohost::BadObject(
      fmt::format("the target's position ({}, {}) is none on the sky", position.ra, position.dec));
}

qsohost::Request curves_at(const Asking& asking, const Position& position, bool as_votable) {
  qsohost::Request request;
  const std::string circle =
      fmt::format("CIRCLE {} {} {}", number(normal_ra(position.ra)), number(position.dec),
                  number(degrees(asking.selection.radius_arcsec)));
  request.url = fmt::format("{}?POS={}&{}{}", asking.curves_url, qsohost::escape(circle),
                            band_names(asking), tail(asking, as_votable));
  return request;
}

qsohost::Request curves_of(const Asking& asking, std::span<const std::int64_t> oids,
                           bool as_votable) {
  qsohost::Request request;
  request.url = asking.curves_url + "?";
  for (const std::int64_t oid : oids) request.url += id_parameter(oid);
  request.url += tail(asking, as_votable);
  return request;
}

std::vector<std::vector<std::int64_t>> in_lots(const Asking& asking,
                                               std::span<const std::int64_t> oids) {
  const std::size_t rest = asking.curves_url.size() + 1 + tail(asking, true).size();
  std::vector<std::vector<std::int64_t>> lots;
  std::size_t length = 0;
  for (const std::int64_t oid : oids) {
    const std::size_t more = id_parameter(oid).size();
    const auto most = static_cast<std::size_t>(asking.ids_per_request);
    if (lots.empty() || lots.back().size() >= most || length + more > kLongestUrl) {
      lots.emplace_back();
      length = rest;
    }
    lots.back().push_back(oid);
    length += more;
  }
  return lots;
}

qsohost::Request look_up(const Asking& asking, std::span<const Numbered> positions, bool at_once) {
  qsohost::Request request;
  request.method = "POST";
  request.url = asking.tap_url + (at_once ? "/sync" : "/async");
  request.content_type = fmt::format("multipart/form-data; boundary={}", kBoundary);
  const std::string query = fmt::format(
      "SELECT t.n, o.oid, o.fid, o.nobs FROM {} o, TAP_UPLOAD.targets t "
      "WHERE CONTAINS(POINT('ICRS', o.ra, o.dec), CIRCLE('ICRS', t.ra, t.dec, {})) = 1",
      asking.objects_table, number(degrees(asking.selection.radius_arcsec)));
  request.body = part("REQUEST", "doQuery") + part("LANG", "ADQL") + part("FORMAT", "votable") +
                 part("QUERY", query) + part("UPLOAD", "targets,param:targets");
  if (!at_once) request.body += part("PHASE", "RUN");
  request.body += file_part("targets", votable(positions));
  request.body += fmt::format("--{}--\r\n", kBoundary);
  request.about = fmt::format("objects near {} positions", positions.size());
  return request;
}

}  // namespace ztf
