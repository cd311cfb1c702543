// Files that are no text tables: what is wrong, where, and what to do.
#include "input.hpp"

#include <catch2/catch.hpp>

using namespace std::string_literals;
using Catch::Matchers::Contains;

namespace {

// ASCII with `zeros` bytes behind (or before) each character.
std::string widened(std::string_view text, std::size_t behind, std::size_t before = 0) {
  std::string out;
  for (const char c : text) out += std::string(before, '\0') + c + std::string(behind, '\0');
  return out;
}

}  // namespace

TEST_CASE("a row of a file with another number of cells") {
  CHECK_THAT(refusal("a,b\n1,2\n1,2,3\n"),
             Contains("table.txt: line 3: 3 cells where the header has 2: 1,2,3"));
  CHECK_THAT(refusal("a,b\n1,2\n\n3,4\n"), Contains("line 3: 1 cells"));
  CHECK_THAT(refusal("a b c\n1 2 3\n1 2\n"), Contains("line 3: 2 cells where the header has 3"));
  CHECK_THAT(refusal("a,b\n1,2\n<5,2,3\n"), Contains("<5,2,3"));
}

TEST_CASE("a header and rows with different separators") {
  CHECK_THAT(refusal("a,b,c\n1;2;3\n"), Contains("line 2: 1 cells where the header has 3") &&
                                            Contains("by commas") && Contains("by semicolons"));
  CHECK_THAT(refusal("a\tb\tc\n1 2 3\n"), Contains("by tabs") && Contains("by blanks"));
  CHECK_THAT(refusal("source_id ra dec z\n1,2,3,4\n5,6,7,8\n"),
             Contains("line 1: the header is one column ('source_id ra dec z')") &&
                 Contains("4 cells separated by commas"));
  CHECK_THAT(refusal("id\n1;2\n3;4\n"), Contains("2 cells separated by semicolons"));
}

TEST_CASE("quotes that are never closed, or have text around them") {
  CHECK_THAT(refusal("a,b\n1,\"2\n3,4\n"), Contains("line 2") && Contains("never closed"));
  CHECK_THAT(refusal("a,b\n1,2\n\"3\" x,4\n"), Contains("line 3") && Contains("quotes of cell 1"));
}

TEST_CASE("no header") {
  CHECK_THAT(refusal("# only\n# comments\n\n"), Contains("no header line, only comments"));
  CHECK_THAT(refusal("\n \n"), Contains("is empty"));
  CHECK_THAT(refusal("1237650371555231745,10.5,-1.25\n6917528997577384321,200.125,33\n"),
             Contains("line 1") && Contains("holds numbers, not names"));
  CHECK_THAT(refusal("# from simulation 7\n1 2.5\n3 4.5\n"),
             Contains("line 2") && Contains("line of names above"));
}

TEST_CASE("texts in UTF-16 and UTF-32, with and without a byte order mark") {
  const std::string table = "source_id,ra,dec,z\n1237650371555231745,10.5,-1.25,1.5\n";
  for (const std::string& text : {"\xFF\xFE" + widened(table, 1), "\xFE\xFF" + widened(table, 0, 1),
                                  widened(table, 1), widened(table, 0, 1)}) {
    CHECK_THAT(refusal(text), Contains("table.txt: is a text in UTF-16; save it as UTF-8"));
  }
  for (const std::string& text :
       {"\xFF\xFE\0\0"s + widened(table, 3), "\0\0\xFE\xFF"s + widened(table, 0, 3),
        widened(table, 3), widened(table, 0, 3)}) {
    CHECK_THAT(refusal(text), Contains("UTF-32"));
  }
}

TEST_CASE("files of other forms are named") {
  const std::vector<std::pair<std::string, std::string>> files{
      {"PK\x03\x04"s + std::string(26, '\x01') + "[Content_Types].xml", "a spreadsheet"},
      {"PK\x03\x04"s + std::string(26, '\x01') + "ra.npy", "npz"},
      {"PK\x03\x04"s + std::string(26, '\x01') + "table.csv", "packed by ZIP; unpack it"},
      {"PAR1\x15\x04", "a Parquet file; export"},
      {"\x89HDF\r\n\x1a\n", "an HDF5 file"},
      {"\xFD"
       "7zXZ\0"s,
       "packed by xz"},
      {"BZh91AY&SY\x01", "packed by bzip2"},
      {"\x28\xB5\x2F\xFD\x01", "packed by zstd"},
      {"%PDF-1.5\n", "a PDF document"},
      {"\x93NUMPY\x01", "a NumPy file"}};
  for (const auto& [content, what] : files) {
    CHECK_THAT(refusal(content), Contains("table.txt: is ") && Contains(what));
  }
  CHECK(Read("BZh\n1\n").names == std::vector<std::string>{"BZh"});
}

TEST_CASE("a zero byte is named with its line, wherever it is") {
  CHECK_THAT(refusal("a,b\n1,2\n3,\0\n"s), Contains("line 3 has a zero byte"));
  std::string text = "a,b\n";
  for (int i = 0; i < 300000; ++i) text += "1,2.5\n";
  text += "1,\0\n"s;
  CHECK_THAT(refusal(text), Contains("line 300002 has a zero byte"));
}
