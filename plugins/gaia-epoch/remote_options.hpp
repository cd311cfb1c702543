// The options of the archives that are asked over HTTP, and the addresses that follow from them.
#pragma once

#include <qsohost/http.hpp>
#include <qsohost/option.hpp>

#include "remote.hpp"

namespace gaia {

enum class Via : std::uint8_t { Aip, Vizier, Esa };

// A member of the stage: RemoteOptions remote{this}.
struct RemoteOptions {
  explicit RemoteOptions(qsohost::OptionOwner* owner) : owner_(owner) {}

 private:
  qsohost::OptionOwner* owner_;

 public:
  qsohost::Choice<Via> via{
      owner_,
      "via",
      Via::Aip,
      {{"aip", Via::Aip}, {"vizier", Via::Vizier}, {"esa", Via::Esa}},
      "of archive = \"tap\": whose service. aip: Gaia at AIP, all flags; vizier: of DR3 alone, "
      "without transit_id and most flags; esa: has no epoch_photometry and is refused"};
  qsohost::Option<qsohost::Url> url{
      owner_,
      "url",
      {},
      "address of the service: TAP without /sync, or DataLink's .../data-server/data; empty: the "
      "public one"};
  qsohost::Option<qsohost::Url> tap_url{
      owner_,
      "tap_url",
      {},
      "TAP service that is asked for has_epoch_photometry of sources without epochs; empty: the "
      "archive's own"};
  qsohost::Option<double> confirm_after{
      owner_,
      "confirm_after",
      2,
      "before a source that an answer leaves out is asked for alone; each further time it is twice "
      "as long",
      {.unit = "s", .min = 0, .max = 600, .affects_results = false}};
  qsohost::Option<std::int64_t> ids_per_request{owner_,
                                                "ids_per_request",
                                                25,
                                                "sources asked for in one request",
                                                {.min = 1, .max = 5000, .affects_results = false}};
  qsohost::Option<std::int64_t> max_connections{
      owner_,
      "max_connections",
      8,
      "at a time to the archive; the host opens fewer if it bears fewer",
      {.min = 1, .max = 8, .affects_results = false}};
  qsohost::Option<double> timeout{owner_,
                                  "timeout",
                                  600,
                                  "of one request; DataLink is slow",
                                  {.unit = "s", .min = 0.1, .max = 3600, .affects_results = false}};
  qsohost::Option<std::int64_t> max_attempts{owner_,
                                             "max_attempts",
                                             8,
                                             "of one request, while the archive answers others",
                                             {.min = 1, .max = 100, .affects_results = false}};
  qsohost::Option<double> patience{
      owner_,
      "patience",
      1800,
      "with no good answer at all, before the archive is given up",
      {.unit = "s", .min = 1, .max = 604800, .affects_results = false}};
  qsohost::Option<std::string> contact{
      owner_,
      "contact",
      "",
      "your e-mail or URL, so that the archive can write before it blocks",
      {.affects_results = false}};

  qsohost::HttpPolicy policy() const;
  // `release`: "Gaia DR3"; `table`: of TAP, "" for the road's own.
  RemoteSettings settings(Road road, const std::string& release, const std::string& table) const;
};

// What DataLink is to be expected to need for this many sources, and the faster roads.
std::string datalink_estimate(std::optional<std::uint64_t> sources);

}  // namespace gaia
