// A crash inside a plugin is told by name, on stderr and in a file of the run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace qsohost::inline v1 {

inline constexpr const char* kCrashFile = "crashes";  // in the host's folder

// A line a crash: the batch that was being worked on ("-": none), a tab, what happened and where. A
// batch that is committed later has its lines taken out; one file at a time is written to.
class CrashFile {
 public:
  // Opens it beforehand, since a signal handler had better not. Throws RunError.
  explicit CrashFile(std::filesystem::path file);
  ~CrashFile();  // and removes it if nothing is in it
  CrashFile(const CrashFile&) = delete;
  CrashFile& operator=(const CrashFile&) = delete;

  void committed(std::uint64_t batch);  // one call at a time
  void clear();

  // What it tells, without doublets; nothing if there is no such file.
  static std::vector<std::string> read(const std::filesystem::path& file);

 private:
  void rewrite();

  std::filesystem::path file_;
  int descriptor_;
  std::vector<std::string> lines_;  // of earlier processes
};

}  // namespace qsohost::inline v1
