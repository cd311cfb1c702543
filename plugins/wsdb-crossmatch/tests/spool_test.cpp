// What a spool keeps, whatever happens to its files.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <qsohost/error.hpp>

#include "spool.hpp"

using Catch::Contains;
using wsdb::Spool;

namespace {

namespace fs = std::filesystem;

struct Folder {
  Folder() {
    std::string name = (fs::temp_directory_path() / "qso-spool-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  fs::path part() const { return path / "match.part"; }
  fs::path copy() const { return path / "match.copy"; }
  fs::path path;
};

struct Warnings {
  std::vector<std::string> said;
  Spool::Settings settings(const fs::path& folder) {
    return {folder, "match", "left = \"a\"", [] { return false; },
            [this](const std::string& message) { said.push_back(message); }};
  }
};

const wsdb::MatchPlan kPlan{"SELECT 1", {}};

// Rows from a server, different for another `seed`.
std::string answer_of(unsigned seed, std::size_t size) {
  std::string text;
  for (unsigned x = seed; text.size() < size; x = x * 1664525 + 1013904223) {
    text += static_cast<char>(x >> 24);
  }
  return text;
}

const std::string kAnswer = answer_of(1, 100000);

// In pieces, like network packets.
void receive(Spool& spool, std::string_view answer, std::size_t piece) {
  spool.start_over();
  for (std::size_t at = 0; at < answer.size(); at += piece) spool.add(answer.substr(at, piece));
}

std::string read_all(Spool& spool) {
  std::string out;
  while (spool.read(out)) {
  }
  return out;
}

// A program that ends, perhaps by a signal, after receiving this much and passing it on.
void receive_part(const Folder& folder, std::size_t size) {
  Warnings warnings;
  Spool spool(warnings.settings(folder.path));
  spool.begin(kPlan);
  receive(spool, std::string_view(kAnswer).substr(0, size), 7000);
  std::string out;
  while (out.size() < size) spool.read(out);
  CHECK(warnings.said.empty());
}

void receive_whole(const Folder& folder) {
  Warnings warnings;
  Spool spool(warnings.settings(folder.path));
  spool.begin(kPlan);
  receive(spool, kAnswer, 7000);
  spool.complete();
  CHECK(read_all(spool) == kAnswer);
}

void overwrite(const fs::path& file, std::uint64_t offset, const std::string& bytes) {
  std::fstream out(file, std::ios::in | std::ios::out | std::ios::binary);
  out.seekp(static_cast<std::streamoff>(offset));
  out << bytes;
  REQUIRE(out.flush());
}

// Resumes with the stored part; the same rows arrive in other pieces.
void go_on(const Folder& folder, std::size_t warnings_expected) {
  Warnings warnings;
  Spool spool(warnings.settings(folder.path));
  REQUIRE_FALSE(spool.is_complete());
  spool.begin(kPlan);
  receive(spool, kAnswer, 1111);
  spool.complete();
  CHECK(read_all(spool) == kAnswer);
  REQUIRE(warnings.said.size() == warnings_expected);
  if (warnings_expected > 0) CHECK_THAT(warnings.said[0], Contains("match.part"));
}

}  // namespace

TEST_CASE("what was received is kept, and the same rows may come in other pieces") {
  const Folder folder;
  receive_part(folder, 60000);
  go_on(folder, 0);
}

TEST_CASE("a spool with a damaged tail is cut back and received again from there") {
  const Folder folder;
  receive_part(folder, 60000);
  const std::uint64_t size = fs::file_size(folder.part());
  SECTION("zeros at its end") {
    overwrite(folder.part(), size - 9000, std::string(9000, '\0'));
  }
  SECTION("zeros behind its end") {
    fs::resize_file(folder.part(), size + 100000);
  }
  SECTION("a hole") {
    overwrite(folder.part(), 30000, std::string(4096, '\0'));
  }
  SECTION("one wrong byte") {
    overwrite(folder.part(), 30000, "x");
    overwrite(folder.part(), 30001, "y");
  }
  SECTION("cut in a record") {
    fs::resize_file(folder.part(), size - 100);
  }
  SECTION("cut in the head of a record") {
    fs::resize_file(folder.part(), 7016 + 9);
  }
  SECTION("a length beyond all measure") {
    overwrite(folder.part(), 7016, std::string(8, '\x7f'));
  }
  SECTION("zeros all over") {
    overwrite(folder.part(), 0, std::string(size, '\0'));
  }
  go_on(folder, 1);
}

TEST_CASE("what was good before the damage still has to come again") {
  const Folder folder;
  receive_part(folder, 60000);
  overwrite(folder.part(), 50000, std::string(4096, '\0'));
  Warnings warnings;
  Spool spool(warnings.settings(folder.path));
  spool.begin(kPlan);
  std::string other = kAnswer;
  other[40000] = static_cast<char>(other[40000] + 1);
  CHECK_THROWS_WITH(receive(spool, other, 7000), Contains("other rows"));
  spool.start_over();
  spool.add(std::string_view(kAnswer).substr(0, 100));
  CHECK_THROWS_WITH(spool.complete(), Contains("other rows"));  // a shorter result
}

TEST_CASE("a whole answer is not asked for again, a damaged one is") {
  const Folder folder;
  receive_whole(folder);
  {
    Warnings warnings;
    Spool spool(warnings.settings(folder.path));
    CHECK(spool.is_complete());
    CHECK(read_all(spool) == kAnswer);
    std::string rest;
    CHECK_FALSE(spool.read(rest));
  }
  const std::uint64_t size = fs::file_size(folder.copy());
  SECTION("cut") {
    fs::resize_file(folder.copy(), size / 2);
  }
  SECTION("zeros at its end") {
    overwrite(folder.copy(), size - 5000, std::string(5000, '\0'));
  }
  go_on(folder, 1);
}

TEST_CASE("a whole answer without the mark at its end counts as a part") {
  const Folder folder;
  receive_whole(folder);
  fs::resize_file(folder.copy(), fs::file_size(folder.copy()) - 16);
  go_on(folder, 0);  // all remaining bytes are intact
}

TEST_CASE("an answer that was whole but had not got its name yet") {
  const Folder folder;
  receive_whole(folder);
  fs::rename(folder.copy(), folder.part());
  go_on(folder, 0);
}

TEST_CASE("who wants to stop waits neither for rows nor for the check of old ones") {
  const Folder folder;
  receive_whole(folder);
  Warnings warnings;
  auto settings = warnings.settings(folder.path);
  settings.stop = [] { return true; };
  CHECK_THROWS_AS(Spool(settings), qsohost::TryAgain);
  settings.folder.clear();
  Spool spool(settings);
  spool.begin(kPlan);
  std::string out;
  CHECK_THROWS_AS(spool.read(out), qsohost::TryAgain);
}

TEST_CASE("an error is told behind the rows that came before it") {
  Warnings warnings;
  Spool spool(warnings.settings({}));
  spool.begin(kPlan);
  receive(spool, kAnswer, 7000);
  spool.fail(std::make_exception_ptr(qsohost::RunError("no more")));
  std::string out;
  while (out.size() < kAnswer.size()) REQUIRE(spool.read(out));
  CHECK(out == kAnswer);
  CHECK_THROWS_WITH(spool.read(out), "no more");
}
