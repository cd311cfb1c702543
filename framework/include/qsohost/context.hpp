// What a stage may use while it is open: log, stop flag, run directory, secrets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/api.hpp"
#include "qsohost/option.hpp"
#include "qsohost/port.hpp"

namespace qsohost::inline v1 {

enum class LogLevel : std::uint8_t { Debug, Info, Warning, Error };

// Facts about the run, the same for every stage except for `chunk_dir` and `history`. The folders
// are empty in a dry run.
struct RunInfo {
  std::string chain_name;
  std::string chain_hash;           // of everything that can change the products
  std::filesystem::path run_dir;    // products with a relative path go here
  std::filesystem::path work_dir;   // the host's own folder in it: what a resumed run can use again
  std::filesystem::path chunk_dir;  // a sink's own folder for the chunks of batches; exists
  std::vector<std::string> history;  // provenance: chain, then each stage so far with its options
  Schema schema;                     // what a batch holds when it reaches this stage
  // Objects that the source will give in this run, if it knows; not for the source itself.
  std::optional<std::uint64_t> objects{};
};

// A source may keep what it has received in this folder of work_dir, so that a resumed run need not
// request it again. The host removes it when the run is done and nothing is unsettled, and for
// --restart.
inline constexpr std::string_view kReceivedFolder = "received";

// A stage may keep in this folder of work_dir what it has computed from its input files and can
// check against them, such as an index. It survives --restart.
inline constexpr std::string_view kIndexFolder = "index";

class QSOHOST_API Context {
 public:
  virtual ~Context();

  virtual const RunInfo& run() const = 0;
  virtual void log(LogLevel level, std::string_view message) = 0;  // any thread
  // True once the user wants the run to stop: for a Source with the first Ctrl-C, after which it
  // must return no more rows; for a Fetcher some seconds later, or with the second; for other
  // stages with the second. Long calls should then throw TryAgain or return: the batch is left for
  // --resume.
  virtual bool stop_requested() const = 0;

  void info(std::string_view message) { log(LogLevel::Info, message); }
  void warn(std::string_view message) { log(LogLevel::Warning, message); }

  // The value of the environment variable, or the content of the file, without line breaks at its
  // end. Throws RunError, naming the variable or the file, if there is none. From then on the host
  // writes "***" in place of the value, percent-encoded or not, in messages, in the run directory
  // and in recordings; a value of fewer than eight characters only where it is a separate word, and
  // not in responses.
  std::string secret(const Secret& secret) const;
};

// Publishes a finished temporary file: flushes it to disk, renames it, and flushes the folder.
// After a crash the file has either its old content or all of the new. Throws RunError that names
// the file.
QSOHOST_API void publish_file(const std::filesystem::path& temporary,
                              const std::filesystem::path& destination);

}  // namespace qsohost::inline v1
