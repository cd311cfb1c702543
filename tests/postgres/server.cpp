// Copying keys in and rows out, on the server that QSO_TEST_DSN names.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "qsohost/postgres.hpp"

using namespace qsohost;
using Catch::Contains;

namespace {

PgConnection connect(std::function<bool()> stop = [] { return false; }) {
  const char* const dsn = std::getenv("QSO_TEST_DSN");
  REQUIRE(dsn != nullptr);
  return {dsn, std::move(stop)};
}

std::string answer(PgConnection& connection, const std::string& sql) {
  return connection.query(sql).at(0).at(0).value_or("NULL");
}

// Texts that a text format would have to escape.
const std::vector<std::string> kTexts{
    "plain", "", "a\tb\\N\n", "\"quoted\", it's", "\\.", "täxt ★", std::string(70000, 'x')};

}  // namespace

TEST_CASE("integers and texts arrive as they are") {
  PgConnection c = connect();
  c.query("CREATE TEMPORARY TABLE keys (id bigint, name text)");
  PgCopyIn copy(c, "keys (id, name)");
  const std::vector<std::int64_t> ids{0, -1, INT64_MAX, INT64_MIN, 5, 6, 7};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    copy.begin_row(2);
    copy.put(ids[i]);
    copy.put(kTexts[i]);
  }
  copy.finish();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::vector<std::string> id{std::to_string(ids[i])};
    const auto rows = c.query("SELECT name FROM keys WHERE id = $1::bigint", id);
    REQUIRE(rows.size() == 1);
    CHECK(rows[0][0] == kTexts[i]);
  }
}

TEST_CASE("many text keys, joined and read again") {
  constexpr std::int64_t n = 100000;  // some megabytes, so that it goes in several pieces
  PgConnection c = connect();
  c.query("CREATE TEMPORARY TABLE keys (name text)");
  PgCopyIn copy(c, "keys (name)");
  for (std::int64_t i = 0; i < n; ++i) {
    copy.begin_row(1);
    copy.put("quasar number " + std::to_string(i));
  }
  copy.finish();
  CHECK(answer(c, "SELECT count(DISTINCT name) FROM keys") == std::to_string(n));
  PgColumn name;
  name.info.name = "name";
  name.info.dtype = DType::String;
  PgCopyOut out(c, "SELECT name FROM keys ORDER BY length(name), name");
  PgCopyReader reader({name}, [&](std::string& buffer) { return out.next(buffer); });
  std::int64_t seen = 0;
  for (;;) {
    const auto cells = reader.next(777);
    if (cells[0].values.size() == 0) break;
    for (std::size_t i = 0; i < cells[0].values.size(); ++i) {
      const std::string_view text = cells[0].values.strings()[i];
      if (text != "quasar number " + std::to_string(seen)) FAIL("row " << seen << ": " << text);
      ++seen;
    }
  }
  CHECK(seen == n);
}

TEST_CASE("nothing at all can be copied too") {
  PgConnection c = connect();
  c.query("CREATE TEMPORARY TABLE keys (id bigint)");
  PgCopyIn(c, "keys (id)").finish();
  CHECK(answer(c, "SELECT count(*) FROM keys") == "0");
}

TEST_CASE("what is not finished does not count") {
  PgConnection watch = connect();
  watch.query("CREATE TABLE IF NOT EXISTS unfinished (id bigint)");
  {
    PgConnection c = connect();
    PgCopyIn copy(c, "unfinished (id)");
    for (std::int64_t i = 0; i < 100000; ++i) {
      copy.begin_row(1);
      copy.put(i);
    }
  }
  CHECK(answer(watch, "SELECT count(*) FROM unfinished") == "0");
}

TEST_CASE("what the server will not take is said in its words") {
  PgConnection c = connect();
  c.query("CREATE TEMPORARY TABLE keys (id int4, name text)");
  {
    PgCopyIn copy(c, "keys (id)");
    copy.begin_row(1);
    copy.put(std::int64_t{1});
    CHECK_THROWS_AS(copy.finish(), RunError);
  }
  {
    PgCopyIn copy(c, "keys (name)");
    copy.begin_row(1);
    copy.put(std::string_view("nul \0 byte", 10));
    CHECK_THROWS_WITH(copy.finish(), Contains("invalid byte sequence"));
  }
  CHECK_THROWS_WITH(PgCopyIn(c, "no_such_table (id)"), Contains("no_such_table"));
  CHECK(answer(c, "SELECT count(*) FROM keys") == "0");  // the session is as good as before
}

