#include "tap/request.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "form.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"
#include "ztf_query.hpp"

namespace qsohost::skysim {

namespace {

// Cells are numbers if all of the column are.
TapColumn column_of(const TableField& field, const std::vector<std::vector<std::string>>& rows,
                    std::size_t place) {
  const auto all = [&](const auto& parse) {
    return !field.is_text && std::ranges::all_of(rows, [&](const auto& row) {
      return row[place].empty() || parse(row[place]).has_value();
    });
  };
  const char* type = all(parse_int) ? "long" : all(parse_double) ? "double" : "char";
  return {field.name, type, field.unit, field.description};
}

TapCell typed(const TapColumn& column, const std::string& text) {
  if (column.datatype == "char") return text;
  if (text.empty()) return {};
  if (column.datatype == "long") return *parse_int(text);
  return *parse_double(text);
}

}  // namespace

const std::string& TapRequest::get(const std::string& name) const {
  static const std::string none;
  const auto it = parameters.find(name);
  return it == parameters.end() ? none : it->second;
}

TapRequest tap_request(const httplib::Request& request) {
  TapRequest tap;
  for (const auto& [name, value] : parameters_of(request))
    tap.parameters.emplace(lower(name), value);
  tap.is_multipart = request.is_multipart_form_data();
  tap.has_query_in_url = tap.is_multipart && tap.parameters.contains("query");
  for (const auto& [name, part] : request.files) {
    if (part.filename.empty()) {
      tap.parameters.emplace(lower(name), part.content);
    } else {
      tap.files[name] = part.content;
    }
  }
  return tap;
}

TapDatabase::Upload read_upload(const std::string& name, const std::string& content,
                                std::size_t most_rows) {
  std::vector<std::vector<std::string>> rows;
  TapDatabase::Upload upload{name, {}, {}};
  try {
    TableReader reader(content, TableOrigin::User);
    std::vector<std::string_view> cells;
    while (reader.next(cells)) rows.emplace_back(cells.begin(), cells.end());
    for (std::size_t i = 0; i < reader.fields().size(); ++i) {
      upload.columns.push_back(column_of(reader.fields()[i], rows, i));
    }
  } catch (const Error& error) {
    throw BadRequest(fmt::format("{}: {}", name, error.what()));
  }
  if (rows.size() > most_rows) {
    throw BadRequest(fmt::format("{}: {} rows; {} is the limit", name, rows.size(), most_rows));
  }
  for (const auto& row : rows) {
    auto& typed_row = upload.rows.emplace_back();
    for (std::size_t i = 0; i < row.size(); ++i) {
      typed_row.push_back(typed(upload.columns[i], row[i]));
    }
  }
  return upload;
}

std::vector<TapDatabase::Upload> uploads_of(const TapRequest& request, std::size_t most_rows) {
  std::vector<TapDatabase::Upload> uploads;
  const auto [first, last] = request.parameters.equal_range("upload");
  for (auto it = first; it != last; ++it) {
    std::istringstream in(it->second);
    for (std::string part; std::getline(in, part, ';');) {
      const std::size_t comma = part.find(',');
      if (comma == std::string::npos || part.compare(comma + 1, 6, "param:") != 0) {
        throw BadRequest(fmt::format("UPLOAD: 'name,param:file' is wanted, not '{}'", part));
      }
      const auto file = request.files.find(part.substr(comma + 7));
      if (file == request.files.end()) {
        throw BadRequest(
            fmt::format("UPLOAD: nothing named '{}' was sent", part.substr(comma + 7)));
      }
      uploads.push_back(read_upload(lower(part.substr(0, comma)), file->second, most_rows));
    }
  }
  return uploads;
}

}  // namespace qsohost::skysim
