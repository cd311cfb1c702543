#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include <qsohost/io/fits.hpp>
#include <qsohost/io/input_columns.hpp>

#include "table_input.hpp"

namespace catalog {

namespace {

class FitsInput final : public TableInput {
 public:
  FitsInput(const std::filesystem::path& file, const std::string& hdu)
      : name_(file.string()), table_(file, hdu) {
    for (const qsohost::FitsField& field : table_.fields()) {
      columns_.push_back({field.info, qsohost::column_trouble(field)});
    }
  }

  const std::string& name() const override { return name_; }
  const std::vector<InputColumn>& columns() const override { return columns_; }
  std::uint64_t rows() const override { return table_.rows(); }

  void start(std::vector<std::size_t> columns) override {
    chosen_ = std::move(columns);
    block_ = next_ = 0;
  }

  bool skip_to(std::uint64_t row) override {
    next_ = std::min(row, rows());
    return true;
  }

  std::vector<qsohost::Column> next(std::size_t n) override {
    const std::uint64_t count = std::min<std::uint64_t>(n, rows() - next_);
    std::vector<qsohost::Column> columns;
    for (qsohost::FitsCells& cells : table_.read(next_, count, chosen_)) {
      columns.push_back(std::move(cells.values));
    }
    block_ = std::exchange(next_, next_ + count);
    return columns;
  }

  std::string place(std::size_t i) const override { return fmt::format("row {}", block_ + i + 1); }

 private:
  std::string name_;
  qsohost::FitsTable table_;
  std::vector<InputColumn> columns_;
  std::vector<std::size_t> chosen_;
  std::uint64_t next_ = 0;
  std::uint64_t block_ = 0;  // first row of the last block
};

}  // namespace

std::unique_ptr<TableInput> open_table(const std::filesystem::path& file, const std::string& hdu) {
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    throw qsohost::RunError(
        fmt::format("{}: there is no such file; see option 'path'", file.string()));
  }
  if (qsohost::looks_like_fits(file)) return std::make_unique<FitsInput>(file, hdu);
  if (hdu.empty()) return open_text(file);
  throw qsohost::RunError(fmt::format(
      "{}: is no FITS file, so there is no HDU '{}'; leave option 'hdu' out", file.string(), hdu));
}

}  // namespace catalog
