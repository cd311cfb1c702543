#include "qsohost/io/catalog_columns.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "qsohost/error.hpp"
#include "qsohost/io/identifiers.hpp"
#include "qsohost/io/input_columns.hpp"

namespace qsohost::inline io_v1 {

namespace {

struct Key {
  const char* name;
  const char* unit;
  const char* help;
};
constexpr std::array<Key, 3> kKeys{{{"source_id", "", "identifier of the object"},
                                    {"ra", "deg", "right ascension, ICRS"},
                                    {"dec", "deg", "declination, ICRS"}}};

}  // namespace

CatalogOptions::CatalogOptions(OptionOwner* owner, const std::string& ids,
                               const std::string& columns_help)
    : id(owner, "id", "source_id", "column of identifiers, integers or texts" + ids),
      ra(owner, "ra", "ra", "column of right ascensions, ICRS; in degrees if it declares no unit"),
      dec(owner, "dec", "dec", "column of declinations, ICRS; in degrees if it declares no unit"),
      columns(owner, "columns", std::vector<std::string>{"all"},
              "further columns by name, or \"all\"; " + columns_help) {}

void declare_unopened(const CatalogNames& names, Ports& ports) {
  std::set<std::string> keys{names.id, names.ra, names.dec};
  for (const Key& key : kKeys) {
    const bool is_id = &key == &kKeys.front();
    ports.adds({"", key.name, is_id ? std::optional<DType>() : DType::F64, key.unit, key.help});
    keys.insert(key.name);
  }
  if (names.wants_all()) return ports.adds_unknown();
  for (const std::string& name : names.columns) {
    if (!keys.contains(name)) ports.adds({"", name, std::nullopt});
  }
}

std::string position_problem(double ra, double dec) {
  if (!std::isfinite(ra) || !std::isfinite(dec)) return "the position is not a number";
  if (ra < 0 || ra > 360) return "ra is outside [0, 360]";
  if (dec < -90 || dec > 90) return "dec is outside [-90, 90]";
  return "";
}

CatalogColumns::CatalogColumns(const InputTable& table, const CatalogNames& names,
                               const std::function<void(const std::string&)>& warn) {
  const std::vector<InputColumn>& columns = table.columns();
  const std::vector<std::string> in_table = table.column_names();
  positions_ = {find_column(table, names.id, "id"), find_column(table, names.ra, "ra"),
                find_column(table, names.dec, "dec")};
  check_position_column(columns[positions_[1]], table.name(), "ra");
  check_position_column(columns[positions_[2]], table.name(), "dec");
  ObjectNames taken;
  for (std::size_t i = 0; i < kKeys.size(); ++i) {
    taken.add(kKeys[i].name, in_table[positions_[i]], table.name());
    infos_.push_back({kKeys[i].name, DType::F64, kKeys[i].unit, kKeys[i].help});
  }
  const bool is_text = columns[positions_[0]].info.dtype == DType::String;
  infos_[0].dtype = is_text ? DType::String : DType::I64;
  const auto add = [&](std::size_t position, const std::string& name) {
    for (std::size_t i = 0; i < kKeys.size(); ++i) {
      if (positions_[i] == position) return;
    }
    const std::string problem = column_problem(columns[position]);
    if (problem.empty()) {
      taken.add(name, in_table[position], table.name());
      positions_.push_back(position);
      infos_.push_back(columns[position].info);
      infos_.back().name = name;
    } else if (names.wants_all()) {
      warn(fmt::format("{}: column '{}' is left out: {}", table.name(), name, problem));
    } else {
      throw RunError(
          fmt::format("{}: column '{}' cannot be taken: {}", table.name(), name, problem));
    }
  };
  if (names.wants_all()) {
    for (std::size_t i = 0; i < in_table.size(); ++i) add(i, in_table[i]);
    return;
  }
  for (const std::string& name : names.columns) {
    add(find_column(in_table, name, table.name(), "columns"), name);
  }
}

void CatalogColumns::declare(Ports& ports) const {
  for (const ColumnInfo& info : infos_) {
    ports.adds({"", info.name, info.dtype, info.unit, info.description, 0, info.width});
  }
}

std::vector<Column> CatalogColumns::of_objects(std::vector<Cells> read) const {
  std::vector<Column> columns;
  columns.push_back(id_column(read[0].values));
  columns.push_back(position_column(read[1].values, "ra"));
  columns.push_back(position_column(read[2].values, "dec"));
  for (std::size_t i = kKeys.size(); i < read.size(); ++i) {
    read[i].values.rename(infos_[i].name);
    columns.push_back(std::move(read[i].values));
  }
  return columns;
}

Column position_column(const Column& read, const std::string& name) {
  Column column({name, DType::F64, "deg", read.info().description});
  const double degrees = *degrees_in(read.info().unit);
  for (std::size_t i = 0; i < read.size(); ++i) column.append(degrees * read.number(i));
  return column;
}

}  // namespace qsohost::inline io_v1
