// For hosts: a chain read from its description and checked from end to end.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qsohost/host/loader.hpp"
#include "qsohost/port.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

struct Problem {
  Place place;
  std::string message;
  bool is_warning = false;
  QSOHOST_API std::string text() const;  // "file:line:col: message"
};

struct ChainStage {
  std::string label;
  std::string use;
  StageOffer offer;
  Place place;
  StagePtr stage;        // null if it could not be created
  bool is_whole = true;  // all its options are valid
  Ports ports;           // what it reads and adds at its place
  Schema before;         // what a batch holds when it arrives
  StagePtr original;     // what the chain file has here, if --swap put `stage` in its place
};

struct ChainSettings {
  std::string name;
  std::int64_t batch_rows = 500;      // objects in a batch, at most
  std::int64_t batch_megabytes = 64;  // of a batch from the source, at most
};

// From the command line: {"ztf.radius", "1.5"} and {"loo", "dho"}.
struct Overrides {
  std::vector<std::pair<std::string, std::string>> set;
  std::vector<std::pair<std::string, std::string>> swap;
};

// Several fitters in the place of one, for `qsohost compare`.
struct FitterComparison {
  std::vector<std::string> fitters;
  std::string label;  // of the fitter's place; "": the chain has only one
};

// A product as a Sink has declared it, with {name} filled in and without "." and "..".
std::filesystem::path product_path(const std::string& pattern, const std::string& chain_name);

struct RawChain;

class QSOHOST_API Chain {
 public:
  // Reads and checks; opens only the chain file and plugins, those that the chain names before
  // those of the standard folders, which are added here. Adds every problem to `problems`; returns
  // the chain unless one of them is an error.
  static std::optional<Chain> load(const std::filesystem::path& file, const Overrides& overrides,
                                   Plugins& plugins, std::vector<Problem>& problems);

  // The same for a chain that is no file. Problems have `name` as their file, and relative paths
  // are resolved against `folder`.
  static std::optional<Chain> parse(std::string_view text, const std::string& name,
                                    const std::filesystem::path& folder, const Overrides& overrides,
                                    Plugins& plugins, std::vector<Problem>& problems);

  // The chain up to its fitter, without sinks, and then each of the fitters, labelled with its own
  // name. Options of the place, from the file and of `overrides`, go to all fitters that know them;
  // those for a fitter's name to that one.
  static std::optional<Chain> load(const std::filesystem::path& file, const Overrides& overrides,
                                   const FitterComparison& line_up, Plugins& plugins,
                                   std::vector<Problem>& problems);

  // The chain whose effective() returned these lines.
  static std::optional<Chain> restore(const std::vector<std::string>& effective, Plugins& plugins,
                                      std::vector<Problem>& problems);

  const ChainSettings& settings() const { return settings_; }
  const std::filesystem::path& file() const { return file_; }
  std::vector<ChainStage>& stages() { return stages_; }
  const std::vector<ChainStage>& stages() const { return stages_; }

  // Walks the ports from stage to stage again (after the source has been opened it knows its
  // columns), updating every stage's `ports` and `before`.
  void check_ports(std::vector<Problem>& problems);

  // The chain in force, one line a fact: name, stages, plugin versions, options (but those with
  // affects_results = false). A resumed run compares it, and products have it as provenance.
  std::vector<std::string> effective() const;
  std::string hash() const;  // of effective(), 16 hex digits

 private:
  Chain() = default;
  static std::optional<Chain> make(RawChain raw, const std::filesystem::path& file,
                                   const std::filesystem::path& folder, const Overrides& overrides,
                                   const FitterComparison* line_up, Plugins& plugins,
                                   std::vector<Problem>& problems);
  static std::optional<Chain> load(const std::filesystem::path& file, const Overrides& overrides,
                                   const FitterComparison* line_up, Plugins& plugins,
                                   std::vector<Problem>& problems);
  void build(const RawChain& raw, const std::filesystem::path& folder, Plugins& plugins,
             std::vector<Problem>& problems);
  std::filesystem::path file_;
  ChainSettings settings_;
  std::vector<ChainStage> stages_;
};

// The chain as a drawing: "dot", "mermaid" or "text".
QSOHOST_API std::string draw(const Chain& chain, std::string_view format);

}  // namespace qsohost::inline v1
