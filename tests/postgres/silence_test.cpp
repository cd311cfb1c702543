// A network or a server that falls silent: no word, and no connection closed. silence_test.py
// brings that about when asked on standard output, and answers on standard input.
#include <dlfcn.h>
#include <netdb.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <iostream>
#include <optional>
#include <string>
#include <thread>

#include "qsohost/postgres.hpp"

using namespace qsohost;
using Catch::Contains;

// libpq resolves names by this one, since the program's symbols come first: a name server that
// does not answer.
extern "C" __attribute__((visibility("default"))) int getaddrinfo(const char* node,
                                                                  const char* service,
                                                                  const addrinfo* hints,
                                                                  addrinfo** result) {
  if (node != nullptr && std::strcmp(node, "silent.test") == 0) {
    std::this_thread::sleep_for(std::chrono::seconds(15));
    return EAI_AGAIN;
  }
  static const auto real =
      reinterpret_cast<decltype(&getaddrinfo)>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return real(node, service, hints, result);
}

namespace {

using Clock = std::chrono::steady_clock;
constexpr double kMost = 8;  // seconds: two are promised, and faults take 15 and more

std::string dsn() {
  const char* const text = std::getenv("QSO_TEST_DSN");
  REQUIRE(text != nullptr);
  return text;
}

void ask_test(const char* what) {
  std::cout << what << std::endl;
  std::string answer;
  std::getline(std::cin, answer);
}

struct Silence {
  Silence() { ask_test("freeze"); }
  ~Silence() { ask_test("thaw"); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
};

// The user stops after a moment of waiting.
class User {
 public:
  ~User() {
    if (thread_.joinable()) thread_.join();
  }
  std::function<bool()> stop() {
    return [this] { return stops_.load(); };
  }
  // How long after that `work`, which waits, has ended with the words for it.
  template <class F>
  double seconds_to_end(const F& work) {
    thread_ = std::thread([this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
      stopped_ = Clock::now();
      stops_ = true;
    });
    CHECK_THROWS_WITH(work(), Contains("interrupted"));
    thread_.join();
    return std::chrono::duration<double>(Clock::now() - stopped_).count();
  }

 private:
  std::thread thread_;
  std::atomic<bool> stops_{false};
  Clock::time_point stopped_;
};

void put_rows(PgCopyIn& copy, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    copy.begin_row(1);
    copy.put(i);
  }
}

const std::string kManyRows = "SELECT repeat('x', 1000), generate_series(1, 100000000)";

// Some megabytes, so that it goes on in mid-stream.
void read_some(PgCopyOut& copy) {
  std::string buffer;
  while (buffer.size() < (std::size_t{4} << 20)) REQUIRE(copy.next(buffer));
}

}  // namespace

TEST_CASE("a name server that is silent", "[.silence]") {
  User user;
  CHECK(user.seconds_to_end([&] { PgConnection("host=silent.test user=tester", user.stop()); }) <
        kMost);
}

TEST_CASE("silence while connecting", "[.silence]") {
  const Silence silence;
  User user;
  CHECK(user.seconds_to_end([&] { PgConnection(dsn(), user.stop()); }) < kMost);
}

TEST_CASE("silence in a query", "[.silence]") {
  User user;
  std::optional<Silence> silence;
  bool is_connected = false;
  int asked = 0;
  CHECK(user.seconds_to_end([&] {
    PgConnection c(dsn(), [&] {
      // The first time before the query is sent.
      if (is_connected && ++asked == 2) silence.emplace();
      return user.stop()();
    });
    is_connected = true;
    c.query("SELECT pg_sleep(600)");
  }) < kMost);
}

TEST_CASE("silence in a COPY out", "[.silence]") {
  User user;
  std::optional<Silence> silence;
  CHECK(user.seconds_to_end([&] {
    PgConnection c(dsn(), user.stop());
    PgCopyOut copy(c, kManyRows);
    read_some(copy);
    silence.emplace();
    for (std::string buffer; copy.next(buffer);) buffer.clear();
  }) < kMost);
}

TEST_CASE("silence in a COPY in", "[.silence]") {
  User user;
  std::optional<Silence> silence;
  CHECK(user.seconds_to_end([&] {
    PgConnection c(dsn(), user.stop());
    c.query("CREATE TEMPORARY TABLE keys (id bigint)");
    PgCopyIn copy(c, "keys (id)");
    put_rows(copy, 100000);
    silence.emplace();
    put_rows(copy, 100000000);  // more than buffers on the way can take
  }) < kMost);
}

TEST_CASE("silence when a query that nobody wants any more is cancelled", "[.silence]") {
  std::optional<PgConnection> c;
  c.emplace(dsn(), [] { return false; });
  PgCopyOut copy(*c, kManyRows);
  read_some(copy);
  const Silence silence;
  const auto begin = Clock::now();
  c.reset();
  CHECK(std::chrono::duration<double>(Clock::now() - begin).count() < kMost);
}

TEST_CASE("silence when a session without work is closed", "[.silence]") {
  std::optional<PgConnection> c;
  c.emplace(dsn(), [] { return false; });
  c->query("SELECT 1");
  const Silence silence;
  const auto begin = Clock::now();
  c.reset();
  CHECK(std::chrono::duration<double>(Clock::now() - begin).count() < kMost);
}
