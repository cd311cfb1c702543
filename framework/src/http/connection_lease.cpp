#include "http/connection_lease.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <sstream>
#include <utility>

#include "base/ticks.hpp"
#include "qsohost/error.hpp"
#include "qsohost/http.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;
using Seconds = ConnectionLease::Seconds;

// Archives are known to sustain so many, where neither plugin nor user knows better. A single run
// finds out how many more it may open, but many runs do not see what the others do.
constexpr int kUnlessKnown = 8;
constexpr Seconds kBeat{10};
constexpr double kDead = 60;     // s without a sign of life
constexpr double kStarving = 3;  // s; a run that starves says so more often
constexpr Seconds kShortestWait{0.1};
constexpr Seconds kLongestWait{1};
constexpr Seconds kSweep{2};
constexpr Seconds kTurn{5};  // after that a run gives way to one that has no connection at all
constexpr Seconds kLook{1};

[[noreturn]] void fail(const fs::path& file, int error) {
  throw RunError(
      fmt::format("{}: {}; runs share their connections to an archive through this folder "
                  "(--share-connections): see to it, and go on with --resume",
                  file.string(), std::strerror(error)));
}

// An open file.
class File {
 public:
  File(fs::path path, int flags)
      : path_(std::move(path)), file_(::open(path_.c_str(), flags | O_CLOEXEC, 0644)) {
    if (file_ < 0 && errno != ENOENT) fail(path_, errno);
  }
  ~File() {
    if (file_ >= 0) ::close(file_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_there() const { return file_ >= 0; }
  struct stat about() const {
    struct stat out {};
    if (::fstat(file_, &out) != 0) fail(path_, errno);
    return out;
  }
  void touch() const {  // by the clock of the file system
    if (::futimens(file_, nullptr) != 0) fail(path_, errno);
  }
  std::string text() const {
    std::array<char, 1024> text{};
    const ssize_t size = ::pread(file_, text.data(), text.size(), 0);
    if (size < 0) fail(path_, errno);
    return {text.data(), static_cast<std::size_t>(size)};
  }
  void write(const std::string& text) const {
    const ssize_t size = ::pwrite(file_, text.data(), text.size(), 0);
    if (size != static_cast<ssize_t>(text.size())) fail(path_, size < 0 ? errno : ENOSPC);
  }

 private:
  fs::path path_;
  int file_;
};

double time_of(const struct stat& about) {
  return static_cast<double>(about.st_mtim.tv_sec) +
         1e-9 * static_cast<double>(about.st_mtim.tv_nsec);
}

double touched(const fs::path& file) {
  const File out(file, O_RDWR | O_CREAT);
  if (!out.is_there()) fail(file, ENOENT);  // without its folder
  out.touch();
  return time_of(out.about());
}

double clock_of(const fs::path& folder) {
  return touched(folder / "clock");
}

// Host and job are for people. None if it is not complete.
std::string owner_text(const ProcessMark& process) {
  return fmt::format("{}\n{}\n{}\n{} {}\n", this_host(), this_job(), process.machine, process.pid,
                     process.started);
}

std::optional<ProcessMark> owner_of(const std::string& text) {
  std::istringstream in(text);
  std::string host, job;
  ProcessMark out;
  if (!std::getline(in, host) || !std::getline(in, job) || !std::getline(in, out.machine)) {
    return std::nullopt;
  }
  if (!(in >> out.pid >> out.started)) return std::nullopt;
  return out;
}

std::string random_name() {
  std::random_device random;
  return fmt::format("owner-{:08x}{:08x}", random(), random());
}

}  // namespace

void ConnectionLease::require_usable(const fs::path& folder) {
  const auto refuse = [&](const std::string& why) {
    throw UsageError(fmt::format(
        "--share-connections: {}: {}; take a folder that all machines see and that can be written "
        "to, on a file system with hard links",
        folder.string(), why));
  };
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) refuse(error.message());
  const std::string file = (folder / random_name()).string();
  const std::string link = file + "-link";
  const int test = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (test < 0) refuse(std::strerror(errno));
  ::close(test);
  const int failure = ::link(file.c_str(), link.c_str()) == 0 ? 0 : errno;
  ::unlink(link.c_str());
  ::unlink(file.c_str());
  if (failure != 0) refuse(std::strerror(failure));
}

ConnectionLease::ConnectionLease(const fs::path& folder, const std::string& archive)
    // The prefix, because a host's name may be "..", and escape() leaves that alone.
    : folder_(folder / ("archive-" + escape(archive))),
      owner_(folder_ / random_name()),
      process_(this_process()),
      random_(std::random_device()()),
      most_(0),
      wait_(kShortestWait) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) fail(folder_, error.value());
  make_owner();
}

ConnectionLease::~ConnectionLease() {
  while (!slots_.empty()) release();
  ::unlink(owner_.c_str());
}

void ConnectionLease::make_owner() {
  const File out(owner_, O_RDWR | O_CREAT);
  if (!out.is_there()) fail(owner_, ENOENT);
  out.write(owner_text(process_));
}

void ConnectionLease::cap(int most) {
  if (most > 0) most_ = most_ == 0 ? most : std::min(most_, most);
}

bool ConnectionLease::cover(std::size_t count, Time now) {
  if (now - last_beat_ > kBeat) beat(now);
  if (count <= slots_.size()) return !must_give_way(now);
  if (now < try_at_) return false;
  while (slots_.size() < count) {
    if (claim(now)) continue;
    wait_longer(now);
    return false;
  }
  wait_ = kShortestWait;
  return true;
}

