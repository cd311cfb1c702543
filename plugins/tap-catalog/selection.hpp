// The rows that the user wants, and the queries (ADQL 2.0) that count them and read them in pages.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <qsohost/io/catalog_columns.hpp>

namespace tap_catalog {

struct Selection {
  std::string query{};  // or:
  std::string table{};
  std::string where{};
  qsohost::CatalogNames names{};
};

// As the answer has them: without quotes.
qsohost::CatalogNames names_in_answer(qsohost::CatalogNames names);

// One row: the number of rows, and of those with an identifier.
std::string count_query(const Selection& selection);

// One row with all columns, of any object.
std::string example_query(const Selection& selection);

// The first `rows` rows by identifier, from `begin` on: a literal, or "" for the first page.
std::string page_query(const Selection& selection, std::int64_t rows, const std::string& begin);

}  // namespace tap_catalog
