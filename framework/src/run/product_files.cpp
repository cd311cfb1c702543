#include "run/product_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include "data/file_state.hpp"
#include "qsohost/context.hpp"
#include "qsohost/error.hpp"
#include "qsohost/system_reason.hpp"
#include "run/run_directory.hpp"

namespace qsohost::inline v1 {

namespace fs = std::filesystem;

namespace {

// Without time: a copy of a run directory has other times.
std::string state_of(const fs::path& file) {
  return file_state(file, FileTime::kLeftOut);
}

// Sinks may append to the name of a part for their own files.
constexpr std::size_t kSpareLetters = 16;

}  // namespace

ProductFiles::ProductFiles(fs::path run_dir, RunDb& db)
    : run_dir_(std::move(run_dir)), db_(db), id_(db.meta("run id").value_or("")) {}

fs::path ProductFiles::place_of(const fs::path& product) const {
  return resolved(run_dir_ / product);
}

std::string ProductFiles::ledger_path(const fs::path& place) const {
  const fs::path relative = place.lexically_relative(run_dir_);
  const bool is_inside = !relative.empty() && *relative.begin() != "..";
  return (is_inside ? relative : place).string();
}

fs::path ProductFiles::temporary(const fs::path& place) const {
  return place.parent_path() / fmt::format(".{}.{}.part", place.filename().string(), id_);
}

bool ProductFiles::is_ours(const fs::path& place) const {
  const std::string path = ledger_path(place);
  const std::vector<ProductRecord> records = db_.products();
  const auto record = std::ranges::find(records, path, &ProductRecord::path);
  if (record == records.end() || record->now.empty()) return false;
  const std::string state = state_of(place);
  return state == record->now || state == record->before;
}

void ProductFiles::require_ours(const fs::path& place) const {
  std::error_code error;
  if (!fs::exists(fs::symlink_status(place, error)) || is_ours(place)) return;
  throw UsageError(
      fmt::format("{} is there already, and is not what this run has made; move it away, or write "
                  "to another file or run directory",
                  place.string()));
}

void ProductFiles::require_all_ours() const {
  for (const ProductRecord& record : db_.products()) require_ours(run_dir_ / record.path);
}

void ProductFiles::try_to_write(const fs::path& place) const {
  std::error_code error;
  if (fs::is_directory(place, error)) {
    throw UsageError(fmt::format(
        "{} is to be a product, but is a folder; move it away, or give the product another path",
        place.string()));
  }
  fs::create_directories(place.parent_path(), error);
  if (error) {
    throw RunError(fmt::format("{}: cannot be made: {}", place.parent_path().string(),
                               system_reason(error.value())));
  }
  const fs::path probe = temporary(place).string() + std::string(kSpareLetters, '-');
  errno = 0;
  const bool is_made = std::ofstream(probe).good();
  const int reason = errno;
  fs::remove(probe, error);
  if (!is_made || error) {
    throw RunError(fmt::format("{}: cannot be written: {}", place.string(),
                               system_reason(is_made ? error.value() : reason)));
  }
}

void ProductFiles::check(const Chain& chain, const std::vector<Input>& inputs) {
  std::vector<fs::path> places;
  std::map<fs::path, std::string> taken;
  for (const Input& input : inputs) {
    if (fs::path(input.name).is_absolute()) taken.emplace(resolved(input.name), "is an input");
  }
  const fs::path work = work_folder(run_dir_);
  for (const ChainStage& stage : chain.stages()) {
    for (const std::string& pattern : stage.ports.products()) {
      const fs::path place = place_of(product_path(pattern, chain.settings().name));
      const auto fail = [&](const std::string& why) {
        throw UsageError(fmt::format("{} writes {}, which {}; give it another path", stage.label,
                                     place.string(), why));
      };
      const auto [at, is_free] = taken.emplace(place, fmt::format("'{}' writes", stage.label));
      if (!is_free) fail(at->second);
      const fs::path in_work = place.lexically_relative(work);
      if (!in_work.empty() && *in_work.begin() != "..") fail("is the host's own");
      places.push_back(place);
    }
  }
  plan(places);  // first, so that leftovers are found if the run is killed right now
  for (const fs::path& place : places) {
    try_to_write(place);
    require_ours(place);
  }
}

// Records the names in the ledger, by which leftovers of a killed run are found.
void ProductFiles::plan(const std::vector<fs::path>& places) {
  const std::vector<ProductRecord> known = db_.products();
  std::vector<ProductRecord> records;
  for (const fs::path& place : places) {
    std::string path = ledger_path(place);
    if (std::ranges::find(known, path, &ProductRecord::path) != known.end()) continue;
    records.push_back({std::move(path), {}, {}});
  }
  db_.set_products(records);
}

fs::path ProductFiles::part(const fs::path& product) {
  const fs::path place = place_of(product);
  require_ours(place);
  fs::create_directories(place.parent_path());
  plan({place});
  return parts_[place] = temporary(place);
}

void ProductFiles::publish() {
  std::vector<ProductRecord> records;
  for (const auto& [place, part] : parts_) {
    if (!fs::exists(part)) {
      throw RunError(
          fmt::format("{} was not written; a sink asked for its place as {}, and must write it",
                      place.string(), part.string()));
    }
    require_ours(place);
    const bool is_there = fs::exists(place);
    records.push_back(
        {ledger_path(place), state_of(part), is_there ? state_of(place) : std::string()});
  }
  db_.set_products(records);
  for (const auto& [place, part] : parts_) publish_file(part, place);
  parts_.clear();
}

std::vector<fs::path> ProductFiles::paths() const {
  std::vector<fs::path> out;
  for (const ProductRecord& record : db_.products()) {
    if (!record.now.empty()) out.push_back(run_dir_ / record.path);
  }
  return out;
}

std::vector<fs::path> ProductFiles::missing() const {
  std::vector<fs::path> out = paths();
  std::erase_if(out, [](const fs::path& place) { return fs::exists(place); });
  return out;
}

std::vector<fs::path> ProductFiles::changed() const {
  std::vector<fs::path> out = paths();
  std::erase_if(out,
                [this](const fs::path& place) { return !fs::exists(place) || is_ours(place); });
  return out;
}

void ProductFiles::remove(const std::function<void(const std::string&)>& warn) const {
  for (const fs::path& place : paths()) {
    std::error_code error;
    if (!fs::exists(fs::symlink_status(place, error))) continue;
    if (!is_ours(place)) {
      warn(fmt::format("{} is not what this run has made, and is left as it is", place.string()));
    } else if (!fs::remove(place, error) && error) {
      warn(fmt::format("{}: cannot be removed: {}", place.string(), error.message()));
    }
  }
}

void ProductFiles::remove_temporaries() const {
  for (const ProductRecord& record : db_.products()) {
    const fs::path place = run_dir_ / record.path;
    const std::string begin = temporary(place).filename().string();
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(place.parent_path(), error)) {
      if (entry.path().filename().string().starts_with(begin)) fs::remove(entry.path(), error);
    }
  }
}

}  // namespace qsohost::inline v1
