// FITS tables that we write: they are read back by us and by others.
#include <fmt/format.h>

#include "fits_sample.hpp"

TEST_CASE("a table is read back as it was written, in blocks of any size") {
  Folder folder;
  const Sample sample(0, 20);
  sample.write(folder / "a.fits", header());
  verify_fits(folder / "a.fits");
  FitsTable table(folder / "a.fits");
  CHECK(table.rows() == 20);
  CHECK(table.extension() == "sample");
  CHECK(table.fields()[6].info.unit == "nm");
  CHECK(table.fields()[0].info.description == "Gaia DR3 identifier");
  CHECK(table.find("catflags") == 9);
  CHECK_FALSE(table.find("CATFLAGS"));
  const std::size_t block = GENERATE(1, 7, 20);
  const auto columns = sample.columns();
  std::vector<Column> got;
  for (const FitsColumn& c : columns) got.emplace_back(c.values->info());
  std::vector<std::uint64_t> offsets{0};
  for (std::size_t first = 0; first < 20; first += block) {
    const auto cells =
        table.read(first, std::min<std::size_t>(block, 20 - first), all_fields(table));
    for (std::size_t i = 0; i < got.size(); ++i) {
      got[i].append_cells(cells[i].values, 0, cells[i].values.size());
    }
    for (const std::uint64_t n : cells[8].lengths) offsets.push_back(offsets.back() + n);
  }
  for (std::size_t i = 0; i < got.size(); ++i) same_values(got[i], *columns[i].values);
  CHECK(offsets == sample.offsets);
}

TEST_CASE("equal tables are equal files") {
  Folder folder;
  Sample(0, 20).write(folder / "a.fits", header());
  Sample(0, 20).write(folder / "b.fits", header());
  CHECK(bytes_of(folder / "a.fits") == bytes_of(folder / "b.fits"));
}

TEST_CASE("lines of HISTORY are read back, those that fill their cards too") {
  Folder folder;
  FitsHeader written = header();
  const std::string full(72, 'x');
  written.history = {"first", full, full + full, full + "y", "last"};
  Sample(0, 1).write(folder / "a.fits", written);
  CHECK(FitsTable(folder / "a.fits").keyword("HISTORY") ==
        fmt::format("first\n{0}\n{0}{0}\n{0}y\nlast\n", full));
}

TEST_CASE("other readers agree", "[.astropy]") {
  Folder folder;
  Sample(0, 20).write(folder / "a.fits", header());
  const std::string json =
      second_opinion(folder / "a.fits", std::string(kSampleColumns) + " --rows 20");
  if (json.empty()) return;
  CHECK_THAT(json, Contains("\"first\": 4611686018427387905"));
  CHECK_THAT(json, Contains("\"lengths\": [0, 1, 2, 3, 0, 1"));
  CHECK_THAT(json, Contains("first line"));
}

TEST_CASE("tables without rows are tables") {
  Folder folder;
  Sample(0, 0).write(folder / "empty.fits", header());
  verify_fits(folder / "empty.fits");
  CHECK(FitsTable(folder / "empty.fits").rows() == 0);
  second_opinion(folder / "empty.fits", "--rows 0");
}

TEST_CASE("what a FITS table cannot hold is refused by name") {
  Folder folder;
  const Column a({"Mag", DType::F64});
  const Column b({"mag", DType::F64});
  const std::vector<FitsColumn> clash{{a.info(), &a, {}}, {b.info(), &b, {}}};
  CHECK_THAT(error_of([&] { write_fits_table(folder / "x", {}, clash, {}); }),
             Contains("'Mag' and 'mag'"));
  const Column c({"flux_é", DType::F64});
  const Column d({"flux_è ", DType::F64});
  const std::vector<FitsColumn> accents{{c.info(), &c, {}}, {d.info(), &d, {}}};
  CHECK_THAT(error_of([&] { write_fits_table(folder / "x", {}, accents, {}); }),
             Contains("'flux_é' and 'flux_è '"));
  const Column text({"filter", DType::String});
  const std::vector<std::uint64_t> offsets{0};
  const std::vector<FitsColumn> texts{{text.info(), &text, offsets}};
  CHECK_THAT(error_of([&] { write_fits_table(folder / "x", {}, texts, {}); }),
             Contains("'filter'"));
}

