#include "load.hpp"

#include <fmt/format.h>
#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <memory>
#include <numeric>

#include "qsohost/error.hpp"
#include "qsohost/fits.hpp"

namespace qsohost::skysim {

namespace {

constexpr std::uint64_t kBlock = 2000;  // rows in memory

struct Target {
  std::string_view file;
  std::string_view schema;
  std::string_view table;
  bool has_position;
};
constexpr std::array<Target, 3> kTargets{
    Target{"sdss_dr16q.fits", "sdssdr16qso", "main", true},
    Target{"gaia_source.fits", "gaia_dr3", "gaia_source", true},
    Target{"gaia_epoch.fits", "gaia_dr3", "epoch_photometry", false}};

class Database {
 public:
  explicit Database(const std::string& dsn) : connection_(PQconnectdb(dsn.c_str()), PQfinish) {
    if (PQstatus(connection_.get()) != CONNECTION_OK) {
      throw RunError(fmt::format("no connection to PostgreSQL: {}", error()));
    }
    PQsetNoticeProcessor(
        connection_.get(), [](void*, const char*) {}, nullptr);
  }

  std::string run(const std::string& sql) {
    const std::unique_ptr<PGresult, void (*)(PGresult*)> result(
        PQexec(connection_.get(), sql.c_str()), PQclear);
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_COPY_IN) {
      throw RunError(fmt::format("PostgreSQL: {}in: {}", error(), sql.substr(0, 200)));
    }
    return PQntuples(result.get()) > 0 ? PQgetvalue(result.get(), 0, 0) : "";
  }
  void put(std::string_view data) {
    if (PQputCopyData(connection_.get(), data.data(), static_cast<int>(data.size())) != 1) {
      throw RunError(fmt::format("PostgreSQL: {}", error()));
    }
  }
  void end_copy() {
    if (PQputCopyEnd(connection_.get(), nullptr) != 1) {
      throw RunError(fmt::format("PostgreSQL: {}", error()));
    }
    std::string trouble;
    while (PGresult* result = PQgetResult(connection_.get())) {
      if (PQresultStatus(result) != PGRES_COMMAND_OK) trouble = PQresultErrorMessage(result);
      PQclear(result);
    }
    if (!trouble.empty()) throw RunError(fmt::format("PostgreSQL: {}", trouble));
  }

