// The query of tap.hpp: from its text to its rows.
#include <fmt/format.h>

#include <algorithm>
#include <regex>

#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"
#include "tap.hpp"

namespace qsohost::skysim {

namespace {

constexpr std::size_t kMostUploaded = 10000;  // positions in a job

std::regex pattern(const std::string& text) {
  return std::regex(text, std::regex::icase | std::regex::ECMAScript);
}

std::vector<std::string> parts(const std::string& text, const std::regex& separator) {
  std::vector<std::string> out;
  for (std::sregex_token_iterator it(text.begin(), text.end(), separator, -1), end; it != end;
       ++it) {
    out.push_back(*it);
  }
  return out;
}

struct Adql {
  std::size_t limit = SIZE_MAX;
  std::string columns;
  std::string objects;      // name of the objects' table in the query
  std::string uploaded;     // name of the uploaded one
  std::string upload_name;  // without TAP_UPLOAD
  std::string ra;           // columns of the uploaded table
  std::string dec;
  double radius = 0;  // arcsec
};

void read_tables(const std::string& text, Adql& adql) {
  static const std::regex separator = pattern(R"(\s*,\s*|\s+(?:inner\s+)?join\s+)");
  static const std::regex table = pattern(R"(\s*([\w.]+)(?:\s+(?:as\s+)?(\w+))?\s*)");
  for (const std::string& part : parts(text, separator)) {
    std::smatch match;
    if (!std::regex_match(part, match, table)) throw BadRequest("ADQL: cannot read FROM " + text);
    const std::string name = lower(match[1].str());
    const std::string alias = match[2].matched ? lower(match[2].str()) : name;
    if (name.starts_with("tap_upload.")) {
      adql.uploaded = alias;
      adql.upload_name = name.substr(11);
    } else if (std::regex_match(name, pattern(R"(ztf_objects(_dr(20|21|22|23|24))?)"))) {
      adql.objects = alias;
    } else {
      throw BadRequest(fmt::format("ADQL: there is no table '{}'", name));
    }
  }
  if (adql.objects.empty() || adql.uploaded.empty()) {
    throw BadRequest("ADQL: FROM wants ztf_objects_dr24 and one table of TAP_UPLOAD");
  }
}

// "a.ra" to a and ra.
std::pair<std::string, std::string> reference(const std::string& text) {
  const std::size_t dot = text.rfind('.');
  if (dot == std::string::npos) return {"", lower(text)};
  return {lower(text.substr(0, dot)), lower(text.substr(dot + 1))};
}

double degrees(const std::string& text) {
  const std::size_t slash = text.find('/');
  const auto value = parse_double(text.substr(0, slash));
  const auto divisor =
      slash == std::string::npos ? std::optional<double>(1) : parse_double(text.substr(slash + 1));
  if (!value || !divisor || !(*value / *divisor > 0)) {
    throw BadRequest(fmt::format("ADQL: '{}' is no radius", text));
  }
  return *value / *divisor;
}

void read_condition(const std::string& text, Adql& adql) {
  static const std::regex condition = pattern(
      R"(\s*(?:1\s*=\s*)?contains\s*\(\s*point\s*\(\s*(?:'icrs'\s*,\s*)?([\w.]+)\s*,\s*([\w.]+)\s*\)\s*,)"
      R"(\s*circle\s*\(\s*(?:'icrs'\s*,\s*)?([\w.]+)\s*,\s*([\w.]+)\s*,\s*([\d.e+\-]+(?:\s*/\s*[\d.]+)?)\s*\)\s*\))"
      R"(\s*(?:=\s*1)?\s*;?\s*)");
  std::smatch match;
  if (!std::regex_match(text, match, condition)) {
    throw BadRequest("ADQL: the condition must be CONTAINS(POINT(...), CIRCLE(...)) = 1");
  }
  auto ra = reference(match[1]);
  auto dec = reference(match[2]);
  if (ra.first != adql.uploaded) {
    ra = reference(match[3]);
    dec = reference(match[4]);
  }
  if (ra.first != adql.uploaded || dec.first != adql.uploaded) {
    throw BadRequest("ADQL: CONTAINS must compare the two tables");
  }
  adql.ra = ra.second;
  adql.dec = dec.second;
  adql.radius = degrees(match[5]) * 3600;
}

Adql parse(const std::string& text) {
  static const std::regex query = pattern(
      R"(\s*select\s+(?:top\s+(\d+)\s+)?([\s\S]+?)\s+from\s+([\s\S]+?)\s+(?:where|on)\s+([\s\S]+))");
  std::smatch match;
  if (!std::regex_match(text, match, query)) {
    throw BadRequest("ADQL: SELECT ... FROM ... WHERE CONTAINS(...) = 1 is all that is understood");
  }
  Adql adql;
  if (match[1].matched) adql.limit = std::stoul(match[1].str());
  adql.columns = match[2];
  read_tables(match[3], adql);
  read_condition(match[4], adql);
  return adql;
}

struct Upload {
  std::vector<std::string> columns;  // lower case
  std::vector<std::vector<std::string>> rows;
  std::size_t at(const std::string& name) const {
    const auto it = std::ranges::find(columns, name);
    if (it == columns.end()) throw BadRequest("ADQL: the uploaded table has no column " + name);
    return static_cast<std::size_t>(it - columns.begin());
  }
};

Upload read_upload(const std::string& text) {
  Upload upload;
  try {
    TableReader reader(text, TableOrigin::User);
    for (const std::string& name : reader.columns()) upload.columns.push_back(lower(name));
    std::vector<std::string_view> cells;
    while (reader.next(cells)) upload.rows.emplace_back(cells.begin(), cells.end());
  } catch (const Error& error) {
    throw BadRequest(fmt::format("UPLOAD: {}", error.what()));
  }
  if (upload.rows.size() > kMostUploaded) {
    throw BadRequest(
        fmt::format("UPLOAD: {} rows; {} is the limit", upload.rows.size(), kMostUploaded));
  }
  return upload;
}

// A column of the result: of the objects' table or of the uploaded one.
struct Output {
  const Column* object = nullptr;
  std::size_t uploaded = 0;
  std::string name;
  std::string_view type;
  std::string unit;
};

std::string_view ipac_type(DType dtype) {
  switch (dtype) {
    case DType::I64:
      return "long";
    case DType::F32:
      return "float";
    case DType::F64:
      return "double";
    case DType::String:
      return "char";
    default:
      return "int";
  }
}

// Uploaded cells are returned as numbers if all of them are numbers.
std::string_view uploaded_type(const Upload& upload, std::size_t column) {
  const auto all = [&](const auto& parse) {
    return std::ranges::all_of(upload.rows,
                               [&](const auto& r) { return parse(r[column]).has_value(); });
  };
  return all(parse_int) ? "long" : all(parse_double) ? "double" : "char";
}

void add_output(const ZtfStore& store, const Upload& upload, bool is_object,
                const std::string& column, const std::string& name, std::vector<Output>& outputs) {
  Output out;
  out.name = name;
  if (is_object) {
    if (!store.has_column(column)) throw BadRequest("ADQL: no column " + column);
    out.object = &store.column(column);
    out.type = ipac_type(out.object->dtype());
    out.unit = out.object->info().unit;
  } else {
    out.uploaded = upload.at(column);
    out.type = uploaded_type(upload, out.uploaded);
  }
  outputs.push_back(std::move(out));
}

std::vector<Output> read_columns(const ZtfStore& store, const Upload& upload, const Adql& adql) {
  static const std::regex item = pattern(R"(\s*([\w.]*\*|[\w.]+)(?:\s+(?:as\s+)?(\w+))?\s*)");
  std::vector<Output> outputs;
  for (const std::string& part : parts(adql.columns, pattern(","))) {
    std::smatch match;
    if (!std::regex_match(part, match, item)) throw BadRequest("ADQL: cannot read " + part);
    const auto [table, column] = reference(match[1]);
    const bool both = table.empty();
    const bool is_object = table == adql.objects || (both && store.has_column(column));
    if (!both && !is_object && table != adql.uploaded) throw BadRequest("ADQL: no table " + table);
    if (column != "*") {
      add_output(store, upload, is_object, column, match[2].matched ? match[2].str() : column,
                 outputs);
      continue;
    }
    for (const FitsField& f : store.fields()) {
      if (both || is_object) add_output(store, upload, true, f.info.name, f.info.name, outputs);
    }
    for (const std::string& name : upload.columns) {
      if (both || !is_object) add_output(store, upload, false, name, name, outputs);
    }
  }
  return outputs;
}

void add_cell(const Output& out, std::size_t place, const std::vector<std::string>& row,
              TableText& text) {
  if (out.object == nullptr) return text.text(row[out.uploaded]);
  const Column& column = *out.object;
  switch (column.dtype()) {
    case DType::String:
      return text.text(column.strings()[place]);
    case DType::F32:
      return text.number(column.values<float>()[place]);
    case DType::F64:
      return text.number(column.values<double>()[place]);
    case DType::I64:
      return text.integer(column.values<std::int64_t>()[place]);
    default:
      return text.integer(static_cast<std::int64_t>(column.number(place)));
  }
}

}  // namespace

ZtfAnswer run_adql(const ZtfStore& store, const std::string& query,
                   const std::map<std::string, std::string>& uploads, TextFormat format) {
  const Adql adql = parse(query);
  const auto file = uploads.find(adql.upload_name);
  if (file == uploads.end()) throw BadRequest("UPLOAD: no table " + adql.upload_name);
  const Upload upload = read_upload(file->second);
  const std::size_t ra = upload.at(adql.ra);
  const std::size_t dec = upload.at(adql.dec);
  const std::vector<Output> outputs = read_columns(store, upload, adql);
  std::vector<TextColumn> columns;
  for (const Output& out : outputs) columns.push_back({out.name, out.type, out.unit});
  TableText text(format, columns);
  ZtfAnswer answer;
  for (const auto& row : upload.rows) {
    const auto x = parse_double(row[ra]);
    const auto y = parse_double(row[dec]);
    if (!x || !y) throw BadRequest("UPLOAD: a position is not a number");
    const auto inside = store.in_circle({*x, *y}, adql.radius);
    answer.objects += inside.size();
    for (const std::size_t place : inside) {
      if (answer.rows == adql.limit) break;
      ++answer.rows;
      text.begin_row();
      for (const Output& out : outputs) add_cell(out, place, row, text);
      text.end_row();
    }
  }
  answer.body = text.finish();
  return answer;
}

}  // namespace qsohost::skysim
