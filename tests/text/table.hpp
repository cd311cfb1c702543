// For the tests of TableReader: a whole table as strings.
#pragma once

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>

#include <string>
#include <string_view>
#include <vector>

using Rows = std::vector<std::vector<std::string>>;

inline Rows read_rows(std::string_view text,
                      qsohost::TableOrigin origin = qsohost::TableOrigin::Archive) {
  qsohost::TableReader reader(text, origin);
  Rows rows;
  std::vector<std::string_view> cells;
  while (reader.next(cells)) rows.emplace_back(cells.begin(), cells.end());
  return rows;
}
