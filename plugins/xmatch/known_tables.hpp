// Tables of VizieR that need no further options.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace xmatch {

struct KnownTable {
  std::string_view right;        // as option `right` has it
  std::string_view id;           // column of identifiers
  std::string_view gaia_source;  // the same table in Gaia's archive
};

// None if it is not known.
std::optional<KnownTable> known_table(std::string_view right);

// The columns of positions, by the names that VizieR's tables give them. None if there are none.
std::optional<std::pair<std::string, std::string>> position_columns(
    const std::vector<std::string>& columns);

}  // namespace xmatch