TEST_CASE("names and units are written whole or refused") {
  Folder folder;
  const auto writing = [&](std::string name, std::string unit, std::string extension) {
    const Column column({std::move(name), DType::F64, std::move(unit)});
    const std::vector<FitsColumn> columns{{column.info(), &column, {}}};
    const FitsHeader of_table{std::move(extension), {}, {}};
    return error_of([&] { write_fits_table(folder / "a.fits", of_table, columns, {}); });
  };
  const std::string longest(68, 'n'), quoted = std::string(65, 'u') + "'s";
  CHECK(writing(longest, quoted, longest) == "(no error)");
  FitsTable table(folder / "a.fits");
  CHECK(table.fields()[0].info.name == longest);
  CHECK(table.fields()[0].info.unit == quoted);
  CHECK(table.extension() == longest);
  CHECK_THAT(writing(longest + "n", "", ""), Contains("the name of a column") && Contains("nnn'"));
  CHECK_THAT(writing("z", "u" + quoted, ""), Contains("the unit of column 'z'"));
  CHECK_THAT(writing("z", "", longest + "n"), Contains("the name of the table"));
}

TEST_CASE("a heap too large for 32 bits gets descriptors of 64") {
  Folder folder;
  FitsHeader wide = header();
  wide.most_for_p = 100;  // as if that were 2 GiB
  Sample(0, 20).write(folder / "q.fits", wide);
  verify_fits(folder / "q.fits");
  Sample(0, 20).write(folder / "p.fits", header());
  FitsTable q(folder / "q.fits");
  FitsTable p(folder / "p.fits");
  const auto a = q.read(0, 20, all_fields(q));
  const auto b = p.read(0, 20, all_fields(p));
  for (std::size_t i = 0; i < a.size(); ++i) {
    same_values(a[i].values, b[i].values);
    CHECK(a[i].lengths == b[i].lengths);
  }
  second_opinion(folder / "q.fits",
                 "--rows 20 --columns source_id:K:,is_good:L,plate:I,n:J,z:E,"
                 "name:8A,lines:3D:nm,words:6A3,mjd:QD:d,catflags:QJ,seen:QL");
  // Chunks with P make a product with Q, in order and sorted.
  const std::vector parts{folder / "p.fits", folder / "p.fits"};
  merge_fits_tables(parts, folder / "merged.fits", wide);
  merge_fits_tables(parts, folder / "sorted.fits", wide, {"source_id", false});
  for (const char* name : {"merged.fits", "sorted.fits"}) {
    verify_fits(folder / name);
    second_opinion(folder / name, "--rows 40");
    CHECK_THAT(bytes_of(folder / name), Contains("1QD(3)"));
  }
}

namespace {

// A table of one column, all rows in their order.
void write_column(const std::filesystem::path& file, const Column& column,
                  std::span<const std::uint64_t> offsets = {}) {
  const std::size_t count = offsets.empty() ? column.size() : offsets.size() - 1;
  std::vector<std::size_t> rows(count);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const std::vector<FitsColumn> columns{{column.info(), &column, offsets}};
  write_fits_table(file, {}, columns, rows);
}

template <class T>
Column integers(const std::vector<std::optional<T>>& values) {
  Column column({"n", dtype_of<T>()});
  for (const auto& value : values) value ? column.append(*value) : column.append_null();
  return column;
}

Cells only_column(const std::filesystem::path& file) {
  FitsTable table(file);
  const std::size_t field = 0;
  return std::move(table.read(0, table.rows(), std::span(&field, 1))[0]);
}

template <class T>
void check_marker() {
  constexpr T least = std::numeric_limits<T>::min();
  constexpr T most = std::numeric_limits<T>::max();
  const std::optional<T> null;
  Folder folder;
  const Column all = integers<T>({T{3}, null, least, most, T{least + 1}, null, least});
  write_column(folder / "all", all);
  CHECK(FitsTable(folder / "all").fields()[0].null == least + 2);
  same_values(only_column(folder / "all").values, all);

  // Of the parts, no two have the same marker, and one has none.
  write_column(folder / "a", integers<T>({T{3}}));
  write_column(folder / "b", integers<T>({null}));
  write_column(folder / "c", integers<T>({least, most}));
  write_column(folder / "d", integers<T>({T{least + 1}, null, least}));
  CHECK_FALSE(FitsTable(folder / "a").fields()[0].null);
  CHECK(FitsTable(folder / "b").fields()[0].null == least);
  CHECK(FitsTable(folder / "c").fields()[0].null == least + 1);
  const std::vector parts{folder / "a", folder / "b", folder / "c", folder / "d"};
  merge_fits_tables(parts, folder / "merged", {});
  CHECK(bytes_of(folder / "merged") == bytes_of(folder / "all"));
  merge_fits_tables(parts, folder / "sorted", {}, {"n", false});
  same_values(only_column(folder / "sorted").values,
              integers<T>({least, least, T{least + 1}, T{3}, most, null, null}));
}

}  // namespace

TEST_CASE("the least value of a type is told from a null, in merged tables too") {
  check_marker<std::int16_t>();
  check_marker<std::int32_t>();
  check_marker<std::int64_t>();
}

