// Whatever the host's own files of a run hold, the run is shown, merged and resumed, or refused.
// Input: parts that begin with a line "@@@ FILE", for files of a run directory that a real run has
// filled; run.db is either replaced, or changed by SQL, a statement a line.
#include <sqlite3.h>

#include <algorithm>
#include <map>

#include "closing_text.hpp"
#include "fuzz_file.hpp"
#include "http/connection_lease.hpp"
#include "qsohost/host/loader.hpp"
#include "qsohost/host/run.hpp"
#include "submit/manifest.hpp"
#include "submit/shards_status.hpp"

using namespace qsohost;
using namespace qsohost::fuzz;

namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostShards = 100;  // more take long, and are no other case

const char* const kChain = R"(
[chain]
name = "mine"
batch_rows = 2
[[stage]]
use = "catalog-source"
path = "in.csv"
[[stage]]
use = "require"
columns = ["z"]
[[stage]]
use = "fits-sink"
what = "catalog"
keep_chunks = true
)";

Plugins& plugins() {
  static Plugins all;
  return all;
}

fs::path run_dir() {
  return folder() / "run";
}

RunReport go(StartMode start) {
  std::vector<Problem> problems;
  auto chain = Chain::parse(kChain, "chain.toml", folder(), {}, plugins(), problems);
  if (!chain) std::abort();
  RunOptions options;
  options.run_dir = run_dir();
  options.start = start;
  options.threads = 1;
  options.in_flight = 1;
  return run(*chain, options);
}

void write_text(const fs::path& file, std::string_view text) {
  fs::create_directories(file.parent_path());
  write(file, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
}

// A complete run, of three batches. It is done only once.
const fs::path& complete_run() {
  static const fs::path kept = [] {
    write_text(folder() / "in.csv",
               "source_id,ra,dec,z\n1,10,20,0.5\n2,11,21,\n3,12,22,1\n4,1,2,3\n5,2,3,4\n");
    if (go(StartMode::Fresh).end != RunEnd::Done) std::abort();
    fs::create_directory_symlink(".", run_dir() / "shard-000");
    fs::rename(run_dir(), folder() / "complete");
    return folder() / "complete";
  }();
  return kept;
}

// No other file, no other process's memory: only what the statement does to this database.
int allow(void* /*none*/, int action, const char* /*a*/, const char* /*b*/, const char* /*c*/,
          const char* /*d*/) {
  const bool is_allowed = action != SQLITE_ATTACH && action != SQLITE_DETACH &&
                          action != SQLITE_PRAGMA && action != SQLITE_CREATE_VIEW &&
                          action != SQLITE_CREATE_TRIGGER && action != SQLITE_RECURSIVE;
  return is_allowed ? SQLITE_OK : SQLITE_DENY;
}

void change(const fs::path& file, std::string_view statements) {
  sqlite3* db = nullptr;
  if (sqlite3_open(file.c_str(), &db) != SQLITE_OK) std::abort();
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 100000);
  sqlite3_set_authorizer(db, allow, nullptr);
  while (!statements.empty()) {
    const std::string line(statements.substr(0, statements.find('\n')));
    statements.remove_prefix(std::min(line.size() + 1, statements.size()));
    sqlite3_exec(db, line.c_str(), nullptr, nullptr, nullptr);  // errors: no change
  }
  sqlite3_close(db);
}

void put(std::string_view name, std::string_view text) {
  const fs::path work = run_dir() / ".qsohost";
  const std::map<std::string_view, fs::path> files{
      {"holder", work / "holder"},
      {"crashes", work / "crashes"},
      {"shards", run_dir() / "shards.toml"},
      {"pause", folder() / "lease/archive-a/pause"},
      {"slot", folder() / "lease/archive-a/slot-0"},
      {"owner", folder() / "lease/archive-a/owner-0"},
      {"sweep", folder() / "lease/archive-a/sweep"},
  };
  if (const auto file = files.find(name); file != files.end())
    return write_text(file->second, text);
  if (name != "run.db") return;
  if (text.starts_with("SQLite format 3")) return write_text(work / name, text);
  change(work / name, text);
}

void prepare(std::string_view input) {
  for (const char* name : {"run", "lease", "merged"}) fs::remove_all(folder() / name);
  fs::copy(complete_run(), run_dir(),
           fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  constexpr std::string_view mark = "@@@ ";
  while (input.starts_with(mark)) {
    const std::size_t end = std::min(input.find("\n@@@ "), input.size());
    const std::string_view part = input.substr(mark.size(), end - std::min(end, mark.size()));
    const std::string_view name = part.substr(0, part.find('\n'));
    put(name, part.substr(std::min(name.size() + 1, part.size())));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
}

void show() {
  refusing([] {
    const RunReport report = run_status(run_dir()).report;
    static_cast<void>(cli::outcome_table(report));
    static_cast<void>(cli::count_tables(report));
  });
  for (const Outcome outcome :
       {Outcome::Matched, Outcome::NotFound, Outcome::Failed, Outcome::BadObject}) {
    refusing([&] { each_object(run_dir(), outcome, [](const ObjectStatus&) { return true; }); });
  }
  refusing([] {
    if (cli::read_manifest(run_dir()).shards > kMostShards) return;
    static_cast<void>(cli::shards_as_text(run_dir()));
    static_cast<void>(cli::shards_as_json(run_dir()));
    static_cast<void>(cli::started_runs(run_dir()));
  });
}

void share() {
  using namespace std::chrono_literals;
  refusing([] {
    ConnectionLease lease(folder() / "lease", "a");
    const auto now = std::chrono::steady_clock::now();
    if (lease.pause_left(now) < 0s) std::abort();
    for (const auto later : {0s, 20s, 40s}) {
      lease.cover(9, now + later);
      lease.keep(1, now + later);
    }
    lease.pause(1s);
  });
}

// Not where another host seems to work: that takes a while.
bool is_free() {
  bool is_running = false;
  refusing([&] { is_running = run_status(run_dir()).is_running; });
  return !is_running;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  prepare({reinterpret_cast<const char*>(data), size});
  show();
  share();
  refusing([] {
    MergeOptions options;
    options.run_dirs = {run_dir()};
    options.into = folder() / "merged";
    merge_runs(plugins(), options);
  });
  if (!is_free()) return 0;
  refusing([] { go(StartMode::RetryFailed); });
  return 0;
}
