#include "report/compared_catalog.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <string_view>

#include "nan.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/identifiers.hpp"
#include "qsohost/io/input_columns.hpp"
#include "qsohost/io/input_table.hpp"
#include "qsohost/sphere.hpp"
#include "report/object_columns.hpp"
#include "report/run_products.hpp"

namespace qsohost::cli {
namespace {

namespace fs = std::filesystem;

using Names = std::initializer_list<std::string_view>;

fs::path file_of(const fs::path& file) {
  if (!fs::is_directory(file)) return file;
  const RunProducts run(file);
  if (const Product* catalogue = largest_catalogue(run)) return catalogue->file;
  throw UsageError(
      fmt::format("{}: no product in this folder is a catalogue with ra and dec; name a file, or "
                  "add a fits-sink with what = \"catalog\" to the chain",
                  file.string()));
}

// One value a row.
bool is_plain(const InputColumn& column) {
  return column.problem.empty() && !column.is_array && column.info.width == 1;
}

bool is_numeric(const InputColumn& column) {
  return column.info.dtype != DType::String && column.info.dtype != DType::Bool;
}

// The named column, or the first of the usual names that there is.
std::optional<std::size_t> choose(const InputTable& table, const std::string& named, Names usual,
                                  std::string_view what, bool wants_numbers) {
  if (!named.empty()) {
    const std::size_t position = find_column(table, named, what);
    const InputColumn& column = table.columns()[position];
    if (is_plain(column) && (!wants_numbers || is_numeric(column))) return position;
    throw RunError(fmt::format("{}: column '{}' ({}) must hold {}, one a row", table.name(), named,
                               what, wants_numbers ? "numbers" : "identifiers"));
  }
  const std::vector<std::string> names = table.column_names();
  for (const std::string_view name : usual) {
    for (const std::size_t position : columns_called(names, name)) {
      const InputColumn& column = table.columns()[position];
      if (is_plain(column) && (!wants_numbers || is_numeric(column))) return position;
    }
  }
  return std::nullopt;
}

struct Chosen {
  std::optional<std::size_t> id, ra, dec, z, mag;
};

Chosen choose_columns(const InputTable& table, const CatalogColumns& columns) {
  Chosen out;
  out.id = choose(table, columns.id, {"source_id"}, "identifiers", false);
  out.ra = choose(table, columns.ra, {"ra", "RAJ2000", "ra_deg"}, "right ascensions", true);
  out.dec = choose(table, columns.dec, {"dec", "DEJ2000", "dec_deg"}, "declinations", true);
  out.z = choose(table, columns.z, {"z", "redshift", "redshift_quaia", "z_sys", "z_dr16q"},
                 "redshifts", true);
  out.mag = choose(table, columns.mag,
                   {"phot_g_mean_mag", "gaia_phot_g_mean_mag", "psfmag_i", "psfmag_r", "mag"},
                   "magnitudes", true);
  if (out.id && columns.id.empty() && table.rows() > 0) {
    const DType dtype = table.columns()[*out.id].info.dtype;
    if (dtype == DType::F32 || dtype == DType::F64 || dtype == DType::Bool) out.id.reset();
  } else if (out.id && table.rows() > 0) {
    check_id_type(table.columns()[*out.id], table.name(), "identifiers");
  }
  if (out.ra && out.dec) {
    check_position_column(table.columns()[*out.ra], table.name(), "right ascensions");
    check_position_column(table.columns()[*out.dec], table.name(), "declinations");
    return out;
  }
  throw RunError(
      fmt::format("{}: there are no columns 'ra' and 'dec' of numbers; call those of the "
                  "positions so",
                  table.name()));
}

void append_numbers(const Column& from, double unit, std::vector<double>& to) {
  for (std::size_t i = 0; i < from.size(); ++i) to.push_back(unit * from.number(i));
}

void check_values(ComparedCatalog& out) {
  for (std::size_t i = 0; i < out.rows; ++i) {
    if (!is_on_sky(out.ra[i], out.dec[i])) out.ra[i] = out.dec[i] = kNan;
  }
  for (double& z : out.z) {
    if (!(z > 0 && z < 50)) z = kNan;  // -1, 0, 9999 and the like stand for none
  }
  for (double& mag : out.mag) {
    if (!(mag > 0 && mag < 50)) mag = kNan;
  }
}

}  // namespace

ComparedCatalog read_compared_catalog(const fs::path& file, const CatalogColumns& columns) {
  constexpr std::uint64_t kBlock = 8192;
  InputTable table(file_of(file), columns.hdu);
  const Chosen chosen = choose_columns(table, columns);
  const auto name_of_column = [&](std::optional<std::size_t> position) {
    return position ? table.columns()[*position].info.name : std::string();
  };
  ComparedCatalog out{.name = fs::path(table.name()).filename().string(),
                      .id_name = name_of_column(chosen.id),
                      .z_name = name_of_column(chosen.z),
                      .mag_name = name_of_column(chosen.mag),
                      .rows = table.rows()};
  const double ra_unit = *degrees_in(table.columns()[*chosen.ra].info.unit);
  const double dec_unit = *degrees_in(table.columns()[*chosen.dec].info.unit);
  std::vector<std::size_t> positions{*chosen.ra, *chosen.dec};
  for (const auto& more : {chosen.z, chosen.mag, chosen.id}) {
    if (more) positions.push_back(*more);
  }
  for (std::uint64_t first = 0; first < table.rows(); first += kBlock) {
    const auto cells = table.read(first, std::min(kBlock, table.rows() - first), positions);
    append_numbers(cells[0].values, ra_unit, out.ra);
    append_numbers(cells[1].values, dec_unit, out.dec);
    std::size_t next = 2;
    if (chosen.z) append_numbers(cells[next++].values, 1, out.z);
    if (chosen.mag) append_numbers(cells[next++].values, 1, out.mag);
    if (!chosen.id) continue;
    const Column ids = id_column(cells[next].values);
    if (!out.ids) out.ids.emplace(ids.info());
    out.ids->append_cells(ids, 0, ids.size());
  }
  check_values(out);
  return out;
}

}  // namespace qsohost::cli
