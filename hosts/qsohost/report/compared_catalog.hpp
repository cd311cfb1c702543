// A catalogue as far as a comparison needs it: identifier, position, redshift and magnitude of each
// row, from columns that are named or have the usual names.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "qsohost/column.hpp"

namespace qsohost::cli {

// Names of columns; "": the first of the usual names that the catalogue has.
struct CatalogColumns {
  std::string hdu{};  // as InputTable takes it
  std::string id{};   // of identifiers that mean the same in both catalogues
  std::string ra{}, dec{};
  std::string z{};
  std::string mag{};
};

// About 50 bytes a row. What a catalogue lacks is empty, what a row lacks NaN.
struct ComparedCatalog {
  std::string name{};  // of the file
  std::string id_name{}, z_name{}, mag_name{};
  std::optional<Column> ids{};      // i64 or texts
  std::vector<double> ra{}, dec{};  // deg; NaN: not on the sky
  std::vector<double> z{};          // NaN: none, or not between 0 and 50
  std::vector<double> mag{};        // likewise
  std::size_t rows = 0;
};

// `file`: a table of any form, or a folder with products, of which the catalogue is taken. Throws
// RunError: no positions, a named column that is not there; UsageError: a folder without a
// catalogue.
ComparedCatalog read_compared_catalog(const std::filesystem::path& file,
                                      const CatalogColumns& columns);

}  // namespace qsohost::cli
