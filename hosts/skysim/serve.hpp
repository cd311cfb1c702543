// skysim serve: public archives on loopback.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "gaia_release.hpp"

namespace qsohost::skysim {

struct ServeOptions {
  std::filesystem::path folder;
  int port = 0;                                 // 0: any free port
  std::string throttle;                         // "irsa": limits of the real service; else none
  std::string faults;                           // see faults.hpp
  std::string traps{};                          // see traps.hpp
  GaiaRelease gaia_release = GaiaRelease::Dr3;  // the newest one that the archives have
  double time_scale = 1;                        // divides the real service's delays
  std::uint64_t seed = 1;                       // of faults
};

// Prints "listening on http://127.0.0.1:PORT", and serves until SIGINT or SIGTERM.
//
//   /cgi-bin/ZTF/nph_light_curves   GET or POST, see ztf_query.hpp
//   /tap-server/tap, /aip/tap, /TAPVizieR/tap, /TAP   see tap/archives.hpp
//   /data-server                    see archives/datalink.hpp
//   /xmatch/api/v1/sync             see archives/xmatch.hpp
//   /forcedphot                     see archives/atlas.hpp
//   /status                         counts of requests and responses, as JSON
void serve(const ServeOptions& options);

}  // namespace qsohost::skysim
