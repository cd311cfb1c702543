// Faults that a server commits on demand, each at its rate.
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
  Empty,        // no rows where there are some
  QueryStatus,  // status 200, and a VOTable that says ERROR
  Drip,         // a byte now and then
  Garbage,      // status 200, and no table at all
  CutAtLine,    // the body ends behind a line, and no length was announced
  JobError      // a TAP job ends in phase ERROR
};
inline constexpr std::array<std::string_view, 13> kFaultNames{
    "none",  "400",    "429",  "500",     "503",         "reset", "cut",
    "empty", "status", "drip", "garbage", "cut-at-line", "job"};

class Faults {
 public:
  // "429=0.05,cut=0.1"; "all=0.05" stands for every fault of a light-curve request. Throws
  // RunError.
  Faults(const std::string& rates, std::uint64_t seed);

  Fault next();  // for the next light-curve request or other answer; any thread
  bool job_fails();
  double part();  // of an answer that is sent, from 0 to 1

 private:
  std::array<double, kFaultNames.size()> rates_{};
  std::mutex mutex_;
  Random random_;
};

}  // namespace qsohost::skysim
