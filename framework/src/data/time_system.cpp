#include "qsohost/time_system.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace qsohost::inline v1 {

namespace {

// Indexed by enumerator.
constexpr std::array<std::string_view, 7> kScales{"", "UTC", "TAI", "TT", "TCG", "TDB", "TCB"};
static_assert(kScales.size() == static_cast<std::size_t>(TimeScale::TCB) + 1,
              "each TimeScale needs its name here");
struct PlaceNames {
  std::string_view date;  // prefix of Julian dates there
  std::string_view fits;
};
constexpr std::array<PlaceNames, 4> kPlaces{
    {{"JD", "TOPOCENTER"}, {"GJD", "GEOCENTER"}, {"HJD", "HELIOCENTER"}, {"BJD", "BARYCENTER"}}};
static_assert(kPlaces.size() == static_cast<std::size_t>(TimePlace::Barycentre) + 1,
              "each TimePlace needs its names here");

// Larger values of a time are Julian dates: 1e6 is 1975 BC as JD, and the year 4596 as MJD.
constexpr double kLeastJulianDate = 1e6;

TimeScale scale_of(std::string_view name) {
  const auto it = std::ranges::find(kScales, name);
  return it == kScales.end() ? TimeScale::None : static_cast<TimeScale>(it - kScales.begin());
}

}  // namespace

std::string_view fits_name_of(TimeScale scale) {
  return kScales.at(static_cast<std::size_t>(scale));
}

std::string_view fits_name_of(TimePlace place) {
  return kPlaces.at(static_cast<std::size_t>(place)).fits;
}

std::string name_of(const TimeSystem& system) {
  if (!system.is_known()) return "";
  const std::string_view scale = fits_name_of(system.scale);
  if (system.place == TimePlace::Observatory && system.zero == kMjdZero) {
    return fmt::format("MJD {}", scale);
  }
  const std::string_view date = kPlaces.at(static_cast<std::size_t>(system.place)).date;
  if (system.zero == 0) return fmt::format("{} {}", date, scale);
  return fmt::format("{} {} - {}", date, scale, system.zero);
}

std::optional<TimeSystem> time_system_of(std::string_view name) {
  const std::size_t blank = std::min(name.find(' '), name.size());
  const std::string_view date = name.substr(0, blank);
  const std::string_view rest = name.substr(std::min(blank + 1, name.size()));
  const std::size_t minus = std::min(rest.find(" - "), rest.size());
  TimeSystem system;
  system.scale = scale_of(rest.substr(0, minus));
  if (!system.is_known()) return std::nullopt;
  const bool has_zero = minus < rest.size();
  if (date == "MJD") return has_zero ? std::nullopt : std::optional(system);
  const auto place = std::ranges::find(kPlaces, date, &PlaceNames::date);
  if (place == kPlaces.end()) return std::nullopt;
  system.place = static_cast<TimePlace>(place - kPlaces.begin());
  system.zero = 0;
  if (!has_zero) return system;
  const std::string_view zero = rest.substr(minus + 3);
  const auto [end, error] = std::from_chars(zero.begin(), zero.end(), system.zero);
  if (error != std::errc{} || end != zero.end()) return std::nullopt;
  return system;
}

std::optional<TimeSystem> time_system_from_fits(std::string_view timesys, std::string_view trefpos,
                                                double mjdref) {
  TimeSystem system{scale_of(timesys), mjdref + kMjdZero, TimePlace::Observatory};
  if (!system.is_known()) return std::nullopt;
  if (trefpos.empty()) return system;  // TOPOCENTER is the standard's default
  const auto place = std::ranges::find(kPlaces, trefpos, &PlaceNames::fits);
  if (place == kPlaces.end()) return std::nullopt;
  system.place = static_cast<TimePlace>(place - kPlaces.begin());
  return system;
}

std::string misplaced_time(const TimeSystem& system, double value) {
  if (!system.is_known()) return "";
  const bool wants_julian_date = system.zero < kLeastJulianDate;
  if (wants_julian_date && value < kLeastJulianDate) {
    return fmt::format("this is too small for JD; it looks like MJD, and JD is MJD + {}", kMjdZero);
  }
  if (wants_julian_date || !(value > kLeastJulianDate)) return "";
  const std::string_view wanted = system.zero == kMjdZero ? "MJD" : "the time";
  return fmt::format("this looks like JD; {} is JD - {}", wanted, system.zero);
}

}  // namespace qsohost::inline v1
