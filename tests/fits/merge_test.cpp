// Tables that are merged, in their order and sorted.
#include <functional>

#include "fits_sample.hpp"

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

TEST_CASE("many parts are merged as one table, and what happens to one meanwhile is told") {
  Folder folder;
  constexpr std::size_t kParts = 40;
  std::vector<std::filesystem::path> parts;
  ColumnInfo info{"spectrum", DType::F64};
  info.width = 2000;
  Column whole(info);
  std::vector<std::size_t> all;
  for (std::size_t k = 0; k < kParts; ++k) {
    Column part(info);
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < 10 + k; ++row) {
      rows.push_back(row);
      all.push_back(all.size());
      for (std::size_t i = 0; i < info.width; ++i) {
        const auto value = static_cast<double>(all.size() * 10000 + i);
        part.append(value);
        whole.append(value);
      }
    }
    parts.push_back(folder / std::to_string(k));
    write_fits_table(parts.back(), {}, std::vector<FitsColumn>{{info, &part, {}}}, rows);
  }
  write_fits_table(folder / "whole", {}, std::vector<FitsColumn>{{info, &whole, {}}}, all);
  merge_fits_tables(parts, folder / "merged", {});
  CHECK(std::filesystem::file_size(folder / "merged") > 18'000'000);
  CHECK(bytes_of(folder / "merged") == bytes_of(folder / "whole"));

  // The last look at the headers is followed by the copies.
  const auto meanwhile = [&](const std::function<void()>& change) {
    return error_of([&] {
      merge_fits_tables(parts, folder / "x", {}, {}, [&](std::size_t part, std::uint64_t) {
        if (part + 1 == kParts) change();
      });
    });
  };
  CHECK_THAT(meanwhile([&] {
               std::filesystem::copy_file(parts[7], parts[30],
                                          std::filesystem::copy_options::overwrite_existing);
             }),
             Contains(parts[30].string()) && Contains("was changed while it was merged"));
  CHECK_THAT(meanwhile([&] { std::filesystem::remove(parts[25]); }), Contains(parts[25].string()));
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
