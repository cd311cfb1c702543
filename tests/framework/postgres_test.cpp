// Without a server: names, connection strings, and streams as a server would send them.
#include "qsohost/postgres.hpp"

#include <dlfcn.h>
#include <sys/prctl.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <string>

using namespace qsohost;
using Catch::Contains;

namespace {

// A stream written number by number, highest byte first.
struct Stream {
  std::string bytes{std::string("PGCOPY\n\377\r\n\0", 11) + std::string(8, '\0')};
  template <class T>
  Stream& put(T value) {
    for (int shift = 8 * (sizeof(T) - 1); shift >= 0; shift -= 8) {
      bytes += static_cast<char>((static_cast<std::uint64_t>(value) >> shift) & 0xff);
    }
    return *this;
  }
  Stream& row(int fields) { return put(static_cast<std::int16_t>(fields)); }
  Stream& null() { return put(std::int32_t{-1}); }
  Stream& text(std::string_view value) {
    put(static_cast<std::int32_t>(value.size()));
    bytes += value;
    return *this;
  }
  // A double by its bits.
  Stream& number(std::uint64_t bits) { return put(std::int32_t{8}).put(bits); }
  Stream& array(int n) {  // of 8-byte elements, none of them null
    put(std::int32_t{20 + 12 * n}).put(std::int32_t{1}).put(std::int32_t{0}).put(std::int32_t{701});
    return put(std::int32_t{n}).put(std::int32_t{1});
  }
};

PgColumn column(std::string name, DType type, PgShape shape = PgShape::Scalar,
                std::size_t width = 1) {
  PgColumn out;
  out.info.name = std::move(name);
  out.info.dtype = type;
  out.info.width = width;
  out.shape = shape;
  return out;
}

// Gives the stream in pieces of `piece` bytes.
PgCopyReader reader(std::vector<PgColumn> columns, std::string bytes, std::size_t piece = 7) {
  return {std::move(columns),
          [bytes = std::move(bytes), piece, at = std::size_t{0}](std::string& buffer) mutable {
            if (at >= bytes.size()) return false;
            buffer += bytes.substr(at, piece);
            at += piece;
            return true;
          }};
}

constexpr std::uint64_t kNan = 0x7ff8000000000000;
constexpr std::uint64_t kOne = 0x3ff0000000000000;

}  // namespace

TEST_CASE("NULL and NaN are kept apart, rows are found however the stream is cut") {
  Stream s;
  s.row(2).number(kNan).text("one  ");
  s.row(2).null().null();
  s.row(2).number(kOne).text("");
  s.row(-1);
  auto padded = column("c", DType::String);
  padded.is_padded = true;
  for (const std::size_t piece : {1u, 7u, 1000u}) {
    auto rows = reader({column("x", DType::F64), padded}, s.bytes, piece);
    const auto first = rows.next(2);
    REQUIRE(first[0].values.size() == 2);
    CHECK(std::isnan(first[0].values.values<double>()[0]));
    CHECK_FALSE(first[0].values.is_null(0));
    CHECK(first[0].values.is_null(1));
    CHECK(first[1].values.strings()[0] == "one");
    CHECK(first[1].values.is_null(1));
    const auto rest = rows.next(2);
    CHECK(rest[0].values.size() == 1);
    CHECK(rest[0].values.values<double>()[0] == 1);
    CHECK(rows.next(2)[0].values.size() == 0);
  }
}

TEST_CASE("the least integer of a type is a value, beside NULL") {
  constexpr std::int16_t kLeast16 = std::numeric_limits<std::int16_t>::min();
  constexpr std::int64_t kLeast64 = std::numeric_limits<std::int64_t>::min();
  Stream s;
  s.row(2).put(std::int32_t{2}).put(kLeast16).put(std::int32_t{8}).put(kLeast64);
  s.row(2).null().null();
  s.row(-1);
  const auto cells = reader({column("i2", DType::I16), column("i8", DType::I64)}, s.bytes).next(9);
  CHECK(cells[0].values.values<std::int16_t>()[0] == kLeast16);
  CHECK(cells[1].values.values<std::int64_t>()[0] == kLeast64);
  for (const PgCells& c : cells) {
    CHECK_FALSE(c.values.is_null(0));
    CHECK(c.values.is_null(1));
  }
}

TEST_CASE("arrays of any length come with their lengths, fixed ones must fit") {
  Stream s;
  s.row(1).array(2).number(kOne).number(kNan);
  s.row(1).null();
  s.row(1).array(1).number(kOne);
  s.row(-1);
  const auto cells = reader({column("a", DType::F64, PgShape::Varying)}, s.bytes).next(9);
  CHECK(cells[0].lengths == std::vector<std::uint64_t>{2, 0, 1});
  CHECK(cells[0].values.size() == 3);
  auto fixed = reader({column("a", DType::F64, PgShape::Fixed, 2)}, s.bytes);
  CHECK(fixed.next(2)[0].values.is_null(3));
  CHECK_THROWS_WITH(fixed.next(1),
                    Contains("row 3") && Contains("column 'a'") && Contains("1 elements"));
}

TEST_CASE("a stream that is cut, or of other columns, is refused") {
  Stream s;
  s.row(1).number(kOne);
  CHECK_THROWS_WITH(reader({column("x", DType::F64)}, s.bytes).next(5), Contains("cut in row 2"));
  CHECK_THROWS_WITH(reader({column("x", DType::F32)}, s.bytes).next(1), Contains("column 'x'"));
  CHECK_THROWS_WITH(reader({}, s.bytes).next(1), Contains("1 columns instead of 0"));
  CHECK_THROWS_WITH(reader({}, "SQLSTATE: something else").next(1), Contains("no binary COPY"));
}

TEST_CASE("names of tables") {
  CHECK(PgTable::parse("Gaia_DR3.Source").sql() == "\"gaia_dr3\".\"source\"");
  CHECK(PgTable::parse("\"My \"\"T\"\".x\"").sql() == "\"My \"\"T\"\".x\"");
  CHECK(PgTable::parse("main").schema.empty());
  for (const char* bad : {"", "a.", "a.b.c", "a; drop table b", "\"open", "a b"}) {
    CHECK_THROWS_AS(PgTable::parse(bad), UsageError);
  }
}

TEST_CASE("a dsn must be one, and hold no password") {
  CHECK_NOTHROW(check_dsn(""));
  CHECK_NOTHROW(check_dsn("wsdb"));
  CHECK_NOTHROW(check_dsn("host=a dbname=b"));
  CHECK_NOTHROW(check_dsn("postgresql://me@host/db"));
  for (const char* bad : {"host=a password=hush", "postgresql://me:hush@host/db",
                          "postgresql://me:hush@host:x:y/db", "password hush"}) {
    CHECK_THROWS_WITH(check_dsn(bad), Contains("dsn") && !Contains("hush"));
  }
}

// With the leak checker of the sanitizers it may: see secrets.cpp.
TEST_CASE("a crash leaves no core file with the password of a database") {
  if (::dlsym(RTLD_DEFAULT, "__asan_init") != nullptr) return;
  ::prctl(PR_SET_DUMPABLE, 1);
  ::setenv("PGPASSWORD", "geheim", 1);
  CHECK_THROWS(PgConnection("host=/nowhere", [] { return false; }));
  ::unsetenv("PGPASSWORD");
  CHECK(::prctl(PR_GET_DUMPABLE) == 0);
  ::prctl(PR_SET_DUMPABLE, 1);
}
