#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "bad_plugins.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/loader.hpp"

namespace fs = std::filesystem;
using Catch::Contains;
using qsohost::Plugins;

namespace {

std::string why_refused(const fs::path& file) {
  Plugins plugins;
  plugins.add_file(file);
  CHECK(plugins.offers().empty());
  REQUIRE(plugins.refusals().size() == 1);
  return plugins.refusals().front().reason;
}

class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (fs::temp_directory_path() / "qsohost-loader-XXXXXX").string();
    path = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() { fs::remove_all(path); }
  fs::path path;
};

}  // namespace

TEST_CASE("each kind of bad plugin is refused with its reason") {
  CHECK_THAT(why_refused(bad_plugin("other_api")), Contains("not binary compatible") &&
                                                       Contains("API number") && Contains("99") &&
                                                       Contains("rebuild the plugin"));
  CHECK_THAT(why_refused(bad_plugin("no_note")),
             Contains("not a plugin") && Contains("no qsohost note"));
  CHECK_THAT(why_refused(bad_plugin("wrong_magic")), Contains("magic word"));
  CHECK_THAT(why_refused(bad_plugin("short_note")), Contains("its note has 24 bytes"));
  CHECK_THAT(why_refused(bad_plugin("no_table")), Contains("no symbol 'qsohost_plugin'"));
  CHECK_THAT(why_refused(bad_plugin("short_table")), Contains("its table is too short"));
  CHECK_THAT(why_refused(bad_plugin("undefined_symbol")),
             Contains("undefined symbol: spline_of_another_library(double)"));
  CHECK_THAT(why_refused(bad_plugin("debug_containers")),
             Contains("debug containers") && Contains("yes") && Contains("layout"));
  CHECK_THAT(why_refused(bad_plugin("old_strings")), Contains("C++11 strings"));
  // What it throws passes through dlopen() or not, depending on how the host was compiled.
  CHECK_THAT(why_refused(bad_plugin("throwing_static")),
             (Contains("crashes as it is loaded (Aborted)") && Contains("initialiser")) ||
                 Contains("too early"));
  CHECK_THAT(why_refused(bad_plugin("crashing_static")),
             Contains("crashes as it is loaded (Segmentation fault)"));
  CHECK_THAT(why_refused(bad_plugin_folder() / "nowhere.so"), Contains("no such file"));
}

TEST_CASE("a plugin of another build is refused with both sides in two columns") {
  const std::string api = why_refused(bad_plugin("other_api"));
  CHECK_THAT(api, Catch::Matches("not binary compatible with this host\n"
                                 " +plugin +host *\n"
                                 " +API number +99 +[0-9]+ *\n"
                                 "  rebuild the plugin against this host's headers[^\n]*"));
  CHECK_THAT(why_refused(bad_plugin("older_api")),
             Catch::Matches("[^\n]*\n +plugin +host *\n +API number +2 +3 *\n"
                            "  rebuild the plugin against this host's headers[^\n]*"));
  const std::string debug = why_refused(bad_plugin("debug_containers"));
  CHECK_THAT(debug, Catch::Matches("[^\n]*\n +plugin +host *\n"
                                   " +debug containers +yes +no *\n"
                                   " +layout +[0-9a-f]{16} +[0-9a-f]{16} *\n"
                                   "(?:.|\n)*rebuild the plugin(?:.|\n)*"));
  const std::string strings = why_refused(bad_plugin("old_strings"));
  CHECK_THAT(strings, Contains("C++11 strings        no                   yes"));
}

TEST_CASE("a plugin of a folder that crashes as it is loaded is refused when it is needed") {
  Plugins plugins;
  plugins.add_folder(bad_plugin_folder() / "crashing_static");
  REQUIRE(plugins.find("static") != nullptr);
  CHECK_THROWS_WITH(plugins.create("static"),
                    Contains("crashing_static.so") && Contains("Segmentation fault"));
  CHECK_THROWS_WITH(plugins.create("static"), Contains("no stage 'static'") &&
                                                  Contains("refused") &&
                                                  Contains("crashing_static.so"));
}

TEST_CASE("a truncated plugin is refused at any length") {
  const TemporaryFolder folder;
  const fs::path copy = folder.path / "cut.so";
  const auto whole = fs::file_size(bad_plugin("good"));
  for (const std::uintmax_t keep :
       {whole - 1, whole / 2, std::uintmax_t{4096}, std::uintmax_t{100}, std::uintmax_t{10}}) {
    fs::copy_file(bad_plugin("good"), copy, fs::copy_options::overwrite_existing);
    fs::resize_file(copy, keep);
    INFO("cut to " << keep << " of " << whole << " bytes");
    CHECK_THAT(why_refused(copy), Contains("truncated"));
  }
  fs::resize_file(copy, 0);
  CHECK_THAT(why_refused(copy), Contains("not a shared object"));
  std::ofstream(copy) << "#!/bin/sh\necho no plugin\n";
  CHECK_THAT(why_refused(copy), Contains("not a shared object"));
}

