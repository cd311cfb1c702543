// FITS tables as others write them, and damaged ones.
#include <qsohost/io/fits_epochs.hpp>

#include "fits_sample.hpp"
#include "made_fits.hpp"

TEST_CASE("a header says where columns of epochs belong, whatever their order") {
  Folder folder;
  const GroupInfo g{.name = "own.g",
                    .survey = "own",
                    .band = "g",
                    .time = "t",
                    .mag = "m",
                    .mag_err = "e",
                    .time_system = kMjdUtc,
                    .has_position = false};
  const FitsEpochs epochs{{g, {.name = "own.r", .survey = "own", .band = "r"}},
                          {{"catflags", "own.g", "flags", false},
                           {"mjd", "own.g", "t"},
                           {"lost", "own.r", "t"},
                           {"seen", "other.g", "t"}}};
  Sample(0, 4).write(folder / "a.fits", {"sample", epoch_keywords(epochs), {}});
  const FitsTable table(folder / "a.fits");
  CHECK(table.keyword("QMERR1") == "e");
  CHECK_FALSE(table.keyword("QMERR2"));
  const FitsEpochs read = read_epoch_keywords(InputTable(folder / "a.fits"));
  REQUIRE(read.groups.size() == 2);
  CHECK(read.groups[0].survey == "own");
  CHECK(read.groups[0].band == "g");
  CHECK(read.groups[0].time == "t");
  CHECK(read.groups[0].mag == "m");
  CHECK(read.groups[0].mag_err == "e");
  CHECK(read.groups[0].time_system == kMjdUtc);
  CHECK_FALSE(read.groups[0].has_position);
  CHECK(read.groups[1].has_position);
  REQUIRE(read.columns.size() == 3);  // nothing is known of other.g
  CHECK(read.columns[0].column == "catflags");
  CHECK(read.columns[0].group == "own.g");
  CHECK(read.columns[0].name == "flags");
  CHECK_FALSE(read.columns[0].in_product);
  CHECK(read.columns[1].in_product);
  Sample(0, 4).write(folder / "plain.fits", {});
  CHECK(read_epoch_keywords(InputTable(folder / "plain.fits")).groups.empty());
}

TEST_CASE("rows are read by number, in any order") {
  Folder folder;
  const Sample sample(0, 20);
  sample.write(folder / "a.fits", header());
  FitsTable table(folder / "a.fits");
  const std::vector<std::size_t> fields = all_fields(table);
  const std::vector<std::uint64_t> rows{17, 3, 4, 3, 0, 19};
  const auto cells = table.read(rows, fields);
  REQUIRE(cells.size() == fields.size());
  for (std::size_t i = 0; i < fields.size(); ++i) {
    Column expected(cells[i].values.info());
    std::vector<std::uint64_t> lengths;
    for (const std::uint64_t row : rows) {
      const auto one = table.read(row, 1, std::span(&fields[i], 1));
      expected.append_cells(one[0].values, 0, one[0].values.size());
      lengths.insert(lengths.end(), one[0].lengths.begin(), one[0].lengths.end());
    }
    same_values(cells[i].values, expected);
    CHECK(cells[i].lengths == lengths);
  }
  const std::vector<std::uint64_t> beyond{0, 20};
  CHECK_THAT(error_of([&] { table.read(beyond, fields); }), Contains("row 21 asked for"));
  CHECK(table.read(std::span<const std::uint64_t>{}, fields)[0].values.size() == 0);
}

