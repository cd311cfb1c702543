// Who this process is, for files by which processes on several hosts know of each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace qsohost::inline v1 {

std::string this_host();
std::string this_job();  // as the scheduler's own tools call it, "12_3"; "": of none

// A process among those that see each other's pid: of one host, since it was booted, and of one
// container.
struct ProcessMark {
  std::string machine;
  std::int64_t pid = 0;
  std::uint64_t started = 0;  // clock ticks since boot; a pid is used again

  bool operator==(const ProcessMark&) const = default;
};
ProcessMark this_process();
// True if it has ended, as far as this process can see. Of another machine that is not known.
bool has_ended(const ProcessMark& process);

}  // namespace qsohost::inline v1
