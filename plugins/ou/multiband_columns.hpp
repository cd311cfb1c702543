// The result columns of ou-multiband.
#pragma once

#include <cstdint>
#include <qsohost/plugin.hpp>
#include <span>
#include <string_view>

#include "loo_clean.hpp"
#include "multiband_fit.hpp"

namespace ou::multiband {

// In addition to those of qsohost::FitFlag.
enum Flag : std::int32_t {
  kBandWithoutPart = 1 << 4,
  kTauLowFlag = 1 << 5,
  kTauHighFlag = 1 << 6,
  kSigmaFlag = 1 << 7,
  kTooFewLeftFlag = 1 << 8,
  kPassesUsedUpFlag = 1 << 9,
  kNoErrors = 1 << 14,
  kJitterAtBound = 1 << 16,
  kTooManyRemovedFlag = 1 << 24,
  kIncoherentPreferred = 1 << 25,
  kTimesNotConverted = 1 << 26,
  kLagAtBound = 1 << 27,
};

std::int32_t flag_of(Ending ending);
extern const std::string_view kFlagsHelp;

// Of each band that took part; some only if something is fitted.
struct BandColumn {
  enum class Of : std::uint8_t { Every, Jitter, Lags };
  qsohost::ResultColumn column;
  double (*value)(const Fit& fit, std::size_t band);
  Of of = Of::Every;
};
std::span<const BandColumn> band_columns();

}  // namespace ou::multiband