TEST_CASE("damaged files are refused with a reason") {
  Folder folder;
  Sample(0, 20).write(folder / "good.fits", header());
  const std::string good = bytes_of(folder / "good.fits");
  const auto opening = [&](const std::string& bytes) {
    write_bytes(folder / "bad.fits", bytes);
    return error_of([&] {
      FitsTable table(folder / "bad.fits");
      table.read(0, table.rows(), all_fields(table));
    });
  };
  CHECK_THAT(opening(good.substr(0, good.size() - 2880)), Contains("cut short"));
  CHECK_THAT(opening("no FITS at all"), Contains("does not begin as a FITS file must"));
  CHECK_THAT(opening(good.substr(0, 2880)), Contains("holds no table"));
  CHECK_THAT(error_of([&] { FitsTable(folder / "none.fits"); }), Contains("no such file"));
  CHECK_THAT(error_of([&] { FitsTable(folder.path); }), Contains("is a folder"));

  std::string more_rows = good;
  more_rows.replace(more_rows.find("NAXIS2  =                   20"), 30,
                    "NAXIS2  =            999999999");
  CHECK_THAT(opening(more_rows), Contains("cut short"));

  std::string fewer_rows = good;
  fewer_rows.replace(fewer_rows.find("NAXIS2  =                   20"), 30,
                     "NAXIS2  =                   18");
  CHECK_THAT(opening(fewer_rows), Contains("more data than its header promises"));
  CHECK_THAT(opening(good + std::string(2880, 'x')), Contains("more data than its header"));
  CHECK(opening(good + std::string(2880, '\0')) == "(no error)");
  CHECK_THAT(error_of([&] { FitsTable(folder / "good.fits", "SAMPEL"); }),
             Contains("no HDU 'SAMPEL'; its HDUs are 0 (primary), 1 'sample' (table, 20 rows)"));
  CHECK(FitsTable(folder / "good.fits", "SAMPLE").rows() == 20);

  // The descriptor of row 2's mjd is before the last two of the row.
  FitsTable table(folder / "good.fits");
  const std::size_t row_bytes = 8 + 1 + 2 + 4 + 4 + 8 + 24 + 6 + 8 + 8 + 8;
  const std::size_t data = good.size() - 2880;  // rows and heap fill one block
  std::string outside = good;
  outside[data + 2 * row_bytes - 20] = '\x7f';
  const std::string message = opening(outside);
  CHECK_THAT(message, Contains("outside the heap"));
  CHECK_THAT(message, Contains("row 2, column 'mjd'"));

  std::string flipped = good;
  flipped[data + 5] = static_cast<char>(flipped[data + 5] ^ 1);
  write_bytes(folder / "bad.fits", flipped);
  CHECK_THAT(error_of([&] { verify_fits(folder / "bad.fits"); }), Contains("checksum"));
}

TEST_CASE("rows that share bytes of the heap cannot fill the memory") {
  Folder folder;
  Column values({"mag", DType::F64});
  values.resize(100000);
  std::vector<std::uint64_t> offsets{0, 100000};
  offsets.resize(1001, 100000);
  std::vector<std::size_t> rows(1000);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  const std::vector<FitsColumn> columns{{values.info(), &values, offsets}};
  write_fits_table(folder / "a.fits", {}, columns, rows);
  std::string bytes = bytes_of(folder / "a.fits");
  const std::size_t data = bytes.find("END" + std::string(77, ' '), 2880) / 2880 * 2880 + 2880;
  for (std::size_t row = 1; row < 1000; ++row) {
    bytes.replace(data + 8 * row, 8, bytes, data, 8);  // every row: all of the heap
  }
  write_bytes(folder / "b.fits", bytes);
  FitsTable table(folder / "b.fits");
  const std::vector<std::size_t> field{0};
  CHECK(table.read(0, 2, field)[0].values.size() == 200000);  // sharing is legal
  CHECK_THAT(error_of([&] { table.read(0, 1000, field); }), Contains("but the heap has 800000"));
  const std::vector parts{folder / "b.fits"};
  CHECK_THAT(error_of([&] {
               merge_fits_tables(parts, folder / "x", {}, {"mag", false});
             }),
             Contains("cannot be sorted"));
}

