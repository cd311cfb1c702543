// A request to a TAP service: its parameters and the tables that it uploads.
#pragma once

#include <httplib.h>

#include <map>
#include <string>
#include <vector>

#include "tap/database.hpp"

namespace qsohost::skysim {

struct TapRequest {
  std::multimap<std::string, std::string> parameters;  // of URL and body; names in lower case
  std::map<std::string, std::string> files;            // sent files, by name
  bool is_multipart = false;
  bool has_query_in_url = false;

  const std::string& get(const std::string& name) const;  // "" if missing
};
TapRequest tap_request(const httplib::Request& request);

// A table that was sent; columns whose cells are all numbers have numbers. Throws BadRequest; above
// `most_rows` too.
TapDatabase::Upload read_upload(const std::string& name, const std::string& content,
                                std::size_t most_rows);

// The tables of UPLOAD=name,param:file;... Throws BadRequest; above `most_rows` too.
std::vector<TapDatabase::Upload> uploads_of(const TapRequest& request, std::size_t most_rows);

}  // namespace qsohost::skysim
