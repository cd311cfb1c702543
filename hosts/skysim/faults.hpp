// Faults that a server simulates on request, each at its rate.
#pragma once

#include <array>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "random.hpp"

namespace qsohost::skysim {

enum class Fault : std::uint8_t {
  None,
  BadRequest,   // status 400 for a good request
  TooMany,      // 429 with Retry-After
  ServerError,  // 500
  Unavailable,  // 503
  Reset,        // the connection is reset
  Cut,          // the body ends inside a row; half of the time without a Content-Length
  Empty,        // no rows although there are some
  QueryStatus,  // status 200, with a VOTable that reports ERROR
  Drip,         // a few bytes at a time
  Garbage,      // status 200, without any table
  CutAtLine,    // the body ends after a line, without a Content-Length
  JobError      // a TAP job ends in phase ERROR
};
inline constexpr std::array<std::string_view, 13> kFaultNames{
    "none",  "400",    "429",  "500",     "503",         "reset", "cut",
    "empty", "status", "drip", "garbage", "cut-at-line", "job"};

class Faults {
 public:
  // "429=0.05,cut=0.1"; "all=0.05" means every fault of a light-curve request. Throws RunError.
  Faults(const std::string& rates, std::uint64_t seed);

  Fault next();  // for the next light-curve request or other response; thread-safe
  bool job_fails();
  double part();  // of the response to send, from 0 to 1

 private:
  std::array<double, kFaultNames.size()> rates_{};
  std::mutex mutex_;
  Random random_;
};

}  // namespace qsohost::skysim
