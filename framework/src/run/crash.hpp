// Reports a crash inside a plugin by name, on stderr and in a file of the run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace qsohost::inline v1 {

inline constexpr const char* kCrashFile = "crashes";  // in the host's folder

// One line per crash: the batch in progress ("-": none), a tab, what happened and where. The lines
// of a batch are removed when it is committed later; only one CrashFile is active at a time.
class CrashFile {
 public:
  // Opens the file in advance, since a signal handler should not. Throws RunError.
  explicit CrashFile(std::filesystem::path file);
  ~CrashFile();  // removes an empty file
  CrashFile(const CrashFile&) = delete;
  CrashFile& operator=(const CrashFile&) = delete;

  void committed(std::uint64_t batch);  // one call at a time
  void clear();

  // The reports, without duplicates; empty if there is no such file.
  static std::vector<std::string> read(const std::filesystem::path& file);

 private:
  void rewrite();

  std::filesystem::path file_;
  int descriptor_;
  std::vector<std::string> lines_;  // of earlier processes
};

}  // namespace qsohost::inline v1
