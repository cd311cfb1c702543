// Copying keys in and rows out, on the server that QSO_TEST_DSN names.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <limits>
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

PgTransaction begin(PgConnection& connection) {
  return {connection, PgAccess::ReadWrite};
}

std::int64_t number(PgTransaction& transaction, const std::string& sql,
                    std::span<const std::string> parameters = {}) {
  return std::get<0>(transaction.query<std::int64_t>(sql, parameters).at(0));
}

void do_at_once(PgConnection& connection, const std::string& sql,
                std::span<const std::string> parameters = {}) {
  PgTransaction transaction = begin(connection);
  transaction.execute(sql, parameters);
  transaction.commit();
}

std::vector<std::string> process_of(PgTransaction& transaction) {
  return {std::to_string(number(transaction, "SELECT pg_backend_pid()"))};
}

// Texts that a text format would have to escape.
const std::vector<std::string> kTexts{
    "plain", "", "a\tb\\N\n", "\"quoted\", it's", "\\.", "täxt ★", std::string(70000, 'x')};

}  // namespace

TEST_CASE("cells come as what they are asked for, NULL only where it may be") {
  PgConnection c = connect();
  PgTransaction t = begin(c);
  const auto rows = t.query<bool, int, std::int64_t, double, std::string, std::optional<double>>(
      "SELECT i > 1, i, 9223372036854775807, 'NaN'::float8, 'it''s ' || i, "
      "CASE WHEN i > 1 THEN 0.1::float8 END FROM generate_series(1, 2) i");
  REQUIRE(rows.size() == 2);
  const auto& [yes, i, large, nan, text, some] = rows[1];
  CHECK(yes);
  CHECK(i == 2);
  CHECK(large == INT64_MAX);
  CHECK(std::isnan(nan));
  CHECK(text == "it's 2");
  CHECK(some == 0.1);
  CHECK_FALSE(std::get<0>(rows[0]));
  CHECK_FALSE(std::get<5>(rows[0]).has_value());
  CHECK_THROWS_AS(t.query<std::string>("SELECT NULL"), RunError);
  CHECK_THROWS_AS(t.query<int>("SELECT 'seven'"), RunError);
  CHECK_THROWS_WITH(t.query<int>("SELECT 1, 2"), Contains("2 columns instead of 1"));
}

TEST_CASE("a transaction counts when it is committed, and is never left open") {
  PgConnection c = connect();
  do_at_once(c, "CREATE TEMPORARY TABLE kept (id bigint)");
  {
    PgTransaction t = begin(c);
    t.execute("INSERT INTO kept VALUES (1)");
  }
  {
    PgTransaction t = begin(c);
    PgTransaction moved = std::move(t);
    moved.execute("INSERT INTO kept VALUES (2)");
    moved.commit();
    CHECK_THROWS_WITH(moved.execute("INSERT INTO kept VALUES (4)"), Contains("after its commit"));
    CHECK_THROWS_WITH(PgCopyIn(moved, "kept"), Contains("after its commit"));
  }
  {
    PgTransaction t = begin(c);
    t.execute("INSERT INTO kept VALUES (3)");
    CHECK_THROWS_WITH(t.execute("SELECT no_such_column FROM kept"),
                      Contains("no_such_column") && Contains("42703") && !Contains("LINE"));
    CHECK_THROWS_AS(t.commit(), RunError);
  }
  PgTransaction t(c, PgAccess::Snapshot);
  CHECK(number(t, "SELECT sum(id) FROM kept") == 2);
  CHECK_THROWS_WITH(t.execute("CREATE TABLE never_made (id bigint)"), Contains("read-only"));
}

TEST_CASE("a transaction in which a COPY failed is not committed") {
  PgConnection c = connect();
  do_at_once(c, "CREATE TEMPORARY TABLE kept (id bigint)");
  PgTransaction t = begin(c);
  t.execute("INSERT INTO kept VALUES (1)");
  CHECK_THROWS_AS(PgCopyOut(t, "SELECT no_such_column"), RunError);
  CHECK_THROWS_WITH(t.commit(), Contains("failed"));
}

TEST_CASE("a snapshot does not see what others do meanwhile") {
  PgConnection c = connect();
  PgConnection other = connect();
  do_at_once(other, "CREATE TABLE IF NOT EXISTS seen (id bigint)");
  PgTransaction t(c, PgAccess::Snapshot);
  const std::int64_t before = number(t, "SELECT count(*) FROM seen");
  do_at_once(other, "INSERT INTO seen VALUES (1)");
  CHECK(number(t, "SELECT count(*) FROM seen") == before);
}