TEST_CASE("a bad plugin does not keep the others from loading") {
  Plugins plugins;
  for (const char* name : {"other_api", "no_note", "undefined_symbol", "good"}) {
    plugins.add_file(bad_plugin(name));
  }
  CHECK(plugins.refusals().size() == 3);
  REQUIRE(plugins.find("plain") != nullptr);
  const qsohost::StagePtr stage = plugins.create("plain");
  CHECK(stage->options().empty());
  CHECK(plugins.find("plain")->plugin == "good");
}

TEST_CASE("a stage that two plugins offer is an error that names both") {
  Plugins plugins;
  plugins.add_file(bad_plugin("good"));
  plugins.add_file(bad_plugin("same_stage"));
  CHECK_THROWS_WITH(plugins.create("plain"), Contains("good.so") && Contains("same_stage.so"));
}

TEST_CASE("the first file of a name in the search path is used") {
  const TemporaryFolder folder;
  const fs::path copy = folder.path / "good.so";
  fs::copy_file(bad_plugin("no_note"), copy);
  Plugins plugins;
  plugins.add_file(copy);
  plugins.add_file(bad_plugin("good"));
  CHECK(plugins.find("plain") == nullptr);
}

TEST_CASE("a plugin version that is not used is reported, a copy of the same file is not") {
  const fs::path newer = fs::path(QSOHOST_BAD_PLUGINS) / "newer/good.so";
  const fs::path good = bad_plugin("good");
  Plugins plugins;
  plugins.add_file(newer);
  plugins.add_file(newer.parent_path() / "../newer/good.so");
  CHECK(plugins.hidden().empty());
  plugins.add_file(good);
  plugins.add_folder(good.parent_path());
  REQUIRE(plugins.hidden().size() == 1);
  CHECK(plugins.hidden()[0].file == good);
  CHECK(plugins.hidden()[0].taken == newer);
  CHECK(plugins.hidden()[0].version != plugins.find("plain")->version);
  CHECK(plugins.find("plain")->version == "9.0.0");
}

TEST_CASE("constructors that throw are reported with their messages") {
  Plugins plugins;
  plugins.add_file(bad_plugin("throwing_create"));
  CHECK_THROWS_WITH(plugins.create("throws"), Contains("no licence file"));
  CHECK_THROWS_WITH(plugins.create("throws-number"), Contains("no std::exception"));
}

TEST_CASE("options of one name, or with a default outside their limits, refuse the plugin") {
  const auto [stage, words] = GENERATE(table<std::string, std::string>({
      {"twice", "two options are called 'radius'"},
      {"beyond-limit", "option 'radius': its default must be at most 3, not 5"},
      {"no-choice", "option 'mode': its default must be one of \"slow\", not \"fast\""},
      {"no-url", "option 'url': its default wants a URL"},
      {"nothing-fits", "option 'radius': its default has limits that nothing satisfies, 3 .. 1"},
      {"in-tables", "option 'band': in its tables, option 'width': its default must be at least 1"},
  }));
  Plugins plugins;
  plugins.add_file(bad_plugin("faulty_options"));
  CHECK_THROWS_WITH(plugins.create(stage), Contains("a fault of plugin faulty-options 1.2.0") &&
                                               Contains("stage '" + stage + "'") &&
                                               Contains(words));
}

TEST_CASE("an unknown stage is answered with what was searched and the nearest names") {
  Plugins plugins;
  plugins.add_file(bad_plugin("good"));
  plugins.add_file(bad_plugin("no_note"));
  plugins.add_folder(bad_plugin_folder() / "not-there");
  CHECK_THROWS_WITH(plugins.create("plian"), Contains("did you mean 'plain'?") &&
                                                 Contains("not-there (not there)") &&
                                                 Contains("refused") && Contains("no_note.so"));
}

TEST_CASE("folders where others may write are refused") {
  const TemporaryFolder folder;
  fs::copy_file(bad_plugin("good"), folder.path / "good.so");
  fs::permissions(folder.path, fs::perms::all);
  Plugins plugins;
  plugins.add_folder(folder.path);
  CHECK(plugins.offers().empty());
  REQUIRE(plugins.refusals().size() == 1);
  CHECK_THAT(plugins.refusals().front().reason, Contains("others may write to the folder"));
  CHECK_THAT(why_refused(folder.path / "good.so"), Contains("others may write to the folder"));
}

TEST_CASE("probing finds what the note does not show") {
  Plugins plugins;
  plugins.add_folder(bad_plugin_folder() / "undefined_symbol");
  plugins.add_folder(bad_plugin_folder() / "throwing_static");
  CHECK(plugins.refusals().empty());
  plugins.probe_all();
  CHECK(plugins.refusals().size() == 2);
  CHECK(plugins.offers().empty());
}
