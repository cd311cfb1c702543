#include "spool.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <utility>

#include <qsohost/context.hpp>
#include <qsohost/error.hpp>

namespace wsdb {

namespace {

namespace fs = std::filesystem;
constexpr std::size_t kReadAtOnce = std::size_t{1} << 20;

std::optional<std::string> content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

}  // namespace

Spool::Spool(fs::path folder, std::string label, std::string options)
    : folder_(std::move(folder)), label_(std::move(label)), options_(std::move(options)) {
  if (folder_.empty()) return;
  fs::create_directories(folder_);
  done_ = load_complete();
}

Spool::~Spool() {
  if (file_ >= 0) ::close(file_);
}

fs::path Spool::file(std::string_view extension) const {
  return folder_ / fmt::format("{}.{}", label_, extension);
}

void Spool::throw_error(std::string_view what) const {
  throw qsohost::ChainError(fmt::format("{}: {}: {}",
                                        folder_.empty() ? "temporary file" : file("part").string(),
                                        what, std::strerror(errno)));
}

void Spool::open_file(const fs::path& path, int flags) {
  file_ = ::open(path.c_str(), flags | O_CLOEXEC, 0644);
  if (file_ < 0) throw_error("cannot be opened");
  const off_t end = ::lseek(file_, 0, SEEK_END);
  if (end < 0) throw_error("cannot be read");
  size_ = static_cast<std::uint64_t>(end);
}

std::string Spool::plan_text(const MatchPlan& plan) const {
  return options_ + "\n" + to_text(plan);
}

// The options tell without the server whether the answer is to our question.
bool Spool::load_complete() {
  const auto text = content_of(file("plan"));
  if (!text || !fs::exists(file("copy")) || !text->starts_with(options_ + "\n")) return false;
  try {
    plan_ = plan_from(text->substr(options_.size() + 1));
  } catch (const std::exception&) {
    return false;
  }
  open_file(file("copy"), O_RDONLY);
  return true;
}

void Spool::begin(MatchPlan plan) {
  plan_ = std::move(plan);
  if (folder_.empty()) {
    std::string name = (fs::temp_directory_path() / "qsohost-XXXXXX").string();
    file_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (file_ < 0) throw_error("cannot be made");
    ::unlink(name.c_str());
    return;
  }
  const std::string text = plan_text(plan_);
  if (content_of(file("plan")) != text) {
    fs::remove(file("part"));
    fs::remove(file("copy"));
    const fs::path temporary = file("plan.tmp");
    std::ofstream(temporary, std::ios::binary) << text;
    qsohost::publish_file(temporary, file("plan"));
  }
  open_file(file("part"), O_RDWR | O_CREAT);
}

void Spool::start_over() {
  at_ = 0;
}

void Spool::compare(std::string_view bytes) {
  std::string there(bytes.size(), '\0');
  const ssize_t n = ::pread(file_, there.data(), there.size(), static_cast<off_t>(at_));
  if (n < 0) throw_error("cannot be read");
  if (std::string_view(there).substr(0, static_cast<std::size_t>(n)) == bytes) return;
  throw qsohost::ChainError(
      "the server gives other rows than it gave before: the tables have changed since this run "
      "began; begin again with --restart");
}

bool Spool::add(std::string_view bytes) {
  if (at_ < size_) {
    const auto known = std::min<std::uint64_t>(bytes.size(), size_ - at_);
    compare(bytes.substr(0, known));
    at_ += known;
    bytes.remove_prefix(known);
  }
  if (bytes.empty()) return false;
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(file_, bytes.data(), bytes.size(), static_cast<off_t>(at_));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_error("cannot be written");
    at_ += static_cast<std::uint64_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  const std::lock_guard lock(mutex_);
  size_ = at_;
  changed_.notify_all();
  return true;
}

void Spool::complete() {
  if (at_ < size_) compare("the answer is shorter");
  if (!folder_.empty()) qsohost::publish_file(file("part"), file("copy"));
  const std::lock_guard lock(mutex_);
  done_ = true;
  changed_.notify_all();
}

void Spool::fail(std::exception_ptr error) {
  const std::lock_guard lock(mutex_);
  error_ = std::move(error);
  changed_.notify_all();
}

bool Spool::read(std::string& buffer, const std::function<bool()>& stop) {
  std::uint64_t available = 0;
  {
    std::unique_lock lock(mutex_);
    // Timed, because an interrupt comes from a signal handler, which cannot notify.
    while (size_ == read_at_ && !done_ && error_ == nullptr) {
      changed_.wait_for(lock, std::chrono::milliseconds(50));
      if (stop()) throw qsohost::TryAgain("interrupted while waiting for rows");
    }
    if (size_ == read_at_ && error_ != nullptr) std::rethrow_exception(error_);
    available = size_ - read_at_;
  }
  const std::size_t before = buffer.size();
  buffer.resize(before + std::min<std::uint64_t>(available, kReadAtOnce));
  const ssize_t n =
      ::pread(file_, buffer.data() + before, buffer.size() - before, static_cast<off_t>(read_at_));
  if (n < 0) throw_error("cannot be read");
  buffer.resize(before + static_cast<std::size_t>(n));
  read_at_ += static_cast<std::uint64_t>(n);
  return n > 0;
}

}  // namespace wsdb
