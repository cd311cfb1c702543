// Targets of tests, the archive's objects near them, and the expected results.
#pragma once

#include <catch2/catch.hpp>

#include "archive.hpp"

namespace ztf_tests {

inline constexpr double kArcsec = 1.0 / 3600;

inline bool is_curves(const qsohost::Request& request) {
  return request.url.find("nph_light_curves") != std::string::npos;
}

// Targets along a line, each with a g and an r object; every seventh has none.
inline void fill(Talk& talk, int targets) {
  for (int k = 0; k < targets; ++k) {
    const double ra = 10 + 0.01 * k;
    talk.targets.push_back({ra, 20});
    if (k % 7 == 6) continue;
    const auto oid = [&](int n) { return std::to_string(600000000000000 + 10 * (500 - k) + n); };
    talk.archive.add({oid(1), ra, 20 + 0.3 * kArcsec, "zg", 2 + k % 3});
    talk.archive.add({oid(2), ra, 20 - 0.2 * kArcsec, "zr", 1 + k % 4});
  }
}

inline void check_truth(const Talk& talk) {
  for (std::size_t k = 0; k < talk.targets.size(); ++k) {
    INFO(k << ": " << talk.states[k].reason);
    const bool is_there = k % 7 != 6;
    CHECK(talk.states[k].outcome ==
          (is_there ? qsohost::Outcome::Matched : qsohost::Outcome::NotFound));
    CHECK(talk.batch.group("ztf.g").slice(k).count == (is_there ? 2 + k % 3 : 0));
    CHECK(talk.batch.group("ztf.r").slice(k).count == (is_there ? 1 + k % 4 : 0));
  }
}

}  // namespace ztf_tests
