// Which names the columns of epoch_photometry have in each release and archive: columns are found
// by these names, never by position.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gaia {

// Names for what one column of the table holds; "" where a release or archive has none.
struct ColumnRole {
  std::string dr3;     // the project's name too: TableColumn::name
  std::string dr4;     // announced
  std::string vizier;  // of "I/355/epphot"
};

const std::vector<ColumnRole>& column_roles();
const ColumnRole& role_called(std::string_view dr3_name);

// Names of source_id; AIP answers datalinkID.
inline constexpr std::string_view kIdNames[] = {"source_id", "datalinkID", "Source"};
// Names of gaia_source.has_epoch_photometry.
inline constexpr std::string_view kEpochFlagNames[] = {"has_epoch_photometry", "EpochPh"};

// Position of the first of `names` that is among the columns, ignoring case; none if there is none.
std::optional<std::size_t> position_of(std::span<const std::string_view> names,
                                       std::span<const std::string> columns);
// The same for a role.
std::optional<std::size_t> position_of(const ColumnRole& role,
                                       std::span<const std::string> columns);

// Where DataLink gives a flag: a bit of a column of flags. None if that flag is not one of those.
struct FlagBit {
  std::string column;  // "g_other_flags"
  int bit;
};
std::optional<FlagBit> flag_bit(std::string_view flag);

}  // namespace gaia
