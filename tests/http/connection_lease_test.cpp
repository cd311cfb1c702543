// Runs that share the connections to an archive: their files, and real processes.
#include "http/connection_lease.hpp"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <atomic>
#include <csignal>
#include <fstream>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "../support/folder.hpp"

using namespace qsohost;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

struct Fixture {
  Folder folder;
  Clock::time_point now = Clock::now();
  fs::path files = folder.path / "archive-h";

  std::unique_ptr<ConnectionLease> lease(int most = 3) const {
    auto out = std::make_unique<ConnectionLease>(folder.path, "h");
    out->cap(most);
    return out;
  }
  std::size_t count(const std::string& begin) const {
    std::size_t n = 0;
    for (const auto& entry : fs::directory_iterator(files)) {
      if (entry.path().filename().string().starts_with(begin)) ++n;
    }
    return n;
  }
  // As if the file had been written so long ago.
  void age(const std::string& file, int seconds) const {
    fs::last_write_time(files / file,
                        fs::file_time_type::clock::now() - std::chrono::seconds(seconds));
  }
  // The owner of slot 0 becomes one on another host.
  void move_to_another_host() const {
    std::ofstream(files / "slot-0") << "elsewhere\n\nelsewhere boot pid\n1 1\n";
  }
  bool gets_one(ConnectionLease& lease, Clock::duration within) {
    for (const auto end = now + within; now < end; now += 50ms) {
      if (lease.cover(1, now)) return true;
    }
    return false;
  }
};

// A child that does what is asked of it; killed at the end of its test.
template <class Do>
pid_t child(const Do& what) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    what();
    ::_exit(0);
  }
  return pid;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "runs have no more connections together than one may have") {
  const auto a = lease();
  const auto b = lease();
  CHECK(a->cover(2, now));
  CHECK(b->cover(1, now));
  CHECK_FALSE(b->cover(2, now));
  CHECK_FALSE(a->cover(3, now));
  CHECK(count("slot-") == 3);
  SECTION("what one does not use another gets") {
    a->keep(1, now);
    CHECK(b->cover(2, now + 2s));
  }
  SECTION("what it does not hold it does not return") {
    b->keep(5, now);
    CHECK(count("slot-") == 3);
  }
}

TEST_CASE_METHOD(Fixture, "an archive without a limit gets eight connections") {
  const auto a = lease(0);
  CHECK(a->cover(8, now));
  CHECK_FALSE(a->cover(9, now));
}

TEST_CASE_METHOD(Fixture, "a run that has ended leaves nothing behind") {
  {
    const auto a = lease();
    CHECK(a->cover(3, now));
    CHECK(count("owner-") == 1);
  }
  CHECK(count("slot-") + count("owner-") == 0);
}

TEST_CASE_METHOD(Fixture, "connections of a killed process are taken within seconds") {
  const pid_t pid = child([&] {
    const auto held = lease();
    held->cover(3, now);
    ::pause();
  });
  while (!fs::exists(files) || count("slot-") < 3) std::this_thread::sleep_for(10ms);
  const auto a = lease();
  CHECK_FALSE(gets_one(*a, 30s));  // it lives
  ::kill(pid, SIGKILL);
  siginfo_t ended;
  ::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT);
  CHECK(gets_one(*a, 5s));  // a zombie has ended too
  ::waitpid(pid, nullptr, 0);
  CHECK(a->cover(3, now + 2s));
  CHECK(count("owner-") == 1);
}

TEST_CASE_METHOD(Fixture, "a run on another host is dead when it has long shown no sign of life") {
  const auto a = lease();
  const auto b = lease();
  CHECK(a->cover(3, now));
  move_to_another_host();
  age("slot-0", 50);
  CHECK_FALSE(gets_one(*b, 5s));
  age("slot-0", 65);
  CHECK(gets_one(*b, 5s));
  CHECK(b->cover(3, now + 2s));
  SECTION("and it finds out before its next request, should it come back") {
    CHECK_FALSE(a->cover(1, now + 11s));
    b->keep(2, now);
    CHECK(a->cover(1, now + 14s));
    CHECK(count("slot-") == 3);
    CHECK(count("owner-") == 2);
  }
  SECTION("and what it returns is not that of others") {
    a->keep(3, now + 11s);
    a->keep(0, now + 11s);
    CHECK(count("slot-") == 3);
  }
}

TEST_CASE_METHOD(Fixture, "a run that died while it removed files of others is no obstacle") {
  const auto a = lease();
  CHECK(a->cover(3, now));
  move_to_another_host();
  age("slot-0", 65);
  const auto b = lease();
  fs::create_hard_link(files / "slot-0", files / "sweep");
  CHECK(gets_one(*b, 10s));
}

TEST_CASE_METHOD(Fixture, "the sign of life of a run that waits for answers goes on") {
  const auto a = lease();
  CHECK(a->cover(3, now));
  age("slot-0", 65);
  a->keep(3, now + 11s);
  const auto b = lease();
  CHECK_FALSE(gets_one(*b, 5s));
}

TEST_CASE_METHOD(Fixture, "a busy run gives way to one that has no connection") {
  const auto a = lease(1);
  const auto b = lease(1);
  CHECK(a->cover(1, now));
  CHECK(a->cover(1, now + 6s));  // nobody waits
  CHECK_FALSE(b->cover(1, now + 6s));
  CHECK(a->cover(1, now + 7s));
  CHECK_FALSE(a->cover(1, now + 12s));
  CHECK_FALSE(a->cover(1, now + 13s));
  CHECK(b->cover(1, now + 13s));
}

