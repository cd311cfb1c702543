// The queries to TAP services about epochs, and their answers.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <qsohost/tap.hpp>

#include "remote.hpp"

namespace gaia {

// A row of the table, for the names of its columns.
std::string columns_query(const RemoteSettings& settings);
// The list of columns for a SELECT, by the names that the archive has. Throws RunError if it lacks
// one without which there is no light curve.
std::string selection_of(std::string_view answer, const RemoteSettings& settings);

std::string epochs_query(const RemoteSettings& settings, const std::string& selection,
                         std::span<const std::int64_t> ids);
EpochAnswer read_epochs(std::string_view answer, std::span<const std::int64_t> ids,
                        const RemoteSettings& settings);

// How many rows each source has.
std::string counts_query(const RemoteSettings& settings, std::span<const std::int64_t> ids);
std::map<std::int64_t, std::int64_t> read_counts(std::string_view answer,
                                                 std::span<const std::int64_t> ids);

// has_epoch_photometry
std::string flags_query(const RemoteSettings& settings, std::span<const std::int64_t> ids);
std::map<std::int64_t, bool> read_flags(std::string_view answer, std::span<const std::int64_t> ids);

// Sync, as CSV: rows are counted, so an end mark is not needed.
qsohost::TapQuery tap_query(const std::string& url, std::string adql, std::string about, int turn,
                            std::chrono::milliseconds delay);

}  // namespace gaia
