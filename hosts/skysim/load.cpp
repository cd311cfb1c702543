#include "load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>

#include "qsohost/error.hpp"
#include "qsohost/io/fits.hpp"
#include "qsohost/postgres.hpp"

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

std::string_view sql_type(DType dtype) {
  constexpr std::array<std::string_view, 7> types{
      "boolean", "smallint", "integer", "bigint", "real", "double precision", "text"};
  static_assert(types.size() == static_cast<std::size_t>(DType::String) + 1,
                "each DType needs its type here");
  return types[static_cast<std::size_t>(dtype)];
}

PgTable table_of(const Target& target) {
  return {std::string(target.schema), std::string(target.table)};
}

void create(PgTransaction& load, const Target& target, const FitsTable& table, bool is_replacing) {
  const std::string name = table_of(target).sql();
  load.execute(fmt::format("CREATE SCHEMA IF NOT EXISTS {}", quote_identifier(target.schema)));
  if (is_replacing) load.execute(fmt::format("DROP TABLE IF EXISTS {}", name));
  const std::vector<std::string> parameter{name};
  const auto there =
      load.query<std::optional<std::string>>("SELECT to_regclass($1)::text", parameter);
  if (const auto& [found] = there.at(0); found) {
    throw RunError(fmt::format("table {} is there already; --replace drops it first", *found));
  }
  std::string columns;
  for (const FitsField& field : table.fields()) {
    const bool is_array = field.is_array || field.info.width > 1;
    columns +=
        fmt::format("{}{} {}{}", columns.empty() ? "" : ", ", quote_identifier(field.info.name),
                    sql_type(field.info.dtype), is_array ? "[]" : "");
  }
  load.execute(fmt::format("CREATE TABLE {} ({})", name, columns));
}

template <class T>
void put_float(T value, bool keeps_nan, PgCopyIn& copy) {
  if (std::isnan(value) && !keeps_nan) {
    copy.put_null();
  } else {
    copy.put(value);
  }
}

void put_value(const Column& column, std::size_t i, bool keeps_nan, PgCopyIn& copy) {
  if (column.is_null(i)) return copy.put_null();
  switch (column.dtype()) {
    case DType::Bool:
      return copy.put(column.values<bool>()[i] != 0);
    case DType::I16:
      return copy.put(column.values<std::int16_t>()[i]);
    case DType::I32:
      return copy.put(column.values<std::int32_t>()[i]);
    case DType::I64:
      return copy.put(column.values<std::int64_t>()[i]);
    case DType::F32:
      return put_float(column.values<float>()[i], keeps_nan, copy);
    case DType::F64:
      return put_float(column.values<double>()[i], keeps_nan, copy);
    case DType::String:
      return copy.put(column.strings()[i]);
  }
}

void put_array(const Column& column, std::size_t first, std::size_t count, bool keeps_nan,
               PgCopyIn& copy) {
  copy.begin_array(column.dtype(), count);
  for (std::size_t i = first; i < first + count; ++i) put_value(column, i, keeps_nan, copy);
  copy.end_array();
}

void copy_rows(PgTransaction& load, const Target& target, FitsTable& table) {
  PgCopyIn copy(load, table_of(target).sql());
  std::vector<std::size_t> fields(table.fields().size());
  std::iota(fields.begin(), fields.end(), std::size_t{0});
  for (std::uint64_t first = 0; first < table.rows(); first += kBlock) {
    const std::uint64_t count = std::min(kBlock, table.rows() - first);
    const std::vector<Cells> cells = table.read(first, count, fields);
    std::vector<std::size_t> at(cells.size());  // where the arrays of this row begin
    for (std::uint64_t row = 0; row < count; ++row) {
      copy.begin_row(static_cast<std::int16_t>(cells.size()));
      const bool keeps_nan = (first + row) % 2 == 1;
      for (std::size_t k = 0; k < cells.size(); ++k) {
        const Column& column = cells[k].values;
        const bool is_array = table.fields()[k].is_array;
        if (is_array || column.width() > 1) {
          const std::size_t length = is_array ? cells[k].lengths[row] : column.width();
          put_array(column, at[k], length, keeps_nan, copy);
          at[k] += length;
        } else {
          put_value(column, row, false, copy);
        }
      }
    }
  }
  copy.finish();
}

void index(PgTransaction& load, const Target& target) {
  const std::string name = table_of(target).sql();
  const auto index_name = [&](std::string_view suffix) {
    return quote_identifier(fmt::format("{}_{}", target.table, suffix));
  };
  const auto create_index = [&](std::string_view suffix, std::string_view on) {
    load.execute(fmt::format("CREATE INDEX {} ON {} ({})", index_name(suffix), name, on));
  };
  if (target.schema == "gaia_dr3") create_index("source_id_idx", "source_id");
  if (target.has_position) {
    create_index("q3c_idx", "q3c_ang2ipix(ra, dec)");
    load.execute(fmt::format("CLUSTER {} USING {}", name, index_name("q3c_idx")));
  }
  load.execute(fmt::format("ANALYZE {}", name));
}

}  // namespace

void load_sky(const LoadOptions& options) {
  PgConnection connection(options.dsn, [] { return false; });
  PgTransaction load(connection, PgAccess::ReadWrite);
  load.execute("CREATE EXTENSION IF NOT EXISTS q3c");
  for (const Target& target : kTargets) {
    const std::filesystem::path file = options.folder / target.file;
    if (target.table == "epoch_photometry" && !std::filesystem::exists(file)) continue;
    FitsTable table(file);
    create(load, target, table, options.is_replacing);
    copy_rows(load, target, table);
    index(load, target);
    fmt::print("{}.{}: {} rows\n", target.schema, target.table, table.rows());
  }
  load.commit();
}

}  // namespace qsohost::skysim
