#include "spool.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <utility>

#include <qsohost/context.hpp>
#include <qsohost/error.hpp>

namespace wsdb {

namespace {

namespace fs = std::filesystem;
// Disks write this much quickly, so that neither thread waits long.
constexpr std::uint64_t kMostUnsynced = std::uint64_t{64} << 20;

std::optional<std::string> content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

Spool::Spool(Settings settings) : settings_(std::move(settings)) {
  if (settings_.folder.empty()) return;
  fs::create_directories(settings_.folder);
  is_complete_ = load_complete();
}

fs::path Spool::file(std::string_view extension) const {
  return settings_.folder / fmt::format("{}.{}", settings_.label, extension);
}

std::string Spool::plan_text(const MatchPlan& plan) const {
  return settings_.options + "\n" + to_text(plan);
}

// Comparing the options shows without the server whether the stored result is the requested one.
bool Spool::load_complete() {
  const auto text = content_of(file("plan"));
  const std::string first = settings_.options + "\n";
  if (!text || !fs::exists(file("copy")) || !text->starts_with(first)) return false;
  try {
    plan_ = plan_from(text->substr(first.size()));
  } catch (const std::exception&) {
    return false;
  }
  file_.emplace(file("copy"));
  Place mark;
  if (find_end(mark)) {
    std::string none;
    end_ = mark;
    file_->read(end_, none);
    synced_ = end_.offset;
    return true;
  }
  file_.reset();
  fs::rename(file("copy"), file("part"));  // begin() keeps its intact records
  return false;
}

// The end of the intact records, without the end mark; true if that is there.
bool Spool::find_end(Place& end) const {
  std::string bytes;
  for (Place next; file_->read(next, bytes); end = next) {
    if (bytes.empty()) return true;
    if (settings_.stop()) throw qsohost::TryAgain("interrupted while checking received rows");
  }
  return false;
}

void Spool::keep_good() {
  const bool is_whole = find_end(end_);
  const std::uint64_t size = file_->size();
  if (!is_whole && end_.offset < size) {
    settings_.warn(fmt::format(
        "{} is not as it was written, perhaps after a power cut: {} of its {} bytes are kept, the "
        "rest is asked for again",
        file("part").string(), end_.offset, size));
  }
  file_->cut(end_);
}

void Spool::begin(MatchPlan plan) {
  plan_ = std::move(plan);
  if (settings_.folder.empty()) {
    file_.emplace("");
    return;
  }
  const std::string text = plan_text(plan_);
  if (content_of(file("plan")) != text) {
    fs::remove(file("part"));
    fs::remove(file("copy"));
  }
  file_.emplace(file("part"));
  const fs::path temporary = file("plan.tmp");
  std::ofstream out(temporary, std::ios::binary);
  out << text;
  out.close();
  if (!out)
    throw qsohost::RunError(temporary.string() + ": cannot be written; free some space there");
  qsohost::publish_file(temporary, file("plan"));  // flushes the folder too, with the new .part
  keep_good();
}

void Spool::start_over() {
  at_ = {};
  known_.clear();
  known_at_ = 0;
}

void Spool::throw_changed() const {
  throw qsohost::RunError(
      "the server gives other rows than it gave before: the tables have changed since this run "
      "began; begin again with --restart");
}

void Spool::throw_damaged() const {
  throw qsohost::RunError(fmt::format(
      "{}: rows that were received can no longer be read; look after the disk, and run again with "
      "--resume",
      settings_.folder.empty() ? "temporary file" : file("part").string()));
}

bool Spool::add(std::string_view bytes) {
  while (!bytes.empty() && (known_at_ < known_.size() || at_.offset < end_.offset)) {
    if (known_at_ == known_.size()) {
      known_at_ = 0;
      if (!file_->read(at_, known_)) throw_damaged();
    }
    const std::size_t n = std::min(bytes.size(), known_.size() - known_at_);
    if (bytes.substr(0, n) != std::string_view(known_).substr(known_at_, n)) throw_changed();
    known_at_ += n;
    bytes.remove_prefix(n);
  }
  if (bytes.empty()) return false;
  file_->write(at_, bytes);
  bool is_much = false;
  {
    const std::lock_guard lock(mutex_);
    end_ = at_;
    is_much = end_.offset - synced_ > kMostUnsynced;
    changed_.notify_all();
  }
  if (is_much) sync();
  return true;
}

void Spool::complete() {
  if (known_at_ < known_.size() || at_.offset < end_.offset) throw_changed();
  file_->write(at_, {});
  if (!settings_.folder.empty()) qsohost::publish_file(file("part"), file("copy"));
  const std::lock_guard lock(mutex_);
  end_ = at_;
  synced_ = at_.offset;
  changed_.notify_all();
}

void Spool::fail(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
  changed_.notify_all();
}

// Called by both threads, by the reader when it has nothing else to read.
void Spool::sync() {
  std::uint64_t end = 0;
  {
    const std::lock_guard lock(mutex_);
    end = end_.offset;
  }
  if (!settings_.folder.empty()) file_->sync();
  const std::lock_guard lock(mutex_);
  synced_ = std::max(synced_, end);
}

bool Spool::read(std::string& buffer) {
  bool is_synced = false;
  {
    std::unique_lock lock(mutex_);
    // Timed, because an interrupt comes from a signal handler, which cannot notify.
    while (end_.offset == read_at_.offset && error_ == nullptr) {
      changed_.wait_for(lock, std::chrono::milliseconds(50));
      if (settings_.stop()) throw qsohost::TryAgain("interrupted while waiting for rows");
    }
    if (end_.offset == read_at_.offset) std::rethrow_exception(error_);
    is_synced = synced_ > read_at_.offset;
  }
  if (!is_synced) sync();
  std::string bytes;
  Place next = read_at_;
  if (!file_->read(next, bytes)) throw_damaged();
  if (bytes.empty()) return false;
  read_at_ = next;
  buffer += bytes;
  return true;
}

}  // namespace wsdb
