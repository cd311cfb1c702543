#include "fits/fits_table_input.hpp"

#include <utility>

#include "qsohost/io/fits.hpp"

namespace qsohost::inline io_v1 {

namespace {

class FitsInput final : public TableInput {
 public:
  FitsInput(OpenedFile file, std::string_view hdu)
      : table_(std::move(file), hdu), has_others_(hdu.empty()) {
    columns_.assign(table_.fields().begin(), table_.fields().end());
  }

  std::string_view form() const override {
    return table_.is_text() ? "FITS text table" : "FITS table";
  }
  std::uint64_t rows() const override { return table_.rows(); }
  const std::vector<InputColumn>& columns() const override { return columns_; }
  std::vector<Cells> read(std::uint64_t first, std::uint64_t count,
                          std::span<const std::size_t> columns) override {
    return table_.read(first, count, columns);
  }
  std::vector<Cells> read(std::span<const std::uint64_t> rows,
                          std::span<const std::size_t> columns) override {
    return table_.read(rows, columns);
  }
  std::optional<std::string> keyword(const std::string& name) const override {
    return table_.keyword(name);
  }
  std::optional<TimeSystem> time_system() const override { return table_.time_system(); }
  std::vector<OtherTable> others() const override {
    return has_others_ ? table_.others() : std::vector<OtherTable>();
  }

 private:
  FitsTable table_;
  bool has_others_;
  std::vector<InputColumn> columns_;
};

}  // namespace

std::unique_ptr<TableInput> open_fits(OpenedFile file, std::string_view hdu) {
  return std::make_unique<FitsInput>(std::move(file), hdu);
}

}  // namespace qsohost::inline io_v1
