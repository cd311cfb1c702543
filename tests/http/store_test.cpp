#include "http/answer_store.hpp"

#include <catch2/catch.hpp>

#include <filesystem>

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

TEST_CASE("a stored response has the flag whether its end was known; without it, it was not") {
  Folder folder;
  Response cut = answered();
  cut.is_end_known = false;
  {
    AnswerStore store(folder.file(), {});
    store.put({}, asked(), answered());
    store.put({}, asked("http://h/2"), cut);
    CHECK(store.find({}, asked())->is_end_known);
    CHECK_FALSE(store.find({}, asked("http://h/2"))->is_end_known);
  }
  folder.change("ALTER TABLE answer DROP COLUMN is_end_known");
  {
    // As a recording there is nobody to ask: it is replayed as it was taken.
    const auto recording = AnswerStore::look_at(folder.file(), folder.logger());
    CHECK(recording->find({}, asked())->is_end_known);
    REQUIRE(folder.log.size() == 1);
    CHECK_THAT(folder.log[0], Contains("older version"));
  }
  AnswerStore store(folder.file(), {});
  CHECK_FALSE(store.find({}, asked())->is_end_known);
  store.put({}, asked(), answered());
  CHECK(store.find({}, asked())->is_end_known);
}

TEST_CASE("a stored answer that is damaged is dropped with a warning") {
  for (const char* damage : {"UPDATE answer SET body = x'00112233'", "UPDATE answer SET size = 7",
                             "UPDATE answer SET size = 1 << 61", "UPDATE answer SET body = NULL",
                             "UPDATE answer SET size = -1"}) {
    INFO(damage);
    Folder folder;
    AnswerStore(folder.file(), {}).put({"s", 3}, asked(), answered());
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

TEST_CASE("a file that is no recording is not replayed") {
  Folder folder;
  CHECK_THROWS_WITH(AnswerStore::look_at(folder.file(), {}), Contains("answers.db"));
  folder.change("CREATE TABLE other(x)");
  CHECK_THROWS_WITH(AnswerStore::look_at(folder.file(), {}), Contains("no recorded answers"));
}
