#include "compare/compare_table.hpp"

#include <fmt/format.h>

#include <cmath>
#include <numeric>
#include <system_error>

#include "qsohost/context.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/fits.hpp"

namespace qsohost::cli {

namespace {

namespace fs = std::filesystem;

fs::path beside(const fs::path& file, const char* ending) {
  return file.string() + ending;
}

std::string csv_text(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) out += c == '"' ? "\"\"" : std::string(1, c);
  return out + '"';
}

// The shortest text that keeps all bits; empty for a missing value.
std::string csv_cell(const Column& column, std::size_t row) {
  if (column.dtype() == DType::String) return csv_text(column.strings()[row]);
  if (column.is_null(row)) return "";
  if (column.dtype() == DType::I64) return fmt::format("{}", column.values<std::int64_t>()[row]);
  const double value = column.number(row);
  return std::isnan(value) ? "" : fmt::format("{}", value);
}

class CsvTable final : public CompareTable {
 public:
  CsvTable(fs::path file, const std::deque<Column>& empty)
      : file_(std::move(file)), part_(beside(file_, ".part")), out_(part_) {
    std::string line;
    for (const Column& column : empty) line += (line.empty() ? "" : ",") + csv_text(column.name());
    put(line);
  }
  ~CsvTable() override {
    std::error_code ignored;
    fs::remove(part_, ignored);
  }

  void add(const std::deque<Column>& columns) override {
    for (std::size_t row = 0; row < columns.front().size(); ++row) {
      std::string line;
      for (const Column& column : columns) line += csv_cell(column, row) + ',';
      line.pop_back();
      put(line);
    }
  }

  void finish() override {
    out_.close();
    check();
    publish_file(part_, file_);
  }

 private:
  void put(const std::string& line) {
    out_ << line << '\n';
    check();
  }
  void check() const {
    if (!out_)
      throw RunError(
          fmt::format("{}: cannot be written; check its folder and the free space, or name another "
                      "file by --out",
                      part_.string()));
  }
  fs::path file_, part_;
  std::ofstream out_;
};

class FitsCompareTable final : public CompareTable {
 public:
  FitsCompareTable(fs::path file, FitsHeader header, const std::deque<Column>& empty)
      : file_(std::move(file)), folder_(beside(file_, ".parts")), header_(std::move(header)) {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);  // of a run that was killed
    fs::create_directories(folder_);
    add(empty);
  }
  ~FitsCompareTable() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }

  void add(const std::deque<Column>& columns) override {
    std::vector<FitsColumn> fits;
    for (const Column& column : columns) fits.push_back({column.info(), &column, {}});
    std::vector<std::size_t> rows(columns.front().size());
    std::iota(rows.begin(), rows.end(), std::size_t{0});
    parts_.push_back(folder_ / fmt::format("{:08}.fits", parts_.size()));
    write_fits_table(parts_.back(), {header_.extension, {}, {}}, fits, rows);
  }

  void finish() override {
    const fs::path whole = folder_ / "whole.fits";
    merge_fits_tables(parts_, whole, header_);
    publish_file(whole, file_);
  }

 private:
  fs::path file_, folder_;
  FitsHeader header_;
  std::vector<fs::path> parts_;
};

}  // namespace

std::unique_ptr<CompareTable> make_compare_table(const fs::path& file, const FitsHeader& header,
                                                 const std::deque<Column>& empty) {
  if (file.has_parent_path()) fs::create_directories(file.parent_path());
  if (file.extension() == ".csv") return std::make_unique<CsvTable>(file, empty);
  return std::make_unique<FitsCompareTable>(file, header, empty);
}

}  // namespace qsohost::cli
