#include <catch2/catch.hpp>

#include <vector>

#include "files/spool.hpp"

using namespace qsohost;

namespace {

const std::vector<ColumnInfo> kColumns{{"flag", DType::Bool, "", ""},
                                       {"n", DType::I16, "", ""},
                                       {"pair", DType::I64, "", "", 2},
                                       {"name", DType::String, "", ""},
                                       {"mjd", DType::F64, "d", ""}};

// One row with number i, and an array of i epochs.
void add_row(std::vector<Cells>& block, int i) {
  block[0].values.append(i % 2 == 0);
  i == 2 ? block[1].values.append_null() : block[1].values.append(static_cast<std::int16_t>(i));
  for (const std::int64_t half : {1, 2}) block[2].values.append(std::int64_t{i} * half);
  block[3].values.append_string(std::string(static_cast<std::size_t>(i), 'x'));
  for (int k = 0; k < i; ++k) block[4].values.append(58000.0 + k);
  block[4].lengths.push_back(static_cast<std::uint64_t>(i));
}

std::vector<Cells> block_of(int first, int rows) {
  std::vector<Cells> block;
  for (const ColumnInfo& info : kColumns) block.push_back({Column(info), {}});
  for (int i = first; i < first + rows; ++i) add_row(block, i);
  return block;
}

template <class T>
std::vector<Stored<T>> values(const Cells& cells) {
  const auto span = cells.values.values<T>();
  return {span.begin(), span.end()};
}

}  // namespace

TEST_CASE("blocks of a spool are read back, column by column, in any order") {
  Spool spool(kColumns, "t.vot");
  spool.append(block_of(0, 4));
  spool.append(block_of(4, 1));
  spool.append(block_of(0, 0));
  CHECK(spool.blocks() == 3);
  const std::vector<std::size_t> all{0, 1, 2, 3, 4};
  const std::vector<Cells> last = spool.read(1, all);
  CHECK(values<double>(last[4]) == std::vector<double>{58000, 58001, 58002, 58003});
  CHECK_FALSE(last[1].values.has_nulls());

  const std::vector<std::size_t> chosen{4, 3, 1, 0, 2};
  const std::vector<Cells> first = spool.read(0, chosen);
  CHECK(first[0].lengths == std::vector<std::uint64_t>{0, 1, 2, 3});
  CHECK(values<double>(first[0]) == std::vector<double>{58000, 58000, 58001, 58000, 58001, 58002});
  CHECK(first[0].values.info().unit == "d");
  CHECK(first[1].values.strings()[3] == "xxx");
  CHECK(values<std::int16_t>(first[2]) == std::vector<std::int16_t>{0, 1, 0, 3});
  CHECK(first[2].values.is_null(2));
  CHECK_FALSE(first[2].values.is_null(0));
  CHECK(values<bool>(first[3]) == std::vector<std::uint8_t>{1, 0, 1, 0});
  CHECK(values<std::int64_t>(first[4]) == std::vector<std::int64_t>{0, 0, 1, 2, 2, 4, 3, 6});
  CHECK(spool.read(2, all)[0].values.size() == 0);
}

TEST_CASE("a block larger than the spool's buffer") {
  const std::vector<ColumnInfo> info{{"v", DType::F64, "", ""}, {"s", DType::String, "", ""}};
  std::vector<Cells> block;
  for (const ColumnInfo& i : info) block.push_back({Column(i), {}});
  for (int i = 0; i < 300000; ++i) {
    block[0].values.append(0.5 * i);
    block[1].values.append_string(std::to_string(i));
  }
  Spool spool(info, "t.vot");
  spool.append(block);
  const std::vector<std::size_t> both{1, 0};
  const std::vector<Cells> back = spool.read(0, both);
  CHECK(back[0].values.strings()[299999] == "299999");
  CHECK(values<double>(back[1]) == values<double>(block[0]));
}
