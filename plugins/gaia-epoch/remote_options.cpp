#include "remote_options.hpp"

#include <fmt/format.h>

#include <algorithm>

#include <qsohost/names.hpp>

namespace gaia {

namespace {

constexpr const char* kDataLink = "https://gea.esac.esa.int/data-server/data";
constexpr const char* kEsaTap = "https://gea.esac.esa.int/tap-server/tap";
constexpr const char* kAip = "https://gaia.aip.de/tap";
constexpr const char* kVizier = "https://tapvizier.cds.unistra.fr/TAPVizieR/tap";
constexpr const char* kDataLinkPath = "/data-server/data";
// Sources a second, whatever the number of connections (July 2026).
constexpr double kDataLinkRate = 1.1;

std::string without_slash(std::string url) {
  while (url.ends_with('/')) url.pop_back();
  return url;
}

// "Gaia DR3" to "gaiadr3", as ESA and AIP name the schema.
std::string schema_of(const std::string& release) {
  std::string schema = qsohost::lower_case(release);
  std::erase(schema, ' ');
  return schema;
}

// ESA's TAP is beside its DataLink. Of another address nothing is known.
std::string tap_beside(const std::string& datalink) {
  if (datalink == kDataLink) return kEsaTap;
  if (!datalink.ends_with(kDataLinkPath)) return "";
  return datalink.substr(0, datalink.size() - std::string_view(kDataLinkPath).size()) +
         "/tap-server/tap";
}

}  // namespace

RemoteSettings RemoteOptions::settings(Road road, const std::string& release,
                                       const std::string& table) const {
  RemoteSettings s;
  s.road = road;
  s.release = release;
  s.url = without_slash(url->text);
  s.id = road == Road::Vizier ? "Source" : "source_id";
  s.table = table;
  s.ids_per_request = static_cast<std::size_t>(*ids_per_request);
  s.confirm_after = qsohost::to_milliseconds(*confirm_after);
  switch (road) {
    case Road::DataLink:
      s.service = "Gaia's DataLink";
      if (s.url.empty()) s.url = kDataLink;
      s.tap_url = tap_beside(s.url);
      break;
    case Road::Aip:
      s.service = "TAP of Gaia at AIP";
      if (s.url.empty()) s.url = kAip;
      if (table.empty()) s.table = schema_of(release) + ".epoch_photometry";
      s.tap_url = s.url;
      break;
    case Road::Vizier:
      s.service = "TAP of VizieR";
      if (s.url.empty()) s.url = kVizier;
      if (table.empty()) s.table = "\"I/355/epphot\"";
      s.tap_url = s.url;
      break;
  }
  const bool is_own_tap = tap_url->text.empty() || without_slash(tap_url->text) == s.url;
  if (!tap_url->text.empty()) s.tap_url = without_slash(tap_url->text);
  const bool is_vizier = (road == Road::Vizier && is_own_tap) ||
                         qsohost::lower_case(s.tap_url).find("tapvizier") != std::string::npos;
  s.source_table = is_vizier ? "\"I/355/gaiadr3\"" : schema_of(release) + ".gaia_source";
  s.source_id = is_vizier ? "Source" : "source_id";
  s.flag = is_vizier ? "EpochPh" : "has_epoch_photometry";
  return s;
}

std::string datalink_estimate(std::optional<std::uint64_t> sources) {
  std::string time = "about 4,000 an hour";
  if (sources) {
    const double seconds = static_cast<double>(*sources) / kDataLinkRate;
    time = seconds < 7200 ? fmt::format("{} sources: about {:.0f} min", *sources, seconds / 60)
                          : fmt::format("{} sources: about {:.0f} h", *sources, seconds / 3600);
  }
  return fmt::format(
      "DataLink sends about 1 source a second ({}). Faster for many: archive = \"tap\" with via = "
      "\"aip\" or \"vizier\", or archive = \"files\" with the bulk files of "
      "cdn.gea.esac.esa.int/Gaia/gdr3/Photometry/epoch_photometry",
      time);
}

}  // namespace gaia
