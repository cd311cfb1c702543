// A table in a file, in one of the forms that InputTable reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/io/cells.hpp"
#include "qsohost/io/input_table.hpp"
#include "qsohost/time_system.hpp"

namespace qsohost::inline io_v1 {

class TableInput {
 public:
  TableInput() = default;
  TableInput(const TableInput&) = delete;
  TableInput& operator=(const TableInput&) = delete;
  virtual ~TableInput() = default;

  virtual std::string_view form() const = 0;
  virtual std::uint64_t rows() const = 0;
  virtual const std::vector<InputColumn>& columns() const = 0;
  // As InputTable::read(); rows and columns exist, and the columns have no problem.
  virtual std::vector<Cells> read(std::uint64_t first, std::uint64_t count,
                                  std::span<const std::size_t> columns) = 0;
  virtual std::vector<Cells> read(std::span<const std::uint64_t> rows,
                                  std::span<const std::size_t> columns) = 0;

  virtual std::string place(std::uint64_t row) const { return "row " + std::to_string(row + 1); }
  virtual std::optional<std::string> keyword(const std::string& /*name*/) const { return {}; }
  virtual std::optional<TimeSystem> time_system() const { return {}; }
  virtual std::vector<OtherTable> others() const { return {}; }
  virtual std::vector<std::string> warnings() const { return {}; }
};

}  // namespace qsohost::inline io_v1
