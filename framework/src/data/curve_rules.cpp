#include "data/curve_rules.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <vector>

namespace qsohost::inline v1 {

namespace {

// 9.9 to 999999, two nines or more; also if they were stored in 32 bits.
bool is_made_of_nines(double error) {
  constexpr double kPrecision = 1e-7;
  if (error < 9) return false;  // nearly all
  for (double nines = 99; nines < 1e6; nines = 10 * nines + 9) {
    for (double value = nines; value > 9; value /= 10) {
      if (std::abs(error - value) < kPrecision * value) return true;
    }
  }
  return false;
}

// Not so small or large that its square, or the weight 1 / error^2, is none.
bool is_error(double error) {
  return error > 0 && std::isnormal(error * error) && std::isnormal(1 / (error * error));
}

double median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

bool is_sentinel(double error, double median) {
  return error >= kSentinelAbove * median ||
         (error >= kNinesAbove * median && is_made_of_nines(error));
}

}  // namespace

UsableEpochs usable_epochs(const LightCurve& fetched) {
  UsableEpochs out{std::vector<std::uint8_t>(fetched.size()), 0};
  std::vector<double> errors;
  for (std::size_t i = 0; i < fetched.size(); ++i) {
    out.take[i] = std::isfinite(fetched.time[i]) && std::isfinite(fetched.mag[i]) &&
                  is_error(fetched.mag_err[i]);
    if (out.take[i] != 0 && !is_made_of_nines(fetched.mag_err[i]))
      errors.push_back(fetched.mag_err[i]);
  }
  const double usual = median(std::move(errors));  // NaN: no error is compared with it
  for (std::size_t i = 0; i < fetched.size(); ++i) {
    if (out.take[i] != 0 && is_sentinel(fetched.mag_err[i], usual)) {
      out.take[i] = 0;
      out.flags |= kErrorSentinels;
    } else if (out.take[i] == 0 || fetched.mag_err[i] < kLeastRelativeError * usual) {
      out.take[i] = 0;
      out.flags |= kEpochsWithoutPart;
    }
  }
  return out;
}

bool is_redshift(double z) {
  return z > 0 && z <= kLargestRedshift;
}

// Rounding leaves the last of a 32-bit number's 24 bits set in about half of the times; cadences of
// whole, half or quarter days leave it clear, or are regular.
bool are_rounded_to_32_bits(std::span<const double> times) {
  constexpr std::size_t kOneIn = 10;
  std::size_t odd = 0;
  bool is_regular = times.size() > 1;
  for (std::size_t i = 0; i < times.size(); ++i) {
    const auto single = static_cast<float>(times[i]);
    if (static_cast<double>(single) != times[i]) return false;
    const float size = std::abs(single);
    if (std::nextafter(size, std::numeric_limits<float>::infinity()) - size < kCoarseSpacing)
      return false;
    odd += std::bit_cast<std::uint32_t>(single) & 1;
    if (i > 0) {
      const double step = times[i] - times[i - 1];
      is_regular = is_regular && step > 0 && step == times[1] - times[0];
    }
  }
  return odd > 0 && odd * kOneIn >= times.size() && !is_regular;
}

bool has_two_sources(const CurveToFit& curve) {
  std::size_t exposures = 0, disagreements = 0;
  for (std::size_t first = 0, end = 0; first < curve.size(); first = end) {
    std::size_t low = first, high = first;  // the brightest and the faintest
    for (end = first + 1; end < curve.size() && curve.time[end] == curve.time[first]; ++end) {
      if (curve.mag[end] < curve.mag[low]) low = end;
      if (curve.mag[end] > curve.mag[high]) high = end;
    }
    ++exposures;
    const double apart = curve.mag[high] - curve.mag[low];
    if (apart > kLeastDisagreement &&
        apart > kDisagreement * std::hypot(curve.mag_err[low], curve.mag_err[high]))
      ++disagreements;
  }
  return disagreements >= kFewestDisagreements &&
         static_cast<double>(disagreements) >=
             kDisagreeingFraction * static_cast<double>(exposures);
}

}  // namespace qsohost::inline v1
