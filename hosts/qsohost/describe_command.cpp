#include "describe_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include "describe/roles.hpp"
#include "describe/table_summary.hpp"
#include "json_text.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

std::string count(std::uint64_t n) {
  return grouped(static_cast<std::int64_t>(n));
}

// "f64", "f64 arrays of 0 to 812", "5 x f64"
std::string type_text(const ColumnSummary& c) {
  const std::string type(name_of(c.column.info.dtype));
  if (!c.column.problem.empty()) return "-";
  if (c.column.is_array) return fmt::format("{} arrays of {} to {}", type, c.shortest, c.longest);
  return c.column.info.width == 1 ? type : fmt::format("{} x {}", c.column.info.width, type);
}

std::string column_table(const TableSummary& table, const Suspected& suspected) {
  Table out({{"column"},
             {"type"},
             {"unit"},
             {"missing", Align::Right},
             {"perhaps"},
             {"first values"},
             {"description"}});
  for (const ColumnSummary& c : table.columns) {
    const ColumnInfo& info = c.column.info;
    out.add(
        {info.name, type_text(c), info.unit, count(c.missing), role_of(suspected, info.name),
         c.column.problem.empty() ? fmt::format("{}", fmt::join(c.first, ", ")) : c.column.problem,
         info.description});
  }
  return out.text();
}

std::string as_text(const TableSummary& table, const Suspected& suspected) {
  std::string out = fmt::format("{}: {}{}, {} rows, {} columns\n", table.file, table.form,
                                table.hdu.empty() ? "" : fmt::format(" '{}'", table.hdu),
                                count(table.rows), table.columns.size());
  for (const std::string& warning : table.warnings) out += fmt::format("  warning: {}\n", warning);
  if (!table.time_system.empty()) out += fmt::format("  times are {}\n", table.time_system);
  out += "\n" + column_table(table, suspected);
  if (table.looked_at < table.rows) {
    out += fmt::format("Lengths and missing values are those of the first {} rows.\n",
                       count(table.looked_at));
  }
  const std::string entry = chain_entry(table, suspected);
  out += entry.empty()
             ? "\nNo columns of identifiers with positions or light curves are recognised.\n"
             : "\nAn entry for a chain, to be checked and completed:\n\n" + entry;
  return out;
}

nlohmann::ordered_json as_json(const TableSummary& table, const Suspected& suspected) {
  nlohmann::ordered_json out;
  out["file"] = table.file;
  out["hdu"] = table.hdu;
  out["form"] = table.form;
  out["rows"] = table.rows;
  out["rows_looked_at"] = table.looked_at;
  out["time_system"] = table.time_system;
  out["columns"] = nlohmann::ordered_json::array();
  for (const ColumnSummary& c : table.columns) {
    const ColumnInfo& info = c.column.info;
    out["columns"].push_back({{"name", info.name},
                              {"type", name_of(info.dtype)},
                              {"unit", info.unit},
                              {"description", info.description},
                              {"is_array", c.column.is_array},
                              {"width", info.width},
                              {"missing", c.missing},
                              {"first", c.first},
                              {"role", role_of(suspected, info.name)},
                              {"problem", c.column.problem}});
  }
  out["warnings"] = table.warnings;
  out["chain_entry"] = chain_entry(table, suspected);
  return out;
}

}  // namespace

std::string describe(const Arguments& arguments) {
  std::string text;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const TableSummary& table : summarize(arguments.file, arguments.hdu)) {
    const Suspected suspected = suspect(table);
    if (arguments.json) {
      json.push_back(as_json(table, suspected));
    } else {
      text += (text.empty() ? "" : "\n") + as_text(table, suspected);
    }
  }
  return arguments.json ? to_json_text(json) + "\n" : text;
}

}  // namespace qsohost::cli
