#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <regex>

#include "inspect.hpp"
#include "qsohost/host/chain.hpp"

using namespace qsohost;
using namespace qsohost::cli;
using Catch::Contains;

namespace {

// What is wrong with a chain of these entries, as --check reports it.
std::string problems_of(Plugins& plugins, const std::string& entries) {
  const auto file = std::filesystem::temp_directory_path() /
                    ("qsohost-inspect-" + std::to_string(::getpid()) + ".toml");
  std::ofstream(file) << "[chain]\nname = \"x\"\n" << entries;
  std::vector<Problem> problems;
  Chain::load(file, {}, plugins, problems);
  std::filesystem::remove(file);
  std::string out;
  for (const Problem& p : problems) {
    if (!p.is_warning) out += p.text() + "\n";
  }
  return out;
}

// Optional settings are comments; this makes them count.
std::string with_all_options(const std::string& entry) {
  return std::regex_replace(entry, std::regex("\n# (\\w+ = |\\[\\[)"), "\n$1");
}

}  // namespace

TEST_CASE("what inspect --toml prints is a valid part of a chain", "[inspect]") {
  Plugins plugins;
  plugins.add_standard_folders();
  REQUIRE(plugins.find("catalog-source") != nullptr);
  const std::string source = as_toml(look_at(plugins, "catalog-source"));
  for (const StageOffer& offer : plugins.offers()) {
    const std::string entry = as_toml(look_at(plugins, offer.stage));
    const std::string before = offer.role == Role::Source ? "" : source;
    INFO(entry);
    const std::string problems = problems_of(plugins, before + entry);
    if (offer.stage == "require")  // pointless without an option; it says so
      CHECK_THAT(problems, Contains("require: ") && Contains("groups"));
    else if (offer.stage == "epoch-quality")  // likewise
      CHECK_THAT(problems, Contains("epoch-quality: ") && Contains("time_range"));
    else if (offer.stage == "catalog-join")  // likewise
      CHECK_THAT(problems, Contains("catalog-join: ") && Contains("key"));
    else if (offer.stage == "tap-catalog")  // likewise, and "" is none
      CHECK_THAT(problems, Contains("tap-catalog: ") && Contains("'table'"));
    else
      CHECK(problems.empty());
    if (offer.stage == "tap-catalog") continue;
    CHECK(with_all_options(entry).size() < entry.size());
    CHECK(problems_of(plugins, before + with_all_options(entry)).empty());
  }
}

TEST_CASE("columns that depend on a required option are shown by its name", "[inspect]") {
  Plugins plugins;
  plugins.add_standard_folders();
  REQUIRE(plugins.find("ou-loo") != nullptr);
  const std::string text = as_text(look_at(plugins, "ou-loo"));
  CHECK_THAT(text, Contains("<groups>  <time>") && Contains("ou-loo.<groups>.logD_post"));
  CHECK_THAT(text, Contains("For <groups> put what the option of that name holds"));
  CHECK_THAT(text, Contains("(required)"));
  CHECK_THAT(as_markdown(look_at(plugins, "ou-loo")), Contains("For \\<groups> put"));
}
