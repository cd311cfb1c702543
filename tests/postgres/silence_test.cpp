// A network or a server that falls silent: no word, and no connection closed. silence_test.py
// brings that about when asked on standard output, and answers on standard input.
#include <dlfcn.h>
#include <netdb.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include "interruptions.hpp"
#include "qsohost/postgres.hpp"

using namespace qsohost;

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

struct Silence {
  Silence() { ask_test("freeze"); }
  ~Silence() { ask_test("thaw"); }
  Silence(const Silence&) = delete;
  Silence& operator=(const Silence&) = delete;
};

}  // namespace

TEST_CASE("a name server that is silent", "[.silence]") {
  User user;
  CHECK(user.seconds_to_end([&] {
    user.stop_soon();
    PgConnection("host=silent.test user=tester", user.stop());
  }) < kMost);
}

TEST_CASE("silence while connecting", "[.silence]") {
  const Silence silence;
  User user;
  CHECK(user.seconds_to_end([&] {
    user.stop_soon();
    PgConnection(dsn(), user.stop());
  }) < kMost);
}

TEST_CASE("silence in a query", "[.silence]") {
  User user;
  std::optional<Silence> silence;
  bool is_begun = false;
  int asked = 0;
  CHECK(user.seconds_to_end([&] {
    PgConnection c(dsn(), [&] {
      // The first time before the query is sent.
      if (is_begun && ++asked == 2) {
        silence.emplace();
        user.stop_soon();
      }
      return user.stop()();
    });
    PgTransaction t(c, PgAccess::ReadWrite);
    is_begun = true;
    t.execute("SELECT pg_sleep(600)");
  }) < kMost);
}

TEST_CASE("silence in a COPY out", "[.silence]") {
  User user;
  std::optional<Silence> silence;
  CHECK(user.seconds_to_end([&] {
    PgConnection c(dsn(), user.stop());
    PgTransaction t(c, PgAccess::Snapshot);
    PgCopyOut copy(t, kManyRows);
    read_some(copy);
    silence.emplace();
    user.stop_soon();
    for (std::string buffer; copy.next(buffer);) buffer.clear();
  }) < kMost);
}

TEST_CASE("silence in a COPY in", "[.silence]") {
  User user;
  std::optional<Silence> silence;
  CHECK(user.seconds_to_end([&] {
    PgConnection c(dsn(), user.stop());
    PgTransaction t(c, PgAccess::ReadWrite);
    t.execute("CREATE TEMPORARY TABLE keys (id bigint)");
    PgCopyIn copy(t, "keys (id)");
    put_rows(copy, 100000);
    silence.emplace();
    user.stop_soon();
    put_rows(copy, 100000000);  // more than buffers on the way can take
  }) < kMost);
}

TEST_CASE("silence when a query that nobody wants any more is cancelled", "[.silence]") {
  std::optional<Silence> silence;
  Clock::time_point begin;
  {
    PgConnection c(dsn(), [] { return false; });
    PgTransaction t(c, PgAccess::Snapshot);
    PgCopyOut copy(t, kManyRows);
    read_some(copy);
    silence.emplace();
    begin = Clock::now();
  }
  CHECK(seconds_since(begin) < kMost);
}

TEST_CASE("silence when a transaction is rolled back", "[.silence]") {
  std::optional<Silence> silence;
  Clock::time_point begin;
  {
    PgConnection c(dsn(), [] { return false; });
    PgTransaction t(c, PgAccess::ReadWrite);
    t.execute("SELECT 1");
    silence.emplace();
    begin = Clock::now();
  }
  CHECK(seconds_since(begin) < kMost);
}

TEST_CASE("silence when a session without work is closed", "[.silence]") {
  std::optional<PgConnection> c;
  c.emplace(dsn(), [] { return false; });
  PgTransaction(*c, PgAccess::ReadWrite).execute("SELECT 1");
  const Silence silence;
  const auto begin = Clock::now();
  c.reset();
  CHECK(seconds_since(begin) < kMost);
}
