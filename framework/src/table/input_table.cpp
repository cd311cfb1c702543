#include "qsohost/io/input_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

#include "files/opened_file.hpp"
#include "files/table_input.hpp"
#include "fits/fits_table_input.hpp"
#include "qsohost/error.hpp"
#include "qsohost/names.hpp"
#include "text/not_text.hpp"
#include "text/text_input.hpp"
#include "votable/votable_input.hpp"

namespace qsohost::inline io_v1 {

namespace {

constexpr std::size_t kHead = 4096;

bool is_xml(std::string_view head) {
  if (head.starts_with("\xEF\xBB\xBF")) head.remove_prefix(3);
  if (head.starts_with("\xFE\xFF") || head.starts_with("\xFF\xFE")) head.remove_prefix(2);
  const std::size_t first = head.find_first_not_of(std::string_view(" \t\r\n\0", 5));
  return first != std::string_view::npos && head[first] == '<';
}

// An error page often names the VOTable that was asked for, so the root element decides.
bool is_html(std::string_view head) {
  const std::string text = lower_case(head);
  const std::size_t html = std::min(text.find("<html"), text.find("<!doctype html"));
  return html < std::min(text.find("<votable"), text.find(":votable"));
}

enum class Form : std::uint8_t { Fits, VoTable, Text };

// Told by the first bytes. Throws RunError if they are those of no table.
Form form_of(const OpenedFile& file, std::string_view hdu) {
  const std::string head = file.head(kHead);
  if (head.starts_with("SIMPLE  =")) return Form::Fits;
  if (is_xml(head)) {
    if (is_html(head)) {
      file.fail(
          "is an HTML page instead of a table, perhaps an archive's error page; open it in a "
          "browser to see what it says, and get the table again");
    }
    return Form::VoTable;
  }
  refuse_what_is_no_text(file);
  if (!hdu.empty()) {
    file.fail(fmt::format(
        "is a text with one table, so there is no HDU or TABLE '{}'; leave option 'hdu' out", hdu));
  }
  return Form::Text;
}

std::unique_ptr<TableInput> open_form(OpenedFile file, std::string_view hdu) {
  switch (form_of(file, hdu)) {
    case Form::Fits:
      return open_fits(std::move(file), hdu);
    case Form::VoTable:
      return open_votable(std::move(file), hdu);
    case Form::Text:
      break;
  }
  return open_text(std::move(file));
}

std::unique_ptr<TableInput> open_file(const std::filesystem::path& file, std::string_view hdu) {
  return open_form(OpenedFile(file, [&](const OpenedFile& begin) { form_of(begin, hdu); }), hdu);
}

// Such a column has no values, so that reading them would read other memory.
void check_readable(const InputTable& table, const std::string& name,
                    std::span<const std::size_t> columns) {
  for (const std::size_t i : columns) {
    const InputColumn& column = table.columns()[i];
    if (column.problem.empty()) continue;
    throw RunError(fmt::format("{}: column '{}': {}", name, column.info.name, column.problem));
  }
}

}  // namespace

InputTable::InputTable(const std::filesystem::path& file, std::string_view hdu)
    : name_(file.string()), input_(open_file(file, hdu)) {}
InputTable::InputTable(std::string name, std::unique_ptr<TableInput> input)
    : name_(std::move(name)), input_(std::move(input)) {}

InputTable InputTable::in_response(std::string name, std::string_view body) {
  auto input = open_form(OpenedFile(name, body), "");
  return {std::move(name), std::move(input)};
}

InputTable::~InputTable() = default;
InputTable::InputTable(InputTable&&) noexcept = default;

std::string_view InputTable::form() const {
  return input_->form();
}

std::uint64_t InputTable::rows() const {
  return input_->rows();
}

const std::vector<InputColumn>& InputTable::columns() const {
  return input_->columns();
}

std::vector<std::string> InputTable::column_names() const {
  std::vector<std::string> names;
  for (const InputColumn& column : columns()) names.push_back(column.info.name);
  return names;
}

std::vector<Cells> InputTable::read(std::uint64_t first, std::uint64_t count,
                                    std::span<const std::size_t> columns) {
  check_readable(*this, name_, columns);
  return input_->read(first, count, columns);
}

std::vector<Cells> InputTable::read(std::span<const std::uint64_t> rows,
                                    std::span<const std::size_t> columns) {
  check_readable(*this, name_, columns);
  return input_->read(rows, columns);
}

std::string InputTable::place(std::uint64_t row) const {
  return input_->place(row);
}

std::optional<std::string> InputTable::keyword(const std::string& name) const {
  return input_->keyword(name);
}

std::optional<TimeSystem> InputTable::time_system() const {
  return input_->time_system();
}

std::vector<OtherTable> InputTable::others() const {
  return input_->others();
}

std::vector<std::string> InputTable::warnings() const {
  std::vector<std::string> out;
  std::vector<std::string> names;
  for (const OtherTable& other : others()) {
    names.push_back(fmt::format("'{}' ({} rows)", other.name, other.rows));
  }
  if (!names.empty()) {
    out.push_back(fmt::format(
        "{}: the file has {} tables; the first is read, and not {}; choose with option 'hdu'",
        name_, names.size() + 1, fmt::join(names, ", ")));
  }
  for (const std::string& warning : input_->warnings()) {
    out.push_back(fmt::format("{}: {}", name_, warning));
  }
  return out;
}

}  // namespace qsohost::inline io_v1