TEST_CASE("the least value of a type is told from a null in arrays") {
  constexpr std::int32_t least = std::numeric_limits<std::int32_t>::min();
  Folder folder;
  const Column all = integers<std::int32_t>({7, std::nullopt, least, 1, std::nullopt, least + 1});
  const std::vector<std::uint64_t> offsets{0, 2, 2, 3, 5, 6};
  write_column(folder / "all", all, offsets);
  const auto part = [&](const char* name, std::size_t first, std::size_t rows) {
    std::vector<std::uint64_t> own(offsets.begin() + static_cast<std::ptrdiff_t>(first),
                                   offsets.begin() + static_cast<std::ptrdiff_t>(first + rows + 1));
    Column column(all.info());
    column.append_cells(all, own[0], own.back() - own[0]);
    for (std::uint64_t& offset : own) offset -= offsets[first];
    write_column(folder / name, column, own);
  };
  part("a", 0, 2);
  part("b", 2, 1);
  part("c", 3, 2);
  merge_fits_tables(std::vector{folder / "a", folder / "b", folder / "c"}, folder / "merged", {});
  CHECK(bytes_of(folder / "merged") == bytes_of(folder / "all"));
  verify_fits(folder / "merged");
  same_values(only_column(folder / "merged").values, all);
}

TEST_CASE("without a value left to mark nulls, the column is named") {
  Folder folder;
  Column full({"flags", DType::I16});
  for (std::int32_t n = -32768; n <= 32767; ++n) full.append(static_cast<std::int16_t>(n));
  write_column(folder / "full", full);
  same_values(only_column(folder / "full").values, full);
  Column null({"flags", DType::I16});
  null.append_null();
  write_column(folder / "null", null);
  const std::vector parts{folder / "full", folder / "null"};
  CHECK_THAT(error_of([&] { merge_fits_tables(parts, folder / "x", {}); }),
             Contains("column 'flags' holds"));
  full.append_null();
  CHECK_THAT(error_of([&] { write_column(folder / "x", full); }), Contains("column 'flags' holds"));
}

TEST_CASE("the shape of cells goes along") {
  Folder folder;
  Column image({"image", DType::I32, "", "", 6, {3, 2}});
  Column words({"words", DType::String, "", "", 4, {2, 2}});
  for (std::int32_t i = 0; i < 12; ++i) image.append(i);
  for (const char* word : {"a", "bb", "", "ccc", "d", "e", "f", "g"}) words.append_string(word);
  const std::vector<FitsColumn> columns{{image.info(), &image, {}}, {words.info(), &words, {}}};
  const std::vector<std::size_t> one{0}, both{0, 1};
  write_fits_table(folder / "a", {}, columns, both);
  write_fits_table(folder / "b", {}, columns, one);
  merge_fits_tables(std::vector{folder / "a", folder / "b"}, folder / "merged", {});
  FitsTable table(folder / "merged");
  CHECK(table.keyword("TDIM1") == "(3,2)");
  CHECK(table.keyword("TDIM2") == "(3,2,2)");
  CHECK(table.fields()[0].info.shape == std::vector<std::size_t>{3, 2});
  CHECK(table.fields()[1].info.shape == std::vector<std::size_t>{2, 2});
  const auto cells = table.read(0, 2, std::vector<std::size_t>{0, 1});
  same_values(cells[0].values, image);
  same_values(cells[1].values, words);
  second_opinion(folder / "merged", "--rows 3 --columns image:6J,words:12A3");
  CHECK_THAT(error_of([] { Column({"x", DType::I32, "", "", 6, {3, 3}}); }), Contains("shape"));
}

TEST_CASE("texts that FITS cannot hold are written with '?' a character, and told") {
  Folder folder;
  Column name({"name", DType::String});
  Column plain({"plain", DType::String});
  for (const char* text : {"plain", "M\xc3\xbcller", "M\xfcller", "\xb0", "a\tb", "\xe2\x98\x85"}) {
    name.append_string(text);
    plain.append_string("~ !");
  }
  const std::vector<FitsColumn> columns{{name.info(), &name, {}}, {plain.info(), &plain, {}}};
  const std::vector<std::size_t> rows{0, 1, 2, 3, 4, 5};
  const auto replaced = write_fits_table(folder / "a", {}, columns, rows);
  REQUIRE(replaced.size() == 1);
  CHECK(replaced[0].column == "name");
  CHECK(replaced[0].first == "M\xc3\xbcller");
  const Column read = only_column(folder / "a").values;
  CHECK(FitsTable(folder / "a").fields()[0].string_length == 6);
  for (std::size_t i = 0; const char* text : {"plain", "M?ller", "M?ller", "?", "a?b", "?"}) {
    CHECK(read.strings()[i++] == text);
  }
  CHECK(write_fits_table(folder / "b", {}, columns, std::vector<std::size_t>{0}).empty());
}
