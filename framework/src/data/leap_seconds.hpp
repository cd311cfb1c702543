// UTC and TAI, with the leap seconds of ERFA. Dates are MJD as a whole day and a fraction of it.
#pragma once

namespace qsohost::inline v1 {

struct Date {
  double day = 0;       // MJD, a whole number
  double fraction = 0;  // of that day

  // Adds days and brings the fraction to [0, 1).
  Date plus(double days) const;
};

// 1972-01-01: from then on TAI - UTC is a whole number of seconds.
inline constexpr double kFirstUtcDay = 41317;

// From the first day on for which ERFA does not vouch (2027-01-01 for ERFA 2.0.0), the last known
// number of leap seconds is used.
double first_day_without_leap_seconds();

// As ERFA (eraUtctai): on a day with a leap second the fraction is one of 86401 s. Dates before
// 1972 are taken as if TAI - UTC had been 10 s.
Date tai_from_utc(const Date& utc);
Date utc_from_tai(const Date& tai);

}  // namespace qsohost::inline v1
