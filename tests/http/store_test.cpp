#include "http/answer_store.hpp"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/sqlite.hpp"
#include "qsohost/error.hpp"

using namespace qsohost;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  std::vector<std::string> log;

  Folder() {
    std::string pattern = (fs::temp_directory_path() / "qsohost-store-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
  }
  ~Folder() { fs::remove_all(path); }
  fs::path file() const { return path / "answers.db"; }
  AnswerStore::Log logger() {
    return [this](LogLevel, const std::string& text) { log.push_back(text); };
  }
  void change(const std::string& sql) const {
    SQLite::Database(file().string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE).exec(sql);
  }
  std::int64_t number(const std::string& sql) const {
    return SQLite::Database(file().string()).execAndGet(sql).getInt64();
  }
  std::string bytes() const {
    std::ifstream in(file());
    return {std::istreambuf_iterator<char>(in), {}};
  }
};

Request asked(const std::string& url = "http://h/1") {
  Request request;
  request.url = url;
  return request;
}

Response answered() {
  Response response;
  response.status = 200;
  response.url = "http://h/1";
  response.body = "mjd,mag\n58000.5,18\n";
  return response;
}

}  // namespace

TEST_CASE("five headers of a response are stored, and no cookie") {
  Folder folder;
  Response response = answered();
  response.headers = {{"Content-Type", "text/csv"},
                      {"Set-Cookie", "session=secret"},
                      {"DATE", "Sun, 06 Nov 1994 08:49:37 GMT"},
                      {"X-Token", "secret"},
                      {"Location", "/x"},
                      {"Retry-After", "3"},
                      {"Content-Length", "20"}};
  AnswerStore store(folder.file(), {});
  store.put({}, asked(), response);
  const auto found = store.find({}, asked());
  REQUIRE(found);
  CHECK(found->headers.size() == 5);
  CHECK(found->header("Content-Type") == "text/csv");
  CHECK(found->header("Date") == "Sun, 06 Nov 1994 08:49:37 GMT");
  CHECK(found->header("Set-Cookie").empty());
  CHECK(found->header("X-Token").empty());
}

TEST_CASE("a stored response has the flag whether its end was known") {
  Folder folder;
  Response cut = answered();
  cut.is_end_known = false;
  const auto store = AnswerStore::record(folder.file(), {});
  store->put({}, asked(), answered());
  store->put({}, asked("http://h/2"), cut);
  CHECK(store->find({}, asked())->is_end_known);
  CHECK_FALSE(store->find({}, asked("http://h/2"))->is_end_known);
}

TEST_CASE("a stored answer that is damaged is dropped with a warning") {
  for (const char* damage : {"UPDATE answer SET body = x'00112233'", "UPDATE answer SET size = 7",
                             "UPDATE answer SET size = 1 << 61", "UPDATE answer SET body = NULL",
                             "UPDATE answer SET size = -1"}) {
    INFO(damage);
    Folder folder;
    AnswerStore::record(folder.file(), {})->put({"s", 3}, asked(), answered());
    folder.change(damage);
    {
      const auto recording = AnswerStore::look_at(folder.file(), {});
      CHECK_THROWS_WITH(recording->find({"s", 3}, asked()),
                        Contains("GET http://h/1 is damaged") && Contains("--record"));
    }
    AnswerStore store(folder.file(), folder.logger());
    CHECK_FALSE(store.find({"s", 3}, asked()));
    CHECK(store.count({"s", 3}) == 0);
    REQUIRE(folder.log.size() == 1);
    CHECK_THAT(folder.log[0],
               Contains("answers.db") && Contains("is damaged; the archive is asked"));
  }
}

TEST_CASE("all answers can be dropped at once") {
  Folder folder;
  AnswerStore store(folder.file(), {});
  store.put({"a", 1}, asked(), answered());
  store.put({"b", 2}, asked(), answered());
  store.drop_all();
  CHECK(store.ordinals().empty());
}

