// The log file of a run (--log-file): a line for each message, with its time in UTC and its level.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "progress.hpp"
#include "qsohost/context.hpp"
#include "qsohost/host/run.hpp"

namespace spdlog {
class logger;
}

namespace qsohost::cli {

// Thread-safe. A file that cannot be written (any more) does not end a run: that is said once on
// stderr.
class LogFile {
 public:
  // Lines are added to what is there. At 16 MiB the file becomes NAME.1.EXT, an older one
  // NAME.2.EXT, and so on; three are kept. Lower levels than `least` are left out. Throws
  // UsageError if the file cannot be opened.
  LogFile(const std::filesystem::path& file, LogLevel least);

  // Control characters are written as \n or \x1b, so that a message is one line.
  void write(LogLevel level, std::string_view text);
  void write(const Progress& progress);  // now and then; see LinePace
  void write_begin(std::string_view chain, const RunOptions& options);
  // Calls `work`, and writes how the run ended or what was thrown.
  RunReport write_end(const std::function<RunReport()>& work);

 private:
  std::shared_ptr<spdlog::logger> log_;
  LinePace pace_;
};

// "a\nb" for two lines, "\u001b[31m" for an escape sequence.
std::string on_one_line(std::string_view text);

}  // namespace qsohost::cli
