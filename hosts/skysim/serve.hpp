// skysim serve: IRSA's ZTF services on loopback.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace qsohost::skysim {

struct ServeOptions {
  std::filesystem::path folder;
  int port = 0;            // 0: any free port
  std::string throttle;    // "irsa": limits of the real service; else none
  std::string faults;      // see faults.hpp
  double time_scale = 1;   // divides the real service's delays
  std::uint64_t seed = 1;  // of faults
};

// Prints "listening on http://127.0.0.1:PORT", and serves until SIGINT or SIGTERM.
//
//   /cgi-bin/ZTF/nph_light_curves   GET or POST, see ztf_query.hpp
//   /TAP/sync, /TAP/async           see tap.hpp
//   /status                         counts of requests and responses, as JSON
void serve(const ServeOptions& options);

}  // namespace qsohost::skysim