TEST_CASE_METHOD(Fixture, "a run that has one connection pushes nobody aside") {
  const auto a = lease(2);
  const auto b = lease(2);
  CHECK(a->cover(1, now));
  CHECK(b->cover(1, now));
  CHECK_FALSE(b->cover(2, now));
  CHECK(a->cover(1, now + 6s));
}

TEST_CASE_METHOD(Fixture, "what an archive asks of one run holds for all") {
  const auto a = lease();
  const auto b = lease();
  CHECK(b->pause_left(now).count() == 0);
  a->pause(20s);
  CHECK(b->pause_left(now + 2s).count() == Approx(20).margin(1));
  b->pause(5s);  // no shorter
  CHECK(a->pause_left(now + 2s).count() == Approx(20).margin(1));
  age("pause", 15);
  CHECK(b->pause_left(now + 4s).count() == Approx(5).margin(1));
  age("pause", 25);
  CHECK(b->pause_left(now + 6s).count() == 0);
}

TEST_CASE_METHOD(Fixture, "a damaged file does not make a run wait for ever") {
  const auto a = lease();
  for (const auto& [text, longest] :
       {std::pair{"1e300", 300}, {"inf", 300}, {"nan", 0}, {"-5", 0}}) {
    std::ofstream(files / "pause") << text << '\n';
    CHECK(a->pause_left(now).count() == Approx(longest).margin(1));
    now += 2s;
  }
}

TEST_CASE_METHOD(Fixture, "archives are kept apart, whatever their names") {
  ConnectionLease up(folder.path / "d", "..");
  ConnectionLease port(folder.path / "d", "h:8080");
  CHECK(up.cover(8, now));
  CHECK(port.cover(8, now));
  CHECK(fs::exists(folder.path / "d" / "archive-.."));
  CHECK(fs::exists(folder.path / "d" / "archive-h%3A8080"));
}

TEST_CASE_METHOD(Fixture, "a folder that is of no use is refused before the run, and named") {
  std::ofstream(folder / "file");
  CHECK_THAT(error_of([&] { ConnectionLease::require_usable(folder / "file"); }),
             Contains("--share-connections") && Contains((folder / "file").string()));
  ConnectionLease::require_usable(folder / "new");
  CHECK(fs::is_empty(folder / "new"));
}

TEST_CASE_METHOD(Fixture, "a folder that is gone in the middle ends the run") {
  const auto a = lease();
  CHECK(a->cover(1, now));
  fs::remove_all(files);
  CHECK_THAT(error_of([&] { a->cover(1, now + 11s); }), Contains("--share-connections"));
}

// Processes that take and return connections as fast as they can, two of which are killed. On a
// busy machine they go on until each has had its turns.
TEST_CASE_METHOD(Fixture, "many processes never use more than the limit") {
  constexpr int kMost = 3;
  constexpr int kProcesses = 6;
  constexpr int kKilled = 2;
  struct Shared {
    std::atomic<int> in_use;
    std::atomic<int> too_many;
    std::atomic<int> rounds[kProcesses + kKilled];
  };
  void* const memory =
      ::mmap(nullptr, sizeof(Shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  REQUIRE(memory != MAP_FAILED);
  auto* const shared = new (memory) Shared{};
  const auto begin_use = [&](int which, int count) {
    if ((shared->in_use += count) > kMost) ++shared->too_many;
    ++shared->rounds[which];
  };
  const auto begin = Clock::now();
  const auto goes_on = [&] {
    const bool all_had_turns = std::all_of(shared->rounds, shared->rounds + kProcesses,
                                           [](const auto& rounds) { return rounds > 1; });
    return Clock::now() < begin + (all_had_turns ? 4s : 60s);
  };
  const auto worker = [&](int which) {
    const auto mine = lease(kMost);
    const int count = 1 + which % 2;
    while (goes_on()) {
      if (mine->cover(static_cast<std::size_t>(count), Clock::now())) {
        begin_use(which, count);
        std::this_thread::sleep_for(1ms);
        shared->in_use -= count;
      }
      mine->keep(0, Clock::now());
      std::this_thread::sleep_for(1ms);
    }
  };
  std::vector<pid_t> pids;
  for (int i = 0; i < kProcesses; ++i) pids.push_back(child([&] { worker(i); }));
  for (int i = kProcesses; i < kProcesses + kKilled; ++i) {
    const pid_t pid = child([&] {
      const auto greedy = lease(kMost);
      while (!greedy->cover(1, Clock::now())) std::this_thread::sleep_for(5ms);
      begin_use(i, 1);
      ::pause();
    });
    while (shared->rounds[i] == 0) std::this_thread::sleep_for(5ms);
    --shared->in_use;  // before it ends, and another may have its connection
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  for (const pid_t pid : pids) ::waitpid(pid, nullptr, 0);
  CHECK(shared->too_many == 0);
  for (int i = 0; i < kProcesses; ++i) CHECK(shared->rounds[i] > 1);
  const auto last = lease(kMost);
  bool gets_all = false;
  for (int i = 0; i < 100 && !gets_all; ++i, now += 100ms) gets_all = last->cover(kMost, now);
  CHECK(gets_all);
  ::munmap(memory, sizeof(Shared));
}