namespace {

// What reading and adding to the file say; neither changes it.
void refused(Folder& folder, const std::string& words) {
  const std::string before = folder.bytes();
  CHECK_THROWS_WITH(AnswerStore::look_at(folder.file(), {}),
                    Contains("answers.db") && Contains(words));
  CHECK_THROWS_WITH(AnswerStore::record(folder.file(), {}),
                    Contains("answers.db") && Contains(words));
  CHECK(folder.bytes() == before);
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

}  // namespace

TEST_CASE("a recording is marked, and goes on being recorded") {
  Folder folder;
  const std::string second = "http://h/2";
  AnswerStore::record(folder.file(), {})->put({}, asked(), answered());
  AnswerStore::record(folder.file(), {})->put({}, asked(second), answered());
  CHECK(folder.number("PRAGMA application_id") == 0x51534f41);
  CHECK(folder.number("PRAGMA user_version") == 1);
  CHECK(AnswerStore::look_at(folder.file(), {})->find({}, asked()));
  CHECK(AnswerStore::look_at(folder.file(), {})->find({}, asked(second)));
}

TEST_CASE("an empty file becomes a recording, and is none to replay") {
  Folder folder;
  std::ofstream(folder.file()).close();
  CHECK_THROWS_WITH(AnswerStore::look_at(folder.file(), {}), Contains("is empty"));
  AnswerStore::record(folder.file(), {});
  CHECK(AnswerStore::look_at(folder.file(), {})->count({}) == 0);
}

TEST_CASE("what is no recording of this version is neither replayed nor changed") {
  Folder folder;
  CHECK_THROWS_WITH(AnswerStore::look_at(folder.file(), {}), Contains("no such recording"));
  SECTION("another program's") {
    folder.change("CREATE TABLE answer(question, text)");
    refused(folder, "another program");
    folder.change("PRAGMA application_id=1196444487");  // a GeoPackage
    refused(folder, "another program");
  }
  SECTION("a ledger") {
    folder.change(
        "CREATE TABLE meta(key); PRAGMA application_id=0x51534f48; PRAGMA user_version=4");
    refused(folder, "another program");
  }
  SECTION("a newer one") {
    AnswerStore::record(folder.file(), {});
    folder.change("PRAGMA journal_mode=DELETE; PRAGMA user_version=2");
    refused(folder, "a newer version of qsohost (format 2, and this one knows 1)");
  }
  SECTION("one without its table") {
    AnswerStore::record(folder.file(), {});
    folder.change("PRAGMA journal_mode=DELETE; DROP TABLE answer");
    refused(folder, "damaged, or no SQLite database (no such table: answer");
  }
  SECTION("no database") {
    std::ofstream(folder.file()) << std::string(5000, 'x');
    refused(folder, "damaged, or no SQLite database");
  }
}

TEST_CASE("what is no file in the place of a recording is named, and not waited for") {
  Folder folder;
  std::string what = "a directory";
  SECTION("a folder") {
    std::filesystem::create_directory(folder.file());
  }
  SECTION("a named pipe") {
    what = "a device or named pipe";
    REQUIRE(::mkfifo(folder.file().c_str(), 0600) == 0);
  }
  const auto words = Contains("answers.db: " + what + ", where a file must be; move it away");
  CHECK_THROWS_WITH(AnswerStore::look_at(folder.file(), {}), words);
  CHECK_THROWS_WITH(AnswerStore::record(folder.file(), {}), words);
}

TEST_CASE("a damaged recording is not added to") {
  Folder folder;
  {
    const auto store = AnswerStore::record(folder.file(), {});
    Response large = answered();
    for (int i = 0; i < 20'000; ++i) large.body += std::to_string(i * i % 9973);
    store->put({}, asked(), large);
  }
  folder.change("PRAGMA journal_mode=DELETE");
  std::fstream(folder.file()).seekp(8192) << std::string(4096, 'x');
  const std::string before = folder.bytes();
  CHECK_THROWS_WITH(AnswerStore::record(folder.file(), {}), Contains("is damaged"));
  CHECK(folder.bytes() == before);
}

TEST_CASE("a recording of an earlier version, without a mark, is replayed and not added to") {
  Folder folder;
  AnswerStore::record(folder.file(), {})->put({}, asked(), answered());
  folder.change("PRAGMA journal_mode=DELETE; PRAGMA application_id=0; PRAGMA user_version=0");
  CHECK(AnswerStore::look_at(folder.file(), folder.logger())->find({}, asked())->is_end_known);
  CHECK(folder.log.empty());
  const std::string before = folder.bytes();
  CHECK_THROWS_WITH(AnswerStore::record(folder.file(), {}),
                    Contains("can be replayed, but not added to; name another folder"));
  CHECK(folder.bytes() == before);

  // Still earlier ones do not say whether the end of a response was known.
  folder.change("UPDATE answer SET is_end_known=0; ALTER TABLE answer DROP COLUMN is_end_known");
  CHECK(AnswerStore::look_at(folder.file(), folder.logger())->find({}, asked())->is_end_known);
  REQUIRE(folder.log.size() == 1);
  CHECK_THAT(folder.log[0], Contains("older version"));
}