TEST_CASE("a session that is ended meanwhile can be tried again") {
  PgConnection c = connect();
  PgConnection other = connect();
  c.query("CREATE TEMPORARY TABLE keys (id bigint)");
  const std::vector<std::string> process{answer(c, "SELECT pg_backend_pid()")};
  PgCopyIn copy(c, "keys (id)");
  // With a time to wait it returns when the session has ended.
  other.query("SELECT pg_terminate_backend($1::int4, 60000)", process);
  const auto send = [&] {
    for (std::int64_t i = 0; i < 1000000; ++i) {
      copy.begin_row(1);
      copy.put(i);
    }
    copy.finish();
  };
  CHECK_THROWS_AS(send(), TryAgain);
}

TEST_CASE("who wants to stop does not wait for the server") {
  bool stop = false;
  PgConnection c = connect([&] { return stop; });
  stop = true;
  CHECK_THROWS_WITH(c.query("SELECT pg_sleep(600)"), Contains("interrupted"));
}

TEST_CASE("who wants to stop does not wait for the end of an upload") {
  std::atomic<bool> stop{false};
  PgConnection c = connect([&] { return stop.load(); });
  c.query("CREATE TEMPORARY TABLE keys (id bigint)");
  PgCopyIn copy(c, "keys (id)");
  const auto send = [&] {
    for (std::int64_t i = 0; i < 1000000; ++i) {
      copy.begin_row(1);
      copy.put(i);
      stop = i > 1000;
    }
  };
  CHECK_THROWS_WITH(send(), Contains("interrupted"));
}

TEST_CASE("who wants to stop before a query is sent does not send it") {
  bool stop = false;
  PgConnection c = connect([&] { return stop; });
  c.query("CREATE TABLE IF NOT EXISTS not_begun (id bigint)");
  stop = true;
  CHECK_THROWS_WITH(c.query("INSERT INTO not_begun VALUES (1)"), Contains("interrupted"));
  stop = false;
  CHECK(answer(c, "SELECT count(*) FROM not_begun") == "0");
}

TEST_CASE("the server is told to end what nobody waits for any more") {
  PgConnection watch = connect();
  std::vector<std::string> process;
  const auto count = [&](const std::string& condition) {
    return watch.query("SELECT count(*) FROM pg_stat_activity WHERE pid = $1::int4" + condition,
                       process)[0][0];
  };
  {
    PgConnection c =
        connect([&] { return !process.empty() && count(" AND state = 'active'") == "1"; });
    process = {answer(c, "SELECT pg_backend_pid()")};
    CHECK_THROWS_WITH(c.query("SELECT pg_sleep(600)"), Contains("interrupted"));
  }
  for (int i = 0; i < 300 && count("") != "0"; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(count("") == "0");
}

namespace {

// Of the TCP connection of this program to the server; none if it has several or none.
std::optional<int> socket_option(int level, int option) {
  const std::string dsn = std::getenv("QSO_TEST_DSN");
  const int port = std::stoi(dsn.substr(dsn.find("port=") + 5));
  std::optional<int> found;
  for (int fd = 3; fd < 200; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (peer.sin_family != AF_INET || ntohs(peer.sin_port) != port) continue;
    if (found) return std::nullopt;
    socklen_t length = sizeof(int);
    REQUIRE(::getsockopt(fd, level, option, &found.emplace(0), &length) == 0);
  }
  return found;
}

}  // namespace

TEST_CASE("a peer that is gone is noticed, after the dsn's times if it names any") {
  const std::string dsn = std::getenv("QSO_TEST_DSN");
  const auto never = [] { return false; };
  {
    const PgConnection c(dsn, never);
    CHECK(socket_option(SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(socket_option(IPPROTO_TCP, TCP_KEEPIDLE) == 30);
    CHECK(socket_option(IPPROTO_TCP, TCP_KEEPINTVL) == 10);
    CHECK(socket_option(IPPROTO_TCP, TCP_KEEPCNT) == 3);
    CHECK(socket_option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 60000);
  }
  const std::string times = "keepalives_idle=77 tcp_user_timeout=12000";
  const auto check_times = [] {
    CHECK(socket_option(IPPROTO_TCP, TCP_KEEPIDLE) == 77);
    CHECK(socket_option(IPPROTO_TCP, TCP_KEEPINTVL) == 10);
    CHECK(socket_option(IPPROTO_TCP, TCP_USER_TIMEOUT) == 12000);
  };
  {
    const PgConnection c(dsn + " " + times, never);
    check_times();
  }
  {
    const PgConnection c(dsn + " keepalives=0", never);
    CHECK(socket_option(SOL_SOCKET, SO_KEEPALIVE) == 0);
  }
  // One word names a service, whose file says what a dsn could.
  const std::string file = "pg_service_of_test.conf";
  std::string lines = "[silent]\n" + dsn + " " + times + "\n";
  std::ranges::replace(lines, ' ', '\n');
  std::ofstream(file) << lines;
  ::setenv("PGSERVICEFILE", file.c_str(), 1);
  {
    const PgConnection c("silent", never);
    check_times();
  }
  ::unsetenv("PGSERVICEFILE");
  std::remove(file.c_str());
}
