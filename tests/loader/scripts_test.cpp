#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "bad_plugins.hpp"
#include "qsohost/host/loader.hpp"

namespace fs = std::filesystem;
using Catch::Contains;
using Catch::StartsWith;
using qsohost::Plugins;

namespace {

// A folder of plugins with the reader `reader` of .lines files, and scripts beside it.
class Scripts {
 public:
  explicit Scripts(const std::string& reader) : path_(folder_) {
    fs::create_directory(folder_ / "scripts");
    fs::copy_file(bad_plugin(reader), folder_ / "scripts" / "lines.so");
  }
  ~Scripts() { fs::remove_all(folder_); }
  Scripts(const Scripts&) = delete;
  Scripts& operator=(const Scripts&) = delete;

  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  std::string why_refused(const std::string& name, const std::string& text) const {
    Plugins plugins;
    plugins.add_file(write(name, text));
    CHECK(plugins.offers().empty());
    REQUIRE(plugins.refusals().size() == 1);
    return plugins.refusals().front().reason;
  }
  const fs::path& folder() const { return folder_; }

 private:
  static fs::path made() {
    std::string pattern = (fs::temp_directory_path() / "qsohost-scripts-XXXXXX").string();
    return ::mkdtemp(pattern.data());
  }
  fs::path folder_ = made();
  PluginPath path_;
};

}  // namespace

TEST_CASE("a script offers its stages by the reader of its language") {
  const Scripts scripts("lines");
  Plugins plugins;
  plugins.add_file(scripts.write("mine.lines", "one\ntwo\nbroken\n"));
  CHECK(plugins.refusals().empty());
  const qsohost::StageOffer* offer = plugins.find("two");
  REQUIRE(offer != nullptr);
  CHECK(offer->plugin == "mine");
  CHECK(offer->version == "7");
  CHECK(offer->role == qsohost::Role::Filter);
  CHECK(plugins.create("two") != nullptr);
  CHECK_THROWS_WITH(plugins.create("broken"), Contains("mine.lines") && Contains("it is broken"));

  plugins.add_file(scripts.write("other.lines", "one\n"));
  CHECK_THROWS_WITH(plugins.create("one"),
                    Contains("offered by two plugins") && Contains("other.lines"));
}

TEST_CASE("the folder of readers holds no plugins of its own") {
  const Scripts scripts("lines");
  Plugins plugins;
  plugins.add_folder(scripts.folder());
  CHECK(plugins.offers().empty());
  CHECK(plugins.refusals().empty());
  plugins.add_file(scripts.folder() / "scripts" / "lines.so");
  CHECK_THAT(plugins.refusals().at(0).reason, StartsWith("it offers no stage"));
}

TEST_CASE("a script that cannot be used is refused with its reason") {
  const Scripts scripts("lines");
  CHECK_THAT(scripts.why_refused("wrong.lines", "!\n"), Contains("wrong.lines:1:1: not a name"));
  CHECK_THAT(scripts.why_refused("empty.lines", ""), StartsWith("it offers no stage"));
  CHECK_THAT(scripts.why_refused("mine.jl", "x"),
             Contains("no reader of .jl files") && Contains(scripts.folder().string()));
  const fs::path open_to_all = scripts.write("open.lines", "one\n");
  ::chmod(open_to_all.c_str(), 0666);
  CHECK_THAT(scripts.why_refused("open.lines", "one\n"), Contains("others may write to the file"));
  Plugins plugins;
  plugins.add_file(scripts.folder() / "nowhere.lines");
  CHECK_THAT(plugins.refusals().at(0).reason, Contains("no such file"));
}

TEST_CASE("a reader that was built for another host is refused before it is loaded") {
  CHECK_THAT(Scripts("older_api").why_refused("mine.lines", "one\n"),
             Contains("scripts/lines.so") && Contains("API number"));
  CHECK_THAT(Scripts("no_note").why_refused("mine.lines", "one\n"), Contains("no qsohost note"));
  CHECK_THAT(Scripts("good").why_refused("mine.lines", "one\n"),
             Contains("no symbol 'qsohost_script_reader'"));
}
