// The framework's FITS tables: what is written is read back, by us and by others.
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include <qsohost/io/fits.hpp>
#include <qsohost/io/fits_epochs.hpp>

#include "fits_folder.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Sample {
  Column id{{"source_id", DType::I64, "", "Gaia DR3 identifier"}};
  Column flag{{"is_good", DType::Bool}};
  Column small{{"plate", DType::I16}};
  Column count{{"n", DType::I32, "", "how many"}};
  Column z{{"z", DType::F32}};
  Column name{{"name", DType::String}};
  Column vector{{"lines", DType::F64, "nm", "wavelengths", 3}};
  Column words{{"words", DType::String, "", "", 2}};
  Column mjd{{"mjd", DType::F64, "d"}};
  Column quality{{"catflags", DType::I32}};
  Column seen{{"seen", DType::Bool}};  // arrays that are null as a whole, too
  std::vector<std::uint64_t> offsets{0};

  explicit Sample(std::size_t first, std::size_t rows) {
    for (std::size_t i = first; i < first + rows; ++i) {
      id.append(std::int64_t{4611686018427387905} - static_cast<std::int64_t>(i * 7919 % 1000));
      i % 5 == 4 ? flag.append_null() : flag.append(i % 2 == 0);
      i % 3 == 2 ? small.append_null() : small.append(static_cast<std::int16_t>(i));
      count.append(static_cast<std::int32_t>(i) - 5);
      z.append(i == 1 ? std::numeric_limits<float>::quiet_NaN() : 0.5f * static_cast<float>(i));
      name.append_string(std::string(i % 7, 'x') + std::to_string(i));
      for (int k = 0; k < 3; ++k) vector.append(k == 2 ? kNaN : static_cast<double>(i) + 0.1 * k);
      words.append_string("a" + std::to_string(i));
      words.append_string("");
      for (std::size_t k = 0; k < i % 4; ++k) {
        mjd.append(58000 + static_cast<double>(i) + 0.25 * static_cast<double>(k));
        quality.append(static_cast<std::int32_t>(k));
        if (i == 6 && k == 1) quality.set_null(quality.size() - 1);
        i % 8 == 3 ? seen.append_null() : seen.append(k == 1);
      }
      offsets.push_back(mjd.size());
    }
  }

  std::vector<FitsColumn> columns() const {
    std::vector<FitsColumn> out;
    for (const Column* c : {&id, &flag, &small, &count, &z, &name, &vector, &words}) {
      out.push_back({c->info(), c, {}});
    }
    for (const Column* c : {&mjd, &quality, &seen}) out.push_back({c->info(), c, offsets});
    return out;
  }
  void write(const std::filesystem::path& file, const FitsHeader& header) const {
    std::vector<std::size_t> rows(id.size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    write_fits_table(file, header, columns(), rows);
  }
};

FitsHeader header() {
  return {"sample",
          {{"CHAIN", "test", "name"}, {"NOTE", std::string(100, 'n'), "a long one"}},
          {"first line", std::string(150, 'h')}};
}

std::vector<std::size_t> all_fields(const FitsTable& table) {
  std::vector<std::size_t> fields(table.fields().size());
  std::iota(fields.begin(), fields.end(), std::size_t{0});
  return fields;
}

void same_values(const Column& a, const Column& b) {
  INFO("column " << a.name());
  REQUIRE(a.dtype() == b.dtype());
  REQUIRE(a.width() == b.width());
  REQUIRE(a.size() == b.size());
  std::size_t differences = 0;
  for (std::size_t i = 0; i < a.size() * a.width(); ++i) {
    bool same = a.is_null(i) == b.is_null(i);
    if (same && a.dtype() == DType::String) {
      same = a.strings()[i] == b.strings()[i];
    } else if (same && a.dtype() == DType::I64) {
      same = a.values<std::int64_t>()[i] == b.values<std::int64_t>()[i];
    } else if (same) {
      const double x = a.number(i);
      const double y = b.number(i);
      same = x == y || (std::isnan(x) && std::isnan(y));
    }
    differences += same ? 0 : 1;
  }
  CHECK(differences == 0);
}

constexpr const char* kSampleColumns =
    "--columns source_id:K:,is_good:L,plate:I,n:J,z:E,name:8A,lines:3D:nm,words:6A3,mjd:PD:d,"
    "catflags:PJ,seen:PL --json";

}  // namespace

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

