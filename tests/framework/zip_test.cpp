// Reading of zip archives: members, damage, and what would expand to any size.
#include "qsohost/io/zip.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

#include "made_zip.hpp"
#include "qsohost/error.hpp"

using namespace qsohost;

TEST_CASE("members of a zip are read whether deflated or stored") {
  for (const bool is_deflated : {true, false}) {
    const std::string text = "solution_id,source_id\n" + std::string(5000, '7');
    const std::string zip = made_zip({{"a b.csv", text}, {"empty.csv", ""}}, is_deflated);
    CHECK(is_zip(zip));
    const ZipArchive archive(zip);
    REQUIRE(archive.members().size() == 2);
    CHECK(archive.members()[0].name == "a b.csv");
    CHECK(archive.read(archive.members()[0]) == text);
    CHECK(archive.read(archive.members()[1]).empty());
  }
}

TEST_CASE("a zip that was cut anywhere is not believed") {
  const std::string zip = made_zip({{"a.csv", "1,2\n3,4\n"}, {"b.csv", "5,6\n"}});
  for (std::size_t size = 0; size < zip.size(); ++size) {
    INFO(size);
    CHECK_THROWS_AS(ZipArchive(std::string_view(zip).substr(0, size)), TryAgain);
  }
}

TEST_CASE("a damaged member is not believed") {
  std::string zip = made_zip({{"a.csv", "1,2\n3,4\n"}}, false);
  zip[zip.find("3,4")] = '9';
  const ZipArchive archive(zip);
  CHECK_THROWS_AS(archive.read(archive.members()[0]), TryAgain);
}

TEST_CASE("a zip that would fill the memory is refused before it is expanded") {
  const std::string zip = made_zip({{"a.csv", std::string(1 << 20, ' ')}});
  CHECK_THROWS_AS(ZipArchive(zip, {.ratio = 100}), BadObject);
  CHECK_THROWS_AS(ZipArchive(zip, {.bytes = 1 << 19}), BadObject);
  CHECK_THROWS_AS(ZipArchive(zip, {.members = 0}), BadObject);
  CHECK_NOTHROW(ZipArchive(zip));
}

TEST_CASE("a member that is longer than announced is damaged") {
  std::string zip = made_zip({{"a.csv", std::string(1000, 'x')}});
  const std::size_t entry = zip.rfind("PK\x01\x02");
  zip[entry + 24] = 10;  // its size, expanded
  zip[entry + 25] = 0;
  const ZipArchive archive(zip);
  CHECK_THROWS_AS(archive.read(archive.members()[0]), TryAgain);
}

TEST_CASE("recorded zips of ESA are read", "[.data]") {
  const char* data = std::getenv("QSO_SHARED_DATA");
  const std::string folder = std::string(data == nullptr ? "../shared/data" : data);
  for (const char* name : {"csv", "vot"}) {
    std::ifstream in(folder + "/archives/gaia/datalink_other_products_" + name + ".zip",
                     std::ios::binary);
    if (!in) {
      WARN("skipped: no archives/gaia in QSO_SHARED_DATA");
      return;
    }
    const std::string zip{std::istreambuf_iterator<char>(in), {}};
    const ZipArchive archive(zip);
    REQUIRE_FALSE(archive.members().empty());
    for (const ZipMember& member : archive.members()) {
      CHECK(member.name.find("Gaia DR3 ") != std::string::npos);
      CHECK(archive.read(member).size() == member.size);
    }
  }
}