TEST_CASE("integers and texts arrive as they are") {
  PgConnection c = connect();
  PgTransaction t = begin(c);
  t.execute("CREATE TEMPORARY TABLE keys (id bigint, name text)");
  PgCopyIn copy(t, "keys (id, name)");
  const std::vector<std::int64_t> ids{0, -1, INT64_MAX, INT64_MIN, 5, 6, 7};
  for (std::size_t i = 0; i < ids.size(); ++i) {
    copy.begin_row(2);
    copy.put(ids[i]);
    copy.put(kTexts[i]);
  }
  CHECK_THROWS_WITH(t.execute("SELECT 1"), Contains("not finished"));
  copy.finish();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::vector<std::string> id{std::to_string(ids[i])};
    const auto rows = t.query<std::string>("SELECT name FROM keys WHERE id = $1::bigint", id);
    REQUIRE(rows.size() == 1);
    CHECK(std::get<0>(rows[0]) == kTexts[i]);
  }
}

TEST_CASE("every type of column, NULLs and arrays arrive as they are") {
  PgConnection c = connect();
  PgTransaction t = begin(c);
  t.execute(
      "CREATE TEMPORARY TABLE kinds (b boolean, s int2, i int4, l int8, f float4, d float8, "
      "x text, ds float8[], xs text[], none int4)");
  PgCopyIn copy(t, "kinds");
  copy.begin_row(10);
  copy.put(true);
  copy.put(std::int16_t{-2});
  copy.put(std::int32_t{-3});
  copy.put(std::int64_t{-4});
  copy.put(1.5f);
  copy.put(-0.1);
  copy.put("literal");
  copy.begin_array(DType::F64, 3);
  copy.put(0.25);
  copy.put_null();
  copy.put(std::numeric_limits<double>::quiet_NaN());
  copy.end_array();
  copy.begin_array(DType::String, 1);
  copy.put("a,b");
  copy.end_array();
  copy.put_null();
  copy.finish();
  const auto rows = t.query<std::string>("SELECT kinds::text FROM kinds");
  REQUIRE(rows.size() == 1);
  CHECK(std::get<0>(rows[0]) == R"((t,-2,-3,-4,1.5,-0.1,literal,"{0.25,NULL,NaN}","{""a,b""}",))");
}

TEST_CASE("many text keys, joined and read again") {
  constexpr std::int64_t n = 100000;  // some megabytes, so that it goes in several pieces
  PgConnection c = connect();
  PgTransaction t = begin(c);
  t.execute("CREATE TEMPORARY TABLE keys (name text)");
  PgCopyIn copy(t, "keys (name)");
  for (std::int64_t i = 0; i < n; ++i) {
    copy.begin_row(1);
    copy.put("quasar number " + std::to_string(i));
  }
  copy.finish();
  CHECK(number(t, "SELECT count(DISTINCT name) FROM keys") == n);
  PgColumn name;
  name.info.name = "name";
  name.info.dtype = DType::String;
  PgCopyOut out(t, "SELECT name FROM keys ORDER BY length(name), name");
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
  PgTransaction t = begin(c);
  t.execute("CREATE TEMPORARY TABLE keys (id bigint)");
  PgCopyIn(t, "keys (id)").finish();
  CHECK(number(t, "SELECT count(*) FROM keys") == 0);
}

TEST_CASE("what is not finished does not count") {
  PgConnection watch = connect();
  do_at_once(watch, "CREATE TABLE IF NOT EXISTS unfinished (id bigint)");
  PgConnection c = connect();
  {
    PgTransaction t = begin(c);
    PgCopyIn copy(t, "unfinished (id)");
    for (std::int64_t i = 0; i < 100000; ++i) {
      copy.begin_row(1);
      copy.put(i);
    }
  }
  PgTransaction t = begin(watch);
  CHECK(number(t, "SELECT count(*) FROM unfinished") == 0);
  CHECK_NOTHROW(do_at_once(c, "SELECT 1"));  // the session is as good as before
}

TEST_CASE("what the server will not take is said in its words") {
  PgConnection c = connect();
  do_at_once(c, "CREATE TEMPORARY TABLE keys (id int4, name text)");
  {
    PgTransaction t = begin(c);
    PgCopyIn copy(t, "keys (id)");
    copy.begin_row(1);
    copy.put(std::int64_t{1});
    CHECK_THROWS_AS(copy.finish(), RunError);
  }
  {
    PgTransaction t = begin(c);
    PgCopyIn copy(t, "keys (name)");
    copy.begin_row(1);
    copy.put(std::string_view("nul \0 byte", 10));
    CHECK_THROWS_WITH(copy.finish(), Contains("invalid byte sequence"));
  }
  {
    PgTransaction t = begin(c);
    CHECK_THROWS_WITH(PgCopyIn(t, "no_such_table (id)"), Contains("no_such_table"));
  }
  PgTransaction t = begin(c);
  CHECK(number(t, "SELECT count(*) FROM keys") == 0);  // the session is as good as before
}

