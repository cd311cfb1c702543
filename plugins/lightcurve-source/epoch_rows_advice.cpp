#include "epoch_rows_advice.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>

#include <qsohost/names.hpp>

#include "epoch_bands.hpp"

namespace curves {

namespace {

using Names = std::span<const std::string_view>;

constexpr auto kTimes = std::to_array<std::string_view>(
    {"mjd", "hjd", "bjd", "jd", "time", "obstime", "obs_time", "mjd_obs"});
constexpr auto kMags =
    std::to_array<std::string_view>({"mag", "magnitude", "psfmag", "mag_psf", "psf_mag"});
constexpr auto kErrors = std::to_array<std::string_view>(
    {"magerr", "mag_err", "e_mag", "mag_error", "magnitude_err", "err", "error"});
constexpr auto kBands =
    std::to_array<std::string_view>({"band", "filter", "filtercode", "filt", "fid", "passband"});

// The position of the column with the first of these names.
std::optional<std::size_t> find(const InputFile& file, Names names) {
  const auto& columns = file.table.columns();
  for (const std::string_view name : names) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (columns[i].problem.empty() && qsohost::lower_case(columns[i].info.name) == name) return i;
    }
  }
  return std::nullopt;
}

}  // namespace

std::string repeated_id_advice(InputFile& file) {
  const auto& columns = file.table.columns();
  if (file.table.rows() == 0 || std::ranges::any_of(columns, holds_epochs)) {
    return "every object may be there once";
  }
  const auto name = [&](Names names, const char* otherwise) {
    const auto i = find(file, names);
    return i ? columns[*i].info.name : std::string(otherwise);
  };
  std::string band = "g";
  std::string band_lines;
  if (const auto i = find(file, kBands)) {
    const auto cells = file.table.read(0, 1, std::span(&*i, 1));
    band = band_text(cells[0].values, 0);
    band_lines =
        fmt::format("  band_column = \"{}\"\n  band_value = \"{}\"\n", columns[*i].info.name, band);
  }
  return fmt::format(
      "if the table has one row per epoch, name its columns in [[stage.band]], one for each band "
      "if "
      "it holds several (`qsohost describe` writes the whole entry):\n\n"
      "  [[stage.band]]\n  group = \"survey.{}\"\n  time = \"{}\"\n  mag = \"{}\"\n"
      "  mag_err = \"{}\"\n{}",
      band, name(kTimes, "<column of times>"), name(kMags, "<column of magnitudes>"),
      name(kErrors, "<column of their errors>"), band_lines);
}

}  // namespace curves
