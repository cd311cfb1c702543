#include "data/leap_seconds.hpp"

#include <erfa.h>
#include <erfam.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace qsohost::inline v1 {

namespace {

constexpr double kLongDay = (ERFA_DAYSEC + 1) / ERFA_DAYSEC;  // one with a leap second

struct Step {
  double day;            // MJD in UTC from which on
  double tai_minus_utc;  // s
};

struct LeapSeconds {
  std::vector<Step> steps;
  double end = 0;
};

// Leap seconds come at the end of a month.
LeapSeconds read_leap_seconds() {
  LeapSeconds out;
  for (int year = 1972, month = 1;; ++month) {
    if (month > 12) ++year, month = 1;
    double zero = 0, day = 0, seconds = 0;
    eraCal2jd(year, month, 1, &zero, &day);
    // Not 0: the year is too far from the release of ERFA.
    if (eraDat(year, month, 1, 0, &seconds) != 0) {
      out.end = day;
      return out;
    }
    const bool is_new = out.steps.empty() || out.steps.back().tai_minus_utc != seconds;
    if (is_new) out.steps.push_back({day, seconds});
  }
}

const LeapSeconds& leap_seconds() {
  static const LeapSeconds table = read_leap_seconds();
  return table;
}

}  // namespace

Date Date::plus(double days) const {
  const double sum = fraction + days;
  const double whole = std::floor(sum);
  return {day + whole, sum - whole};
}

double first_day_without_leap_seconds() {
  return leap_seconds().end;
}

Date tai_from_utc(const Date& utc) {
  const auto& steps = leap_seconds().steps;
  const auto next = std::upper_bound(steps.begin() + 1, steps.end(), utc.day,
                                     [](double day, const Step& step) { return day < step.day; });
  const bool is_long = next != steps.end() && utc.day == next->day - 1;
  const double elapsed = is_long ? utc.fraction * kLongDay : utc.fraction;
  return Date{utc.day, 0}.plus(elapsed + (next - 1)->tai_minus_utc / ERFA_DAYSEC);
}

Date utc_from_tai(const Date& tai) {
  const auto& steps = leap_seconds().steps;
  const auto is_before = [](const Date& date, const Step& step) {
    return (date.day - step.day) + date.fraction < step.tai_minus_utc / ERFA_DAYSEC;
  };
  const auto next = std::upper_bound(steps.begin() + 1, steps.end(), tai, is_before);
  const Date utc = tai.plus(-(next - 1)->tai_minus_utc / ERFA_DAYSEC);
  if (next == steps.end() || utc.day < next->day - 1) return utc;
  // The leap second itself belongs to the day before the step.
  const double elapsed = utc.day - (next->day - 1) + utc.fraction;
  return {next->day - 1, elapsed / kLongDay};
}

}  // namespace qsohost::inline v1