TEST_CASE("equal tables are equal files") {
  Folder folder;
  Sample(0, 20).write(folder / "a.fits", header());
  Sample(0, 20).write(folder / "b.fits", header());
  CHECK(bytes_of(folder / "a.fits") == bytes_of(folder / "b.fits"));
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

TEST_CASE("merged tables do not show where they were cut") {
  Folder folder;
  Sample(0, 33).write(folder / "whole.fits", header());
  std::vector<std::filesystem::path> parts;
  for (const auto& [first, rows] : {std::pair{0, 1}, {1, 10}, {11, 0}, {11, 22}}) {
    parts.push_back(folder / ("part" + std::to_string(parts.size())));
    Sample(static_cast<std::size_t>(first), static_cast<std::size_t>(rows)).write(parts.back(), {});
  }
  merge_fits_tables(parts, folder / "merged.fits", header());
  CHECK(bytes_of(folder / "merged.fits") == bytes_of(folder / "whole.fits"));

  merge_fits_tables(parts, folder / "sorted.fits", header(), {"source_id", false});
  verify_fits(folder / "sorted.fits");
  CHECK_FALSE(std::filesystem::exists(folder / "sorted.fits.unsorted"));
  FitsTable table(folder / "sorted.fits");
  const auto cells = table.read(0, 33, std::vector<std::size_t>{0, 3, 8});
  const auto ids = cells[0].values.values<std::int64_t>();
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  // Each row kept its own epochs: as many as its number modulo 4, at its own time.
  std::size_t at = 0;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < 33; ++i) {
    const int row = cells[1].values.values<std::int32_t>()[i] + 5;
    wrong += cells[2].lengths[i] == static_cast<std::uint64_t>(row % 4) ? 0 : 1;
    for (std::uint64_t k = 0; k < cells[2].lengths[i]; ++k, ++at) {
      wrong += std::floor(cells[2].values.number(at)) == 58000 + row ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
  second_opinion(folder / "sorted.fits", "--rows 33");
}

TEST_CASE("what is missing sorts last, and a key may be left out of the product") {
  Folder folder;
  Sample(0, 12).write(folder / "part", {});
  const std::vector parts{folder / "part"};
  merge_fits_tables(parts, folder / "by_plate.fits", {}, {"plate", false});
  FitsTable table(folder / "by_plate.fits");
  const auto cells = table.read(0, 12, std::vector<std::size_t>{2, 5});
  CHECK(cells[0].values.number(7) == 10);
  CHECK(cells[0].values.is_null(8));
  CHECK(cells[0].values.is_null(11));
  CHECK_THAT(error_of([&] {
               merge_fits_tables(parts, folder / "x", {}, {"lines", false});
             }),
             Contains("'lines'"));
}

TEST_CASE("texts that are missing sort last, and so do their rows") {
  Folder folder;
  Column name({"name", DType::String});
  Column number({"n", DType::I32});
  for (const char* text : {"b", "", "a", "   ", "d", "c"}) {
    name.append_string(text);
    number.append(static_cast<std::int32_t>(name.size()));
  }
  const std::vector<FitsColumn> columns{{name.info(), &name, {}}, {number.info(), &number, {}}};
  const std::vector<std::size_t> rows{0, 1, 2, 3, 4, 5};
  write_fits_table(folder / "part", {}, columns, rows);
  merge_fits_tables(std::vector{folder / "part"}, folder / "sorted", {}, {"name", false});
  FitsTable table(folder / "sorted");
  const auto cells = table.read(0, 6, std::vector<std::size_t>{1});
  const auto order = cells[0].values.values<std::int32_t>();
  CHECK(std::vector(order.begin(), order.end()) == std::vector<std::int32_t>{3, 1, 6, 5, 2, 4});
}

TEST_CASE("a table is sorted by a column whose name is not plain ASCII") {
  Folder folder;
  Column number({"größe", DType::I32});
  for (const std::int32_t n : {3, 1, 2}) number.append(n);
  const std::vector<FitsColumn> columns{{number.info(), &number, {}}};
  write_fits_table(folder / "part", {}, columns, std::vector<std::size_t>{0, 1, 2});
  merge_fits_tables(std::vector{folder / "part"}, folder / "sorted", {}, {"größe", false});
  FitsTable table(folder / "sorted");
  CHECK(table.read(0, 1, std::vector<std::size_t>{0})[0].values.number(0) == 1);
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
  CHECK_THAT(opening("no FITS at all"), Contains("does not begin as a FITS file does"));
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

TEST_CASE("only what we wrote is merged, for bytes are copied") {
  Folder folder;
  Sample(0, 20).write(folder / "good.fits", header());
  std::string bytes = bytes_of(folder / "good.fits");
  const std::size_t at = bytes.find("TNULL3  = ");
  bytes.replace(at, 30, "TZERO3  =                    7");
  write_bytes(folder / "scaled.fits", bytes);
  const std::vector parts{folder / "scaled.fits"};
  CHECK_THAT(error_of([&] { merge_fits_tables(parts, folder / "x", {}); }),
             Contains("column 'plate' is stored in another way"));
  // Read, it is a number of that zero point.
  FitsTable table(folder / "scaled.fits");
  const std::vector<std::size_t> field{2};
  const auto cells = table.read(0, 2, field);
  CHECK(cells[0].values.dtype() == DType::F64);
  CHECK(cells[0].values.number(1) == 8);
}
