#include "table_file.hpp"

#include <sstream>
#include <utility>

#include "qsohost/io/input_table.hpp"

namespace qsohost::python {
namespace {

TableColumn column_of(Cells cells, bool is_array) {
  TableColumn column{std::move(cells.values)};
  if (!is_array) return column;
  column.offsets.assign(1, 0);
  for (const std::uint64_t length : cells.lengths)
    column.offsets.push_back(column.offsets.back() + length);
  return column;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

}  // namespace

std::string extension_of(const std::filesystem::path& file) {
  return InputTable(file).keyword("EXTNAME").value_or("");
}

std::shared_ptr<const Table> read_table(const std::filesystem::path& file, const std::string& hdu) {
  InputTable input(file, hdu);
  auto table = std::make_shared<Table>();
  table->extension = input.keyword("EXTNAME").value_or("");
  table->rows = input.rows();
  table->warnings = input.warnings();
  table->history = lines_of(input.keyword("HISTORY").value_or(""));
  FitsEpochs epochs = read_epoch_keywords(input);
  table->groups = std::move(epochs.groups);
  table->epoch_columns = std::move(epochs.columns);
  std::vector<std::size_t> readable;
  for (std::size_t i = 0; i < input.columns().size(); ++i) {
    const InputColumn& column = input.columns()[i];
    if (column.problem.empty()) {
      readable.push_back(i);
    } else {
      table->warnings.push_back(file.string() + ": column '" + column.info.name +
                                "' is left out: " + column.problem);
    }
  }
  std::vector<Cells> cells = input.read(0, input.rows(), readable);
  for (std::size_t k = 0; k < cells.size(); ++k) {
    const bool is_array = input.columns()[readable[k]].is_array;
    table->columns.push_back(column_of(std::move(cells[k]), is_array));
  }
  return table;
}

ArrowTable arrow_table_of(std::shared_ptr<const Table> table) {
  ArrowTable out;
  out.rows = table->rows;
  for (const TableColumn& column : table->columns)
    out.fields.push_back({column.values.name(), &column.values, {}, column.offsets});
  out.owner = std::move(table);
  return out;
}

}  // namespace qsohost::python
