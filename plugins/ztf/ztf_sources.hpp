// Compares the ZTF sources around a target: which of them are the target itself, which epochs are
// of one exposure, how far apart their magnitudes are.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "ztf_answer.hpp"

namespace ztf {

// arcsec; positions that are closer are of one source. ZTF tells sources apart from about 1 arcsec
// on (a pixel), and the positions of one source in several fields and quadrants agree to 0.3.
inline constexpr double kSameSource = 0.7;

// Sets is_target of all sources within kSameSource of the one nearest to the target, in any band,
// field or quadrant; of equally near ones the lower oid.
void find_target(std::span<Candidate> candidates);

// Keeps of each band, field and quadrant the nearest source, if it is the target. Throws BadObject
// if that takes columns that the response does not have.
void keep_nearest(std::span<Candidate> candidates);

// Where several kept sources have an epoch of the same exposure (band and mjd), leaves out all but
// the best: one without catflags before one with; then of the nearer source; then of the lower oid.
void keep_one_per_exposure(std::span<Candidate> candidates);

// Sets the offset of each kept source that is the target from the one with most epochs in its band
// (of equal ones the lower oid). Only epochs without catflags and at most a day apart are compared,
// for what varies over longer times is the target, not the calibration.
void measure_offsets(std::span<Candidate> candidates);

// Of each band: exposures with epochs of two kept sources whose magnitudes differ by more than 5
// errors and by more than 0.1 mag; the latter because quadrants are calibrated less well than the
// errors of bright sources say.
using TwoSources = std::array<std::int64_t, kBands.size()>;
TwoSources two_source_exposures(std::span<const Candidate> candidates);

// mag; of all its epochs, as measured. NaN if it has none.
float mean_mag(const Candidate& candidate);

}  // namespace ztf