namespace {

// The only table of a file with these bytes.
FitsTable opened(const Folder& folder, const std::string& bytes) {
  write_bytes(folder / "made.fits", bytes);
  return FitsTable(folder / "made.fits");
}

Column read_column(FitsTable& table, std::size_t field) {
  return std::move(table.read(0, table.rows(), std::span(&field, 1))[0].values);
}

std::vector<std::string> texts_of(const Column& column) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < column.strings().size(); ++i) {
    out.push_back(column.is_null(i) ? "(null)" : std::string(column.strings()[i]));
  }
  return out;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("text tables are read, with exponents of D, blanks and declared nulls") {
  Folder folder;
  FitsTable table = opened(
      folder,
      made::primary() +
          made::text_table({"TTYPE1  = ' id '", "TBCOL1  = 1", "TFORM1  = 'I20'", "TTYPE2  = 'ra'",
                            "TBCOL2  = 21", "TFORM2  = 'D12.4'", "TUNIT2  = 'deg'", "TTYPE3  = 'n'",
                            "TBCOL3  = 34", "TFORM3  = 'I4'", "TNULL3  = '-99'", "TTYPE4  = 'name'",
                            "TBCOL4  = 39", "TFORM4  = 'A5'", "TNULL4  = '--'", "TTYPE5  = 'z'",
                            "TBCOL5  = 44", "TFORM5  = 'F6.3'"},
                           {" 4611686018427387905   1.05D+02 |  12|  ab  1.5  ",
                            "                  +7    -1.5E-1 | -99|--      12 ",
                            "                                |    |        NaN"}));
  CHECK(table.is_text());
  REQUIRE(table.fields().size() == 5);
  CHECK(table.find("id") == 0);
  CHECK(table.fields()[1].info.unit == "deg");
  const Column id = read_column(table, 0);
  REQUIRE(id.dtype() == DType::I64);
  CHECK(id.values<std::int64_t>()[0] == 4611686018427387905);
  CHECK(id.values<std::int64_t>()[1] == 7);
  CHECK(id.is_null(2));
  const Column ra = read_column(table, 1);
  CHECK(ra.number(0) == 105);
  CHECK(ra.number(1) == -0.15);
  CHECK(std::isnan(ra.number(2)));
  const Column n = read_column(table, 2);
  CHECK(n.dtype() == DType::I32);
  CHECK(n.number(0) == 12);
  CHECK(n.is_null(1));
  CHECK(n.is_null(2));
  CHECK(texts_of(read_column(table, 3)) == Texts{"  ab", "(null)", ""});
  const Column z = read_column(table, 4);
  CHECK(z.number(0) == 1.5);
  CHECK(z.number(1) == 0.012);  // without a point: three digits follow it
  CHECK(std::isnan(z.number(2)));
  const std::vector<std::uint64_t> rows{1, 0};
  const std::vector<std::size_t> fields{0};
  CHECK(table.read(rows, fields)[0].values.values<std::int64_t>()[0] == 7);
}

TEST_CASE("a cell of a text table that is no number is named") {
  Folder folder;
  FitsTable table = opened(
      folder, made::primary() + made::text_table({"EXTNAME = 'CAT'", "TTYPE1  = 'z'", "TBCOL1  = 1",
                                                  "TFORM1  = 'F6.2'", "TTYPE2  = 'n'",
                                                  "TBCOL2  = 7", "TFORM2  = 'I3'"},
                                                 {"  1.25  4", "1.2.5 4.0"}));
  CHECK_THAT(error_of([&] { read_column(table, 0); }),
             Contains("HDU 1 'CAT', row 2, column 'z': '1.2.5' is no number"));
  CHECK_THAT(error_of([&] { read_column(table, 1); }), Contains("'4.0' is no integer"));
}

TEST_CASE("a column of a text table outside of the row is not read") {
  Folder folder;
  FitsTable table = opened(
      folder,
      made::primary() +
          made::text_table(
              {"TTYPE1  = 'a'", "TBCOL1  = 1", "TFORM1  = 'A4'", "TTYPE2  = 'b'", "TBCOL2  = 3",
               "TFORM2  = 'A3'", "TTYPE3  = 'c'", "TBCOL3  = 0", "TFORM3  = 'A1'", "TTYPE4  = 'd'",
               "TBCOL4  = 1", "TFORM4  = 'X3'", "TTYPE5  = 'e'", "TBCOL5  = 18446744073709551615",
               "TFORM5  = 'I2'", "TTYPE6  = 'f'", "TFORM6  = 'I2'"},
              {"abcd"}));
  CHECK(texts_of(read_column(table, 0)) == Texts{"abcd"});
  for (std::size_t i = 1; i < 6; ++i) {
    INFO("column " << i);
    CHECK_FALSE(table.fields()[i].problem.empty());
    CHECK_THAT(error_of([&] { read_column(table, i); }), Contains(table.fields()[i].problem));
  }
  CHECK_THAT(table.fields()[1].problem, Contains("outside the row of 4"));
}

TEST_CASE("TDIM divides texts, unless it does not fit them") {
  Folder folder;
  FitsTable table = opened(
      folder, made::primary() +
                  made::table({"TFORM1  = '12A'", "TDIM1   = '(4,3)'", "TFORM2  = '6A'",
                               "TDIM2   = '(1)'", "TFORM3  = '6A3'", "TFORM4  = '8A'",
                               "TDIM4   = ' ( 2, 2 ,2 ) '", "TFORM5  = '4A'", "TDIM5   = '(4,2)'"},
                              {std::string("PIPEVI  DR7 GALAXYonetwoaabbc\0ddlast", 36)}));
  CHECK(texts_of(read_column(table, 0)) == Texts{"PIPE", "VI", "DR7"});
  CHECK(table.fields()[0].info.shape.empty());
  CHECK(texts_of(read_column(table, 1)) == Texts{"GALAXY"});
  CHECK(texts_of(read_column(table, 2)) == Texts{"one", "two"});
  CHECK(texts_of(read_column(table, 3)) == Texts{"aa", "bb", "c", "dd"});
  CHECK(table.fields()[3].info.shape == std::vector<std::size_t>{2, 2});
  CHECK(texts_of(read_column(table, 4)) == Texts{"last"});
}

