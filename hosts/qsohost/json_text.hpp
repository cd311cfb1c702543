// JSON output of this program.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace qsohost::cli {

// Identifiers and paths may have any bytes; invalid UTF-8 becomes U+FFFD.
inline std::string to_json_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace qsohost::cli