TEST_CASE("a session that is ended meanwhile can be tried again") {
  PgConnection c = connect();
  PgConnection other = connect();
  PgTransaction t = begin(c);
  t.execute("CREATE TEMPORARY TABLE keys (id bigint)");
  const auto process = process_of(t);
  PgCopyIn copy(t, "keys (id)");
  // With a time to wait it returns when the session has ended.
  do_at_once(other, "SELECT pg_terminate_backend($1::int4, 60000)", process);
  const auto send = [&] {
    for (std::int64_t i = 0; i < 1000000; ++i) {
      copy.begin_row(1);
      copy.put(i);
    }
    copy.finish();
  };
  CHECK_THROWS_AS(send(), TryAgain);
}

TEST_CASE("a session that is lost does not come back by itself") {
  PgConnection c = connect();
  PgConnection other = connect();
  do_at_once(c, "CREATE TEMPORARY TABLE keys (id bigint)");
  std::vector<std::string> process;
  {
    PgTransaction t = begin(c);
    process = process_of(t);
  }
  do_at_once(other, "SELECT pg_terminate_backend($1::int4, 60000)", process);
  for (int i = 0; i < 4; ++i) CHECK_THROWS_AS(do_at_once(c, "SELECT 1"), TryAgain);
}

TEST_CASE("why a session was lost is said in the server's words") {
  PgConnection c = connect();
  PgConnection other = connect();
  PgTransaction t = begin(c);
  do_at_once(other, "SELECT pg_terminate_backend($1::int4, 60000)", process_of(t));
  CHECK_THROWS_WITH(t.execute("SELECT 1"),
                    Contains("terminating connection due to administrator") && Contains("57P01"));
}

TEST_CASE("who wants to stop does not wait for the server") {
  bool stop = false;
  PgConnection c = connect([&] { return stop; });
  PgTransaction t = begin(c);
  stop = true;
  CHECK_THROWS_WITH(t.execute("SELECT pg_sleep(600)"), Contains("interrupted"));
}

TEST_CASE("who wants to stop does not wait for the end of an upload") {
  std::atomic<bool> stop{false};
  PgConnection c = connect([&] { return stop.load(); });
  PgTransaction t = begin(c);
  t.execute("CREATE TEMPORARY TABLE keys (id bigint)");
  PgCopyIn copy(t, "keys (id)");
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
  PgTransaction t = begin(c);
  t.execute("CREATE TEMPORARY TABLE not_begun (id bigint)");
  stop = true;
  CHECK_THROWS_WITH(t.execute("INSERT INTO not_begun VALUES (1)"), Contains("interrupted"));
  stop = false;
  CHECK(number(t, "SELECT count(*) FROM not_begun") == 0);
}

TEST_CASE("the server is told to end what nobody waits for any more") {
  PgConnection watch = connect();
  std::vector<std::string> process;
  const auto count = [&](const std::string& condition) {
    PgTransaction t = begin(watch);  // in one it would see the same activity again and again
    return number(t, "SELECT count(*) FROM pg_stat_activity WHERE pid = $1::int4" + condition,
                  process);
  };
  {
    PgConnection c =
        connect([&] { return !process.empty() && count(" AND state = 'active'") == 1; });
    PgTransaction t = begin(c);
    process = process_of(t);
    CHECK_THROWS_WITH(t.execute("SELECT pg_sleep(600)"), Contains("interrupted"));
  }
  for (int i = 0; i < 300 && count("") != 0; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  CHECK(count("") == 0);
}

namespace {

// Of the TCP connection of this program to the server, perhaps with several descriptors; none if
// there is none, or another one.
std::optional<int> socket_option(int level, int option) {
  const std::string dsn = std::getenv("QSO_TEST_DSN");
  const int port = std::stoi(dsn.substr(dsn.find("port=") + 5));
  std::optional<int> found;
  in_port_t here = 0;
  for (int fd = 3; fd < 200; ++fd) {
    sockaddr_in peer{};
    socklen_t size = sizeof peer;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) != 0) continue;
    if (peer.sin_family != AF_INET || ntohs(peer.sin_port) != port) continue;
    sockaddr_in own{};
    size = sizeof own;
    REQUIRE(::getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) == 0);
    if (found && own.sin_port != here) return std::nullopt;
    here = own.sin_port;
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