TEST_CASE("TDIM gives numbers a shape, unless it does not fit them") {
  Folder folder;
  const std::vector<std::string> dims{"(3,2)",  "(6)",  "(3,3)", "(0,6)",
                                      "(2,-3)", "(2,3", "",      "(4294967296,4294967296,6)"};
  std::vector<std::string> cards;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    cards.push_back(fmt::format("TFORM{}  = '6I'", i + 1));
    cards.push_back(fmt::format("TDIM{}   = '{}'", i + 1, dims[i]));
  }
  FitsTable table =
      opened(folder, made::primary() + made::table(cards, {std::string(12 * dims.size(), '\1')}));
  CHECK(table.fields()[0].info.shape == std::vector<std::size_t>{3, 2});
  for (std::size_t i = 1; i < dims.size(); ++i) CHECK(table.fields()[i].info.shape.empty());
  CHECK(read_column(table, 0).info().shape == std::vector<std::size_t>{3, 2});
  CHECK(read_column(table, 0).number(5) == 257);
}

TEST_CASE("unsigned numbers beyond 2^63 keep their digits, as texts") {
  Folder folder;
  const auto stored = [](std::uint64_t value) {
    return made::bytes(value ^ (std::uint64_t{1} << 63));
  };
  const std::string row = stored(299567812345678901) + stored(5);
  const std::string null = stored(7) + stored(6);
  const std::string large = stored(12895678123456789013U) + stored(7);
  const std::vector<std::string> cards{"TFORM1  = 'K'", "TZERO1  = 9223372036854775808",
                                       "TNULL1  = -9223372036854775801", "TFORM2  = 'K'",
                                       "TZERO2  = 9223372036854775808"};
  FitsTable table = opened(folder, made::primary() + made::table(cards, {row, null, large}));
  CHECK(table.fields()[0].info.dtype == DType::String);
  CHECK(table.fields()[1].info.dtype == DType::I64);
  CHECK(texts_of(read_column(table, 0)) ==
        Texts{"299567812345678901", "(null)", "12895678123456789013"});
  CHECK(read_column(table, 1).number(2) == 7);
  FitsTable small = opened(folder, made::primary() + made::table(cards, {row, null}));
  CHECK(small.fields()[0].info.dtype == DType::I64);

  const std::string arrays = stored(1) + stored(2) + stored(12895678123456789013U);
  const auto descriptor = [](std::int32_t length, std::int32_t offset) {
    return made::bytes(length) + made::bytes(offset);
  };
  FitsTable many = opened(
      folder, made::primary() + made::table({"TFORM1  = '1PK(2)'", "TZERO1  = 9223372036854775808"},
                                            {descriptor(1, 0), descriptor(0, 0), descriptor(2, 8)},
                                            arrays));
  const std::size_t field = 0;
  const auto cells = many.read(0, 3, std::span(&field, 1));
  CHECK(texts_of(cells[0].values) == Texts{"1", "2", "12895678123456789013"});
  CHECK(cells[0].lengths == std::vector<std::uint64_t>{1, 0, 2});
}

TEST_CASE("integers of text tables that are beyond 64 bits keep their digits") {
  Folder folder;
  FitsTable table = opened(
      folder, made::primary() +
                  made::text_table(
                      {"TTYPE1  = 'id'", "TBCOL1  = 1", "TFORM1  = 'I21'"},
                      {"+12895678123456789013", "                    7", "                     "}));
  CHECK(texts_of(read_column(table, 0)) == Texts{"12895678123456789013", "7", "(null)"});
}

