#include "base/this_process.hpp"

#include <fmt/format.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): kill()
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace qsohost::inline v1 {

namespace {

std::string environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string this_machine() {
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  std::error_code error;
  const auto pids = std::filesystem::read_symlink("/proc/self/ns/pid", error);
  return fmt::format("{} {} {}", this_host(), boot, pids.string());
}

// None if it has ended, be it that its parent has not noticed yet (a zombie).
std::optional<std::uint64_t> start_of(std::int64_t pid) {
  std::ifstream in(fmt::format("/proc/{}/stat", pid));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const std::size_t name_end = text.rfind(')');  // a name may hold anything
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(name_end + 1));
  constexpr int kFields = 20;  // from the state, field 3, to the start, field 22; see proc(5)
  std::array<std::string, kFields> fields;
  for (std::string& field : fields) rest >> field;
  if (fields.front() == "Z" || fields.front() == "X") return std::nullopt;
  return std::strtoull(fields.back().c_str(), nullptr, 10);
}

}  // namespace

std::string this_host() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string this_job() {
  const std::string array = environment("SLURM_ARRAY_JOB_ID");
  if (!array.empty()) return array + "_" + environment("SLURM_ARRAY_TASK_ID");
  const std::string slurm = environment("SLURM_JOB_ID");
  return slurm.empty() ? environment("PBS_JOBID") : slurm;
}

ProcessMark this_process() {
  return {this_machine(), ::getpid(), start_of(::getpid()).value_or(0)};
}

bool has_ended(const ProcessMark& process) {
  if (process.pid <= 0 || process.machine != this_machine()) return false;
  if (::kill(static_cast<pid_t>(process.pid), 0) != 0) return errno == ESRCH;
  return start_of(process.pid) != process.started;
}

}  // namespace qsohost::inline v1
