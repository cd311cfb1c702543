#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "log_file.hpp"
#include "qsohost/error.hpp"

using namespace qsohost;
using namespace qsohost::cli;

namespace {

struct Folder {
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "qsohost-log-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path path;
};

}  // namespace

TEST_CASE("a message is one line") {
  CHECK(on_one_line("a\tb\nc\r\x1b[31m\x7f") == "a\\tb\\nc\\u000d\\u001b[31m\\u007f");
  CHECK(on_one_line("\xc2\x9b"
                    "1m") == "\\u009b1m");                       // a control character in UTF-8
  CHECK(on_one_line("\xc3\xa9\xc2\xb5") == "\xc3\xa9\xc2\xb5");  // letters stay
  CHECK(on_one_line(std::string(1, '\0')) == "\\u0000");
}

TEST_CASE("a log file that has become large is put aside, and three are kept") {
  const Folder folder;
  const std::string line(1 << 20, 'x');
  {
    LogFile log(folder.path / "run.log", LogLevel::Info);
    for (int i = 0; i < 80; ++i) log.write(LogLevel::Info, line);
  }
  for (const char* name : {"run.log", "run.1.log", "run.2.log", "run.3.log"}) {
    INFO(name);
    REQUIRE(std::filesystem::exists(folder.path / name));
    CHECK(std::filesystem::file_size(folder.path / name) <= (17U << 20));
  }
  CHECK_FALSE(std::filesystem::exists(folder.path / "run.4.log"));
}

TEST_CASE("levels below the least are left out, and lines are added to what is there") {
  const Folder folder;
  for (int i = 0; i < 2; ++i) {
    LogFile log(folder.path / "run.log", LogLevel::Warning);
    log.write(LogLevel::Info, "not this");
    log.write(LogLevel::Error, "but this");
  }
  std::ifstream in(folder.path / "run.log");
  int lines = 0;
  for (std::string line; std::getline(in, line); ++lines) {
    CHECK_THAT(line, Catch::EndsWith("Z error but this"));
  }
  CHECK(lines == 2);
  CHECK_THROWS_AS(LogFile(folder.path / "run.log/x.log", LogLevel::Info), UsageError);
}