TEST_CASE("what cannot be read is a problem of its column alone") {
  Folder folder;
  FitsTable table =
      opened(folder, made::primary() +
                         made::table({"TFORM1  = '9X'", "TFORM2  = 'C'", "TFORM3  = '0D'",
                                      "TFORM4  = '0A'", "TFORM5  = '1PA(3)'", "TFORM6  = '0PJ(3)'",
                                      "TFORM7  = '1PX(3)'", "TFORM8  = 'J'", "TNULL8  = 'none'",
                                      "TFORM9  = 'I'", "TTYPE9  = '  good  '"},
                                     {std::string(30, '\1') + std::string("\0\5", 2)}));
  for (std::size_t i = 0; i < 8; ++i) {
    INFO("column " << i);
    CHECK_FALSE(table.fields()[i].problem.empty());
    CHECK_NOTHROW(Column(table.fields()[i].info));
    CHECK_THAT(error_of([&] { read_column(table, i); }), Contains(table.fields()[i].problem));
  }
  CHECK(table.find("good") == 8);
  CHECK(read_column(table, 8).number(0) == 5);
}

TEST_CASE("compressed tables are refused by what they are, and compressed images are no tables") {
  Folder folder;
  const std::string image =
      made::table({"TFORM1  = '1PB(0)'", "ZIMAGE  = T", "EXTNAME = 'IMG'"}, {std::string(8, '\0')});
  const std::string packed =
      made::table({"TFORM1  = '1PB(0)'", "ZTABLE  = T", "ZNAXIS2 = 12"}, {std::string(8, '\0')});
  const std::string plain = made::table({"TFORM1  = 'I'", "TTYPE1  = 'n'", "EXTNAME = 'PLAIN'"},
                                        {std::string("\0\3", 2)});
  CHECK(opened(folder, made::primary() + image + plain).extension() == "PLAIN");
  CHECK_THAT(error_of([&] { opened(folder, made::primary() + packed); }),
             Contains("HDU 1 (compressed table, 12 rows) is a tile-compressed table; unpack the "
                      "file with funpack"));
  CHECK_THAT(error_of([&] { opened(folder, made::primary() + image); }),
             Contains("holds no table; its HDUs are 0 (primary), 1 'IMG' (compressed image)"));
  CHECK_THAT(error_of([&] { FitsTable(folder / "made.fits", "img"); }), Contains("is no table"));
}

TEST_CASE("a table names the others of its file, before and behind it") {
  Folder folder;
  const auto table = [](const std::string& name, const std::string& column) {
    return made::table({"EXTNAME = '" + name + "'", "TTYPE1  = '" + column + "'", "TFORM1  = 'B'"},
                       {"\1", "\2"});
  };
  const std::string text = made::text_table(
      {"EXTNAME = 'T'", "TTYPE1  = 't'", "TBCOL1  = 1", "TFORM1  = 'I1'"}, {"1", "2", "3"});
  const std::string image = made::header({"XTENSION= 'IMAGE'", "BITPIX  = 8", "NAXIS   = 0"});
  write_bytes(folder / "a.fits",
              made::primary() + table("G", "g") + image + table("R", "r") + text + table("g", "h"));
  const auto others = FitsTable(folder / "a.fits", "R").others();
  REQUIRE(others.size() == 3);
  CHECK(others[0].name == "G");
  CHECK(others[0].rows == 2);
  CHECK(others[0].columns == Texts{"g"});
  CHECK(others[1].name == "T");
  CHECK(others[1].rows == 3);
  CHECK(others[2].name == "5");  // HDU 1 has the same name
  CHECK(FitsTable(folder / "a.fits", "5").fields()[0].info.name == "h");
}

TEST_CASE("tables without rows, columns or bytes are tables") {
  Folder folder;
  FitsTable no_columns = opened(folder, made::primary() + made::table({}, {"", "", ""}));
  CHECK(no_columns.rows() == 3);
  CHECK(no_columns.read(0, 3, {}).empty());
  FitsTable no_rows = opened(
      folder, made::primary() +
                  made::header({"XTENSION= 'TABLE'", "BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 30",
                                "NAXIS2  = 0", "TFIELDS = 1", "TBCOL1  = 1", "TFORM1  = 'I30'"}));
  CHECK(no_rows.rows() == 0);
  CHECK(read_column(no_rows, 0).size() == 0);
  std::string endless = made::primary() + made::table({}, {"", "", ""});
  endless.replace(endless.find("NAXIS2  = 3"), 30, "NAXIS2  = 999999999999999999  ");
  write_bytes(folder / "endless.fits", endless);
  merge_fits_tables(std::vector{folder / "endless.fits"}, folder / "merged.fits", {});
  CHECK(FitsTable(folder / "merged.fits").rows() == 999999999999999999);
}
