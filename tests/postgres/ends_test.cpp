// Calls that wait when the user stops, or when the session or the whole server is killed: each ends
// within two seconds. ends_test.py kills when asked on standard output.
#include <catch2/catch.hpp>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "interruptions.hpp"
#include "qsohost/postgres.hpp"

using namespace qsohost;

namespace {

const std::string kCount = "SELECT count(*) FROM pg_class";

bool never() {
  return false;
}

int process_of(PgTransaction& transaction) {
  return std::get<0>(transaction.query<int>("SELECT pg_backend_pid()").at(0));
}

// Kills by SIGKILL; the test goes on with a server that is there again.
class Killer {
 public:
  explicit Killer(std::string what) : what_(std::move(what)) {}
  ~Killer() { ask_test("restart"); }
  Killer(const Killer&) = delete;
  Killer& operator=(const Killer&) = delete;
  void kill(int process) {
    ask_test((what_ == "session" ? "kill " + std::to_string(process) : "kill server").c_str());
    killed_ = Clock::now();
  }
  double seconds() const { return seconds_since(killed_); }

 private:
  std::string what_;
  Clock::time_point killed_;
};

// Whoever tries again has to make a session of his own.
void check_lost(PgConnection& connection) {
  ask_test("restart");
  for (int i = 0; i < 3; ++i) {
    CHECK_THROWS_AS(PgTransaction(connection, PgAccess::Snapshot), TryAgain);
  }
}

using Kill = std::function<void()>;

// `use` kills the session of its transaction, or the whole server, and must see it.
void check_killed(PgAccess access, const std::function<void(PgTransaction&, const Kill&)>& use) {
  Killer killer(GENERATE("session", "server"));
  PgConnection c(dsn(), never);
  {
    PgTransaction t(c, access);
    const int process = process_of(t);
    use(t, [&] { killer.kill(process); });
  }
  CHECK(killer.seconds() < kMost);
  check_lost(c);
}

void read_on(PgCopyOut& copy) {
  for (std::string buffer; copy.next(buffer);) buffer.clear();
}

}  // namespace

TEST_CASE("an interrupt ends a COPY out", "[.ends]") {
  User user;
  CHECK(user.seconds_to_end([&] {
    PgConnection c(dsn(), user.stop());
    PgTransaction t(c, PgAccess::Snapshot);
    PgCopyOut copy(t, kManyRows);
    user.stop_soon();
    read_on(copy);
  }) < kMost);
}

TEST_CASE("an interrupt ends a COPY in", "[.ends]") {
  User user;
  CHECK(user.seconds_to_end([&] {
    PgConnection c(dsn(), user.stop());
    PgTransaction t(c, PgAccess::ReadWrite);
    t.execute("CREATE TEMPORARY TABLE keys (id bigint)");
    PgCopyIn copy(t, "keys (id)");
    user.stop_soon();
    put_rows(copy, 1'000'000'000);
  }) < kMost);
}

TEST_CASE("an unread COPY out is cancelled, and the session stays usable", "[.ends]") {
  PgConnection c(dsn(), never);
  const auto begin = Clock::now();
  std::optional<int> process;
  {
    PgTransaction t(c, PgAccess::Snapshot);
    process = process_of(t);
    PgCopyOut copy(t, kManyRows);
    read_some(copy);
  }
  CHECK(seconds_since(begin) < kMost);
  PgTransaction t(c, PgAccess::Snapshot);
  CHECK(process_of(t) == process);
}

TEST_CASE("a COPY out that outlives its transaction does not keep it open", "[.ends]") {
  PgConnection c(dsn(), never);
  std::optional<PgTransaction> t;
  t.emplace(c, PgAccess::Snapshot);
  PgCopyOut copy(*t, kManyRows);
  read_some(copy);
  const auto begin = Clock::now();
  t.reset();
  CHECK(seconds_since(begin) < kMost);
  CHECK_THROWS_AS(read_on(copy), TryAgain);
}

TEST_CASE("a session or server killed in a query is noticed", "[.ends]") {
  check_killed(PgAccess::Snapshot, [](PgTransaction& t, const Kill& kill) {
    std::thread later([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(300));
      kill();
    });
    CHECK_THROWS_AS(t.execute("SELECT pg_sleep(600)"), TryAgain);
    later.join();
  });
}

TEST_CASE("a session or server killed between two statements is noticed", "[.ends]") {
  check_killed(PgAccess::Snapshot, [](PgTransaction& t, const Kill& kill) {
    kill();
    CHECK_THROWS_AS((t.execute(kCount), t.commit()), TryAgain);
  });
}

TEST_CASE("a session or server killed in a COPY out is noticed", "[.ends]") {
  check_killed(PgAccess::Snapshot, [](PgTransaction& t, const Kill& kill) {
    PgCopyOut copy(t, kManyRows);
    read_some(copy);
    kill();
    CHECK_THROWS_AS(read_on(copy), TryAgain);
  });
}

TEST_CASE("a session or server killed in a COPY in is noticed", "[.ends]") {
  check_killed(PgAccess::ReadWrite, [](PgTransaction& t, const Kill& kill) {
    t.execute("CREATE TEMPORARY TABLE keys (id bigint)");
    PgCopyIn copy(t, "keys (id)");
    put_rows(copy, 100000);
    kill();
    // Where the server is killed its session notices when it waits.
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    CHECK_THROWS_AS((put_rows(copy, 1000000), copy.finish()), TryAgain);
  });
}
