#include "text_table.hpp"

#include <unistd.h>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <utility>

#include <qsohost/error.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/io/text.hpp>

namespace gaia {

namespace {

using qsohost::Column;
using qsohost::DType;
using qsohost::TryAgain;

// InputTable reads files.
class TemporaryFile {
 public:
  explicit TemporaryFile(std::string_view content) {
    std::string name = (std::filesystem::temp_directory_path() / "qsohost-XXXXXX").string();
    const int descriptor = ::mkstemp(name.data());
    if (descriptor < 0) throw qsohost::RunError("no temporary file can be made: " + name);
    ::close(descriptor);
    path_ = name;
    std::ofstream out(path_, std::ios::binary);
    out.write(content.data(), static_cast<std::streamsize>(content.size()));
    if (!out.flush()) throw qsohost::RunError(name + ": cannot be written");
  }
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

std::string text_of(const Column& values, std::size_t i) {
  if (values.is_null(i)) return "";
  switch (values.dtype()) {
    case DType::Bool:
      return values.values<bool>()[i] != 0 ? "true" : "false";
    case DType::I16:
      return fmt::format("{}", values.values<std::int16_t>()[i]);
    case DType::I32:
      return fmt::format("{}", values.values<std::int32_t>()[i]);
    case DType::I64:
      return fmt::format("{}", values.values<std::int64_t>()[i]);
    case DType::F32:  // to the nearest float, as the text of an archive
      return fmt::format("{}", values.values<float>()[i]);
    case DType::F64:
      return fmt::format("{}", values.values<double>()[i]);
    case DType::String:
      return std::string(values.strings()[i]);
  }
  return "";
}

// Each row's cell of one column.
void append_cells(const qsohost::Cells& cells, std::vector<std::vector<std::string>>& rows) {
  const std::size_t width = cells.values.width();
  std::size_t next = 0;
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const bool is_array = !cells.lengths.empty() || width > 1;
    if (!is_array) {
      rows[row].push_back(text_of(cells.values, row));
      continue;
    }
    const std::size_t count = cells.lengths.empty() ? width : cells.lengths[row];
    std::string list;
    for (std::size_t i = 0; i < count; ++i) {
      list += (i == 0 ? "" : ", ") + text_of(cells.values, next++);
    }
    rows[row].push_back(fmt::format("[{}]", list));
  }
}

TextTable read_file(std::string_view text) {
  const TemporaryFile file(text);
  try {
    qsohost::InputTable input(file.path());
    TextTable table;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < input.columns().size(); ++i) {
      if (!input.columns()[i].problem.empty()) continue;
      table.columns.push_back(input.columns()[i].info.name);
      places.push_back(i);
    }
    table.rows.resize(input.rows());
    for (const qsohost::Cells& cells : input.read(0, input.rows(), places)) {
      append_cells(cells, table.rows);
    }
    for (const char* name : {"release", "source_id"}) {
      if (const auto value = input.keyword(name)) table.keywords[name] = *value;
    }
    return table;
  } catch (const qsohost::RunError& e) {
    std::string what = e.what();
    if (what.starts_with(file.path().string()))
      what.replace(0, file.path().string().size(), "table");
    throw TryAgain(what);
  }
}

bool is_lines(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \r\n\t\xef\xbb\xbf");
  text.remove_prefix(std::min(first, text.size()));
  return !text.starts_with('<') && !text.starts_with("SIMPLE") && !text.starts_with("# %ECSV");
}

// Throws TryAgain for errors in the form of a VOTable or of a page.
void check_no_error(std::string_view text) {
  try {
    const qsohost::TableReader reader(text);
  } catch (const qsohost::BadObject&) {  // binary, which it does not read
  }
}

}  // namespace

TextTable read_table(std::string_view text) {
  if (!is_lines(text)) {
    if (!text.starts_with("SIMPLE") && !text.starts_with('#')) check_no_error(text);
    return read_file(text);
  }
  qsohost::TableReader reader(text);
  TextTable table;
  table.columns = reader.columns();
  for (std::vector<std::string_view> cells; reader.next(cells);) {
    table.rows.emplace_back(cells.begin(), cells.end());
  }
  return table;
}

}  // namespace gaia
