#include "tap/archives.hpp"

#include <fmt/format.h>

#include "tap/fits_rows.hpp"
#include "tap/gaia_tables.hpp"

namespace qsohost::skysim {

namespace {

constexpr std::uint64_t kFirstJob = 1790000000000;  // a time in ms, as in the ids of ESA and AIP

std::string esa_id(std::uint64_t n) {
  return fmt::format("{}O", kFirstJob + n);
}
std::string aip_id(std::uint64_t n) {
  return fmt::format("{:08x}-0000-4000-8000-{:012x}", n, kFirstJob + n);
}
std::string vizier_id(std::uint64_t n) {
  return fmt::format("{}A", kFirstJob + n);
}
std::string irsa_id(std::uint64_t n) {
  return fmt::format("tap_{:06}", n);
}

// A table whose columns are those of a file of the sky; without rows if the sky lacks the file.
TapTable table_of(const std::filesystem::path& file, const std::string& list, std::string name,
                  std::string description, std::vector<std::string> indexed) {
  TapTable table{"", std::move(name), std::move(description), tap_columns(list), std::move(indexed),
                 {}};
  table.fill = [file, list](const TapInsert& insert) {
    if (!std::filesystem::exists(file)) return;
    const auto names = names_of(tap_columns(list));
    std::vector<TapCell> cells(names.size());
    for_each_row(file, names, [&](const FitsRow& row) {
      for (std::size_t k = 0; k < names.size(); ++k) cells[k] = row.cell(k);
      insert(cells);
    });
  };
  return table;
}

TapManner esa_manner() {
  TapManner esa{.name = "esa", .base = "/tap-server/tap"};
  esa.style.quotes_texts = true;
  esa.style.votable_is_binary = true;
  esa.sync_rows = 2000;
  esa.async_rows = 3'000'000;
  esa.job_id = esa_id;
  esa.redirects_to_result = true;
  esa.is_tap_plus = true;
  return esa;
}

TapManner aip_manner() {
  TapManner aip{.name = "aip", .base = "/aip/tap"};
  aip.job_id = aip_id;
  aip.has_relative_location = true;
  aip.needs_run = true;
  aip.has_html_errors = true;
  return aip;
}

TapManner vizier_manner() {
  TapManner vizier{.name = "vizier", .base = "/TAPVizieR/tap"};
  vizier.style.states_time = true;
  vizier.job_id = vizier_id;
  return vizier;
}

TapManner irsa_manner() {
  TapManner irsa{.name = "irsa", .base = "/TAP"};
  irsa.style.null_word = "null";
  irsa.style.has_ipac = true;
  irsa.most_uploaded = 10'000;
  irsa.job_id = irsa_id;
  return irsa;
}

std::vector<TapTable> irsa_tables(const std::filesystem::path& folder) {
  std::vector<TapTable> tables;
  for (const char* release : {"", "_dr20", "_dr21", "_dr22", "_dr23", "_dr24"}) {
    tables.push_back(table_of(folder / "ztf_objects.fits", "ztf_objects",
                              fmt::format("ztf_objects{}", release), "objects of ZTF",
                              {"oid", "dec"}));
  }
  tables.push_back(table_of(folder / "neowise.fits", "neowise", "neowiser_p1bs_psd",
                            "single exposures of NEOWISE", {"dec"}));
  return tables;
}

}  // namespace

std::vector<std::unique_ptr<ArchiveService>> tap_archives(const std::filesystem::path& folder,
                                                          GaiaRelease release,
                                                          const Conditions& conditions) {
  const std::string id = conditions.traps.value("aip-id");
  std::vector<TapTable> esa{gaia_source_table(folder, GaiaRelease::Dr3)};
  std::vector<TapTable> aip{gaia_source_table(folder, GaiaRelease::Dr3),
                            epoch_photometry_table(folder, GaiaRelease::Dr3, id)};
  if (release == GaiaRelease::Dr4) {
    esa.push_back(gaia_source_table(folder, GaiaRelease::Dr4));
    esa.push_back(neighbourhood_table(folder));
    aip.push_back(gaia_source_table(folder, GaiaRelease::Dr4));
    aip.push_back(epoch_photometry_table(folder, GaiaRelease::Dr4, id));
  }
  std::vector<std::unique_ptr<ArchiveService>> services;
  const auto add = [&](TapManner manner, std::vector<TapTable> tables) {
    services.push_back(
        std::make_unique<TapService>(std::move(manner), std::move(tables), conditions));
  };
  add(esa_manner(), std::move(esa));
  add(aip_manner(), std::move(aip));
  add(vizier_manner(), {vizier_source_table(folder), vizier_epoch_table(folder)});
  add(irsa_manner(), irsa_tables(folder));
  return services;
}

}  // namespace qsohost::skysim