void ConnectionLease::keep(std::size_t count, Time now) {
  while (slots_.size() > count) release();
  if (!slots_.empty() && now - last_beat_ > kBeat) beat(now);
}

// Each of its slots is a link to its file: another number tells that they are not as remembered.
void ConnectionLease::beat(Time now) {
  last_beat_ = now;
  std::size_t links = 0;
  {
    const File own(owner_, O_RDWR);
    if (own.is_there()) {
      own.touch();
      links = own.about().st_nlink;
    }
  }
  if (links == 0) make_owner();  // it was taken for dead
  if (links != 1 + slots_.size()) recount();
}

void ConnectionLease::recount() {
  slots_.clear();
  const std::string begin = "slot-";
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(begin) || !is_mine(entry.path())) continue;
    slots_.push_back(std::atoi(name.c_str() + begin.size()));
  }
  if (error) fail(folder_, error.value());
}

bool ConnectionLease::claim(Time now) {
  const int most = most_ > 0 ? most_ : kUnlessKnown;
  for (int k = 0; k < most; ++k) {
    if (std::ranges::find(slots_, k) != slots_.end()) continue;
    if (::link(owner_.c_str(), slot(k).c_str()) == 0) {
      if (slots_.empty()) held_since_ = now;
      slots_.push_back(k);
      return true;
    }
    if (errno == ENOENT) {
      make_owner();  // it was taken for dead
      recount();
      return false;
    }
    if (errno != EEXIST) fail(slot(k), errno);
  }
  return false;
}

void ConnectionLease::release() {
  ::unlink(slot(slots_.back()).c_str());  // if it fails, the next beat finds the link
  slots_.pop_back();
}

bool ConnectionLease::must_give_way(Time now) {
  if (now - held_since_ < kTurn) return false;
  held_since_ = now;
  const double clock = clock_of(folder_);
  const File starving(folder_ / "starving", O_RDONLY | O_CREAT);
  const double last = starving.text().empty() ? 0 : time_of(starving.about());
  if (clock - last > kStarving) return false;
  release();
  // Longer than those that starve wait between two attempts.
  try_at_ = now + ticks(2 * kLongestWait);
  return true;
}

void ConnectionLease::wait_longer(Time now) {
  std::uniform_real_distribution<double> about(0.5, 1.5);
  try_at_ = now + ticks(about(random_) * wait_);
  wait_ = std::min(2 * wait_, kLongestWait);
  if (slots_.empty()) {
    const File starving(folder_ / "starving", O_RDWR | O_CREAT);
    if (!starving.is_there()) fail(folder_ / "starving", ENOENT);
    starving.write("1\n");
    starving.touch();
  }
  if (now < sweep_at_) return;
  sweep_at_ = now + ticks(kSweep);
  sweep();
}

// By one run at a time: between seeing that a slot's owner is dead and removing the slot, another
// could have done the same and a third one taken the slot. Should a run die just here, its `sweep`
// is removed without such care; a live run whose slot was removed takes another one.
void ConnectionLease::sweep() {
  const fs::path right = folder_ / "sweep";
  if (::link(owner_.c_str(), right.c_str()) != 0) {
    if (errno == ENOENT) return;  // it was taken for dead
    if (errno != EEXIST) fail(right, errno);
    if (is_dead(right)) ::unlink(right.c_str());
    return;
  }
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("slot-") && !name.starts_with("owner-")) continue;
    if (is_dead(entry.path())) ::unlink(entry.path().c_str());
  }
  ::unlink(right.c_str());
  if (error) fail(folder_, error.value());
}

void ConnectionLease::pause(Seconds wait) {
  const fs::path file = folder_ / "pause";
  look_at_ = {};
  const Time now = std::chrono::steady_clock::now();
  if (wait <= pause_left(now)) return;
  const File out(file, O_RDWR | O_CREAT);
  if (!out.is_there()) fail(file, ENOENT);
  out.write(fmt::format("{:012.3f}\n", wait.count()));  // of one length: nobody reads half of it
  out.touch();
}

Seconds ConnectionLease::pause_left(Time now) {
  if (now >= look_at_) {
    look_at_ = now + ticks(kLook);
    paused_until_ = now;
    const File in(folder_ / "pause", O_RDWR | O_CREAT);
    if (!in.is_there()) fail(folder_ / "pause", ENOENT);
    const double wait = std::strtod(in.text().c_str(), nullptr);
    if (wait > 0) {
      const double left = time_of(in.about()) + wait - clock_of(folder_);
      paused_until_ = now + ticks(std::clamp(Seconds(left), Seconds(0), kLongestPause));
    }
  }
  return std::max(Seconds(0), Seconds(paused_until_ - now));
}

bool ConnectionLease::is_mine(const fs::path& file) const {
  const File in(file, O_RDONLY);
  const File own(owner_, O_RDONLY);
  return in.is_there() && own.is_there() && in.about().st_ino == own.about().st_ino;
}

bool ConnectionLease::is_dead(const fs::path& file) const {
  const File in(file, O_RDONLY);
  if (!in.is_there()) return false;
  const auto owner = owner_of(in.text());
  if (owner && has_ended(*owner)) return true;
  return clock_of(folder_) - time_of(in.about()) > kDead;
}

fs::path ConnectionLease::slot(int index) const {
  return folder_ / fmt::format("slot-{}", index);
}

}  // namespace qsohost::inline v1