 private:
  std::string error() const { return PQerrorMessage(connection_.get()); }
  std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

std::string_view sql_type(DType dtype) {
  constexpr std::array<std::string_view, 7> types{
      "boolean", "smallint", "integer", "bigint", "real", "double precision", "text"};
  static_assert(types.size() == static_cast<std::size_t>(DType::String) + 1,
                "each DType needs its type here");
  return types[static_cast<std::size_t>(dtype)];
}

std::string in_quotes(std::string_view name) {
  return fmt::format("\"{}\"", name);
}

std::string full_name(const Target& target) {
  return in_quotes(target.schema) + "." + in_quotes(target.table);
}

void create(Database& database, const Target& target, const FitsTable& table, bool is_replacing) {
  const std::string name = full_name(target);
  database.run(fmt::format("CREATE SCHEMA IF NOT EXISTS {}", in_quotes(target.schema)));
  if (is_replacing) database.run(fmt::format("DROP TABLE IF EXISTS {}", name));
  const std::string there = database.run(fmt::format("SELECT to_regclass('{}')", name));
  if (!there.empty()) {
    throw RunError(fmt::format("table {} is there already; --replace drops it first", there));
  }
  std::string columns;
  for (const FitsField& field : table.fields()) {
    const bool is_array = field.is_array || field.info.width > 1;
    columns += fmt::format("{}{} {}{}", columns.empty() ? "" : ", ", in_quotes(field.info.name),
                           sql_type(field.info.dtype), is_array ? "[]" : "");
  }
  database.run(fmt::format("CREATE TABLE {} ({})", name, columns));
}

template <class T>
void put_float(T value, std::string_view null, bool keeps_nan, std::string& out) {
  if (std::isnan(value)) {
    out += keeps_nan ? "NaN" : null;
  } else {
    fmt::format_to(std::back_inserter(out), "{}", value);
  }
}

// One value as COPY's text form has it; `null` stands for what is missing.
void put_value(const Column& column, std::size_t i, std::string_view null, bool keeps_nan,
               std::string& out) {
  const auto to = std::back_inserter(out);
  if (column.is_null(i)) {
    out += null;
    return;
  }
  switch (column.dtype()) {
    case DType::Bool:
      out += column.values<bool>()[i] != 0 ? 't' : 'f';
      return;
    case DType::String:
      out += column.strings()[i];  // letters, digits and signs: nothing to escape
      return;
    case DType::F32:
      return put_float(column.values<float>()[i], null, keeps_nan, out);
    case DType::F64:
      return put_float(column.values<double>()[i], null, keeps_nan, out);
    case DType::I64:
      fmt::format_to(to, "{}", column.values<std::int64_t>()[i]);
      return;
    default:
      fmt::format_to(to, "{}", static_cast<std::int64_t>(column.number(i)));
  }
}

void put_array(const Column& column, std::size_t first, std::size_t count, bool keeps_nan,
               std::string& out) {
  out += '{';
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    put_value(column, first + i, "NULL", keeps_nan, out);
  }
  out += '}';
}

void copy_rows(Database& database, FitsTable& table) {
  std::vector<std::size_t> fields(table.fields().size());
  std::iota(fields.begin(), fields.end(), std::size_t{0});
  std::string text;
  for (std::uint64_t first = 0; first < table.rows(); first += kBlock) {
    const std::uint64_t count = std::min(kBlock, table.rows() - first);
    const std::vector<FitsCells> cells = table.read(first, count, fields);
    std::vector<std::size_t> at(cells.size());  // where the arrays of this row begin
    for (std::uint64_t row = 0; row < count; ++row) {
      text.clear();
      const bool keeps_nan = (first + row) % 2 == 1;
      for (std::size_t k = 0; k < cells.size(); ++k) {
        if (k > 0) text += '\t';
        const Column& column = cells[k].values;
        const bool is_array = table.fields()[k].is_array;
        if (is_array || column.width() > 1) {
          const std::size_t length = is_array ? cells[k].lengths[row] : column.width();
          put_array(column, at[k], length, keeps_nan, text);
          at[k] += length;
        } else {
          put_value(column, row, "\\N", false, text);
        }
      }
      text += '\n';
      database.put(text);
    }
  }
}

void index(Database& database, const Target& target) {
  const std::string name = full_name(target);
  const auto create_index = [&](std::string_view suffix, std::string_view on) {
    database.run(fmt::format("CREATE INDEX {} ON {} ({})",
                             in_quotes(fmt::format("{}_{}", target.table, suffix)), name, on));
  };
  if (target.schema == "gaia_dr3") create_index("source_id_idx", "source_id");
  if (target.has_position) {
    create_index("q3c_idx", "q3c_ang2ipix(ra, dec)");
    database.run(fmt::format("CLUSTER {} USING {}", name,
                             in_quotes(fmt::format("{}_q3c_idx", target.table))));
  }
  database.run(fmt::format("ANALYZE {}", name));
}

}  // namespace

void load_sky(const LoadOptions& options) {
  Database database(options.dsn);
  database.run("BEGIN");
  database.run("CREATE EXTENSION IF NOT EXISTS q3c");
  for (const Target& target : kTargets) {
    const std::filesystem::path file = options.folder / target.file;
    if (target.table == "epoch_photometry" && !std::filesystem::exists(file)) continue;
    FitsTable table(file);
    create(database, target, table, options.is_replacing);
    database.run(fmt::format("COPY {} FROM STDIN", full_name(target)));
    copy_rows(database, table);
    database.end_copy();
    index(database, target);
    fmt::print("{}.{}: {} rows\n", target.schema, target.table, table.rows());
  }
  database.run("COMMIT");
}

}  // namespace qsohost::skysim
