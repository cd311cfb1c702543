// For hosts: how far the fetchers of a run are.
#pragma once

#include <cstdint>
#include <string>

namespace qsohost::inline v1 {

// How far a fetcher that asks an archive is, batches in flight included.
struct FetchProgress {
  std::string stage;
  std::uint64_t objects = 0;   // that it has begun with in this run
  std::uint64_t settled = 0;   // of these
  std::uint64_t requests = 0;  // under way, or queued for the archive
  double rate = 0;             // settled per second
};

}  // namespace qsohost::inline v1
