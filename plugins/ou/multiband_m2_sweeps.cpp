// The likelihood of model M2 in SIMD lanes, compiled for several instruction sets; see
// ou_sweeps.cpp.
#define HWY_DISABLED_TARGETS                                                          \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3 | HWY_SSE4 | \
   HWY_AVX3_DL | HWY_PPC8)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "multiband_m2_sweeps.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>

#include "multiband_likelihood.hpp"
#include "multiband_order.hpp"

HWY_BEFORE_NAMESPACE();
namespace ou::multiband {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#include "ou_lanes-inl.hpp"
#include "ou_recursion-inl.hpp"
//
#include "multiband_recursion-inl.hpp"
//
#include "multiband_epochs-inl.hpp"
//
#include "multiband_sweeps-inl.hpp"

void evaluate_m2_here(const Series& series, const Trials& trials, Mean mean, Want want,
                      Evaluation* out) {
  with_bands(series.bands, [&]<int Bands> {
    if (mean == Mean::Given)
      evaluate_with<1 + Bands, 0>(series, trials, mean, want, out);
    else
      evaluate_with<1 + Bands, Bands>(series, trials, mean, want, out);
  });
}

void leave_one_out_m2_here(const Series& series, const Trials& trial, Mean mean,
                           std::span<const std::uint8_t> ignored, LeaveOneOut& out) {
  with_bands(series.bands, [&]<int Bands> {
    if (mean == Mean::Given)
      leave_one_out_with<1 + Bands, 0>(series, trial, mean, ignored, out);
    else
      leave_one_out_with<1 + Bands, Bands>(series, trial, mean, ignored, out);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace ou::multiband
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ou::multiband {

HWY_EXPORT(evaluate_m2_here);
HWY_EXPORT(leave_one_out_m2_here);

std::vector<Evaluation> evaluate_all(const Series& series, std::span<const Parameters> trials,
                                     std::span<const Incoherent> incoherent, Mean mean, Want want) {
  std::vector<Evaluation> out(trials.size());
  HWY_DYNAMIC_DISPATCH(evaluate_m2_here)(series, {trials, incoherent}, mean, want, out.data());
  return out;
}

Evaluation evaluate(const Series& series, const Parameters& parameters,
                    const Incoherent& incoherent, Mean mean, Want want) {
  Evaluation out;
  HWY_DYNAMIC_DISPATCH(evaluate_m2_here)
  (series, {{&parameters, 1}, {&incoherent, 1}}, mean, want, &out);
  return out;
}

LeaveOneOut leave_one_out(const Series& series, const Parameters& parameters,
                          const Incoherent& incoherent, Mean mean,
                          std::span<const std::uint8_t> ignored) {
  LeaveOneOut out;
  HWY_DYNAMIC_DISPATCH(leave_one_out_m2_here)
  (series, {{&parameters, 1}, {&incoherent, 1}}, mean, ignored, out);
  return out;
}

}  // namespace ou::multiband
#endif
