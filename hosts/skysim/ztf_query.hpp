// IRSA's light-curve request: its parameters, and the response.
// https://irsa.ipac.caltech.edu/docs/program_interface/ztf_lightcurve_api.html
#pragma once

#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "table_text.hpp"
#include "ztf_store.hpp"

namespace qsohost::skysim {

// A request that the service refuses with status 400.
class BadRequest : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

using Range = std::pair<double, double>;

struct ZtfQuery {
  std::vector<std::int64_t> ids;
  std::optional<Position> centre;
  double radius = 0;            // arcsec
  std::vector<int> filters;     // 1 g, 2 r, 3 i; empty: all
  std::optional<Range> time;    // MJD
  std::optional<Range> mag;     // of medianmag
  std::int64_t min_epochs = 0;  // of nobs
  std::int64_t bad_catflags = 0;
  TextFormat format = TextFormat::VoTable;
};

// Names of parameters ignore case. Throws BadRequest.
ZtfQuery parse_query(const std::multimap<std::string, std::string>& parameters);

struct ZtfAnswer {
  std::string body;
  std::size_t objects = 0;
  std::size_t rows = 0;
};
ZtfAnswer answer(const ZtfStore& store, const ZtfQuery& query);

}  // namespace qsohost::skysim
