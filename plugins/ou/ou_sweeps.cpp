// Sweeps over a light curve in SIMD lanes, compiled for several instruction sets; the best
// available one is chosen at run time (Google Highway).
// Vectors of unknown length cannot be members of a struct. On x86: AVX2 and AVX-512, and the plain
// one for processors without them; more take minutes to compile and are no faster.
#define HWY_DISABLED_TARGETS                                                          \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3 | HWY_SSE4 | \
   HWY_AVX3_DL | HWY_PPC8)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ou_sweeps.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <type_traits>

#include "ou_likelihood.hpp"

HWY_BEFORE_NAMESPACE();
namespace ou {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

constexpr double kLnTwoPi = 1.8378770664093454836;

#include "ou_lanes-inl.hpp"
#include "ou_recursion-inl.hpp"
#include "ou_steps-inl.hpp"

// The result of a sweep for one lane. `value` extracts that lane from a Real.
template <class Real, int NP, int Channels, bool Informed, class Value>
Evaluation conclude(Sums<Real, NP, Channels, Informed>& sums, std::size_t n, double reference,
                    Mean mean, const Value& value) {
  double mu = 0, quad = value(sums.quad[0]);
  if constexpr (Channels == 2) {
    mu = value(sums.quad[1]) / value(sums.quad[2]);
    quad -= mu * value(sums.quad[1]);
  }
  Evaluation out;
  out.mean = reference + mu;
  out.chi2 = quad;
  out.loglike = -0.5 * (quad + value(sums.logdet.total()) + kLnTwoPi * static_cast<double>(n));
  for (int p = 0; p < NP; ++p) {
    double d = value(sums.dlogdet[p]) - value(sums.minus_dquad[0][p]);
    if constexpr (Channels == 2)
      d -= mu * (mu * value(sums.minus_dquad[2][p]) - 2 * value(sums.minus_dquad[1][p]));
    out.gradient[static_cast<std::size_t>(p)] = -0.5 * d;
  }
  if constexpr (Channels == 2) {
    if (mean == Mean::Marginal) {
      const double ones = value(sums.quad[2]);  // 1' K^-1 1
      out.loglike += 0.5 * (kLnTwoPi - std::log(ones));
      for (int p = 0; p < NP; ++p)
        out.gradient[static_cast<std::size_t>(p)] += 0.5 * value(sums.minus_dquad[2][p]) / ones;
    }
  }
  for (std::size_t k = 0; k < sums.kInformation; ++k)
    out.information[k] = value(sums.information[k]);
  return out;
}

// One trial: the exponentials are vectorised, the recursion is not.
template <int NP, int Channels>
Evaluation sweep_one(const Series& series, const Parameters& p, Mean mean) {
  Filter<double, NP, Channels> filter(std::exp(2 * p.ln_sigma), std::exp(2 * p.ln_jitter));
  Sums<double, NP, Channels> sums;
  const double inv_tau = std::exp(-p.ln_tau);
  constexpr std::size_t kChunk = 256;
  HWY_ALIGN double x[kChunk], e[kChunk];
  const std::size_t n = series.size();
  for (std::size_t first = 0; first < n; first += kChunk) {
    const std::size_t count = std::min(kChunk, n - first);
    for (std::size_t i = 0; i < kChunk; ++i)
      x[i] = i < count ? std::min(series.dt[first + i] * inv_tau, kForgotten) : 0;
    for (std::size_t i = 0; i < count; i += kLanes) expm1_of_minus(Lanes(x + i)).store(e + i);
    for (std::size_t i = 0; i < count; ++i)
      filter.template take<false>(Step<double>(x[i], e[i]), series.y[first + i],
                                  series.var[first + i], false, 0.0, sums);
  }
  filter.finish(sums);
  return conclude(sums, n, series.reference, mean, [](double v) { return v; });
}

template <class Real, int NP, int Channels, bool Informed>
void sweep_lanes(const Series& series, std::span<const Trial> trials, Mean mean, Evaluation* out) {
  constexpr std::size_t kCount = Real::kCount;
  double sigma2[kCount], inv_tau[kCount], jitter2[kCount], omitted[kCount], cap[kCount];
  for (std::size_t l = 0; l < kCount; ++l) {
    const Trial& t = trials[std::min(l, trials.size() - 1)];
    sigma2[l] = std::exp(2 * t.at.ln_sigma);
    inv_tau[l] = std::exp(-t.at.ln_tau);
    jitter2[l] = std::exp(2 * t.at.ln_jitter);
    omitted[l] = t.omitted ? static_cast<double>(*t.omitted) : -1.0;
    cap[l] = t.cap;
  }
  Filter<Real, NP, Channels> filter{Real(sigma2), Real(jitter2)};
  Sums<Real, NP, Channels, Informed> sums;
  const Real omit(omitted), capped(cap);
  const auto take_all = [&](auto steps) HWY_ATTR {
    for (std::size_t i = 0; i < series.size(); ++i) {
      const auto skip = equal(omit, Real(static_cast<double>(i)));
      filter.template take<true>(steps[i], Real(series.y[i]), Real(series.var[i]), skip, capped,
                                 sums);
    }
    filter.finish(sums);
  };
  if constexpr (NP > 0 && std::is_same_v<Real, Lanes>) {
    if (StepsOfTwo::suit(inv_tau))
      take_all(StepsOfTwo(series, inv_tau));
    else
      take_all(Steps<Real>{series, Real(inv_tau)});
  } else {
    take_all(Steps<Real>{series, Real(inv_tau)});
  }
  for (std::size_t l = 0; l < trials.size(); ++l) {
    const Trial& t = trials[l];
    out[l] = conclude(sums, series.size() - (t.omitted ? 1 : 0), series.reference, mean,
                      [l](const Real& v) {
                        double lanes[kCount];
                        v.store(lanes);
                        return lanes[l];
                      });
  }
}

// The first address at or after `p` that is aligned for a vector.
double* aligned(double* p) {
  const std::size_t behind = reinterpret_cast<std::uintptr_t>(p) / sizeof(double) % kLanes;
  return behind == 0 ? p : p + (kLanes - behind);
}

template <class Real, int Channels>
void leave_one_out_lanes(const Series& series, std::span<const Parameters> trials, Mean mean,
                         std::span<const std::uint8_t> ignored, LooTable& table,
                         std::size_t first) {
  constexpr std::size_t kCount = Real::kCount;
  double sigma2[kCount], inverse_tau[kCount], jitter2[kCount];
  for (std::size_t l = 0; l < kCount; ++l) {
    const Parameters& p = trials[std::min(l, trials.size() - 1)];
    sigma2[l] = std::exp(2 * p.ln_sigma);
    inverse_tau[l] = std::exp(-p.ln_tau);
    jitter2[l] = std::exp(2 * p.ln_jitter);
  }
  const Real s2(sigma2), inv_tau(inverse_tau), j2(jitter2);
  const std::size_t n = series.size();
  using OneSide = Message<Real, Channels>;
  constexpr std::size_t kPerEpoch = (sizeof(OneSide) + sizeof(Real)) / sizeof(double);
  table.scratch.resize(n * kPerEpoch + kLanes);
  auto* const before = reinterpret_cast<OneSide*>(aligned(table.scratch.data()));
  auto* const change = reinterpret_cast<Real*>(before + n);  // exp(-dt / tau) - 1

  const auto takes_part = [&](std::size_t i) { return ignored.empty() || ignored[i] == 0; };
  Messenger<Real, Channels> forward(s2);
  std::size_t count = 0;
  Real ones, cross, quad;
  for (std::size_t i = 0; i < n; ++i) {
    change[i] = expm1_of_minus(time_in_tau(series.dt[i], inv_tau));
    forward.move(Step<Real>(0.0, change[i]));
    before[i] = forward.at();
    if (!takes_part(i)) {
      forward.pass();
      continue;
    }
    ++count;
    const Real v = Real(series.y[i]) - before[i].mean[0];
    const Real inv_s = forward.take(series.y[i], Real(series.var[i]) + j2);
    quad = quad + v * v * inv_s;
    if constexpr (Channels == 2) {
      const Real v1 = Real(1.0) - before[i].mean[1];
      ones = ones + v1 * v1 * inv_s;
      cross = cross + v1 * v * inv_s;
    }
  }
  Real level, level_var;
  if constexpr (Channels == 2) {
    level = cross / ones;
    level_var = Real(1.0) / ones;
    quad = quad - level * cross;
    if (mean == Mean::Marginal) quad = quad + log(ones) - kLnTwoPi;
  }
  double loglike[kCount];
  ((quad + forward.logdet() + kLnTwoPi * static_cast<double>(count)) * -0.5).store(loglike);
  for (std::size_t l = 0; l < trials.size(); ++l) table.loglike[first + l] = loglike[l];

  const Real inv_s2 = Real(1.0) / s2;
  Messenger<Real, Channels> backward(s2);
  const bool predicts = !table.residual.empty(), weighs = !table.logpdf.empty();
  for (std::size_t i = n; i-- > 0;) {
    backward.move(Step<Real>(0.0, i + 1 < n ? change[i + 1] : Real(0.0)));
    const Real y(series.y[i]), r = Real(series.var[i]) + j2;
    const bool known = takes_part(i);
    const Seen<Real> seen =
        from_both_sides(before[i], backward.at(), inv_s2, y, r, level, level_var, known);
    const std::size_t at = i * table.stride + first;
    if (predicts) {
      seen.residual.store(&table.residual[at]);
      seen.var.store(&table.var[at]);
    }
    if (weighs) {
      ((log(seen.var) + seen.residual * seen.residual / seen.var + kLnTwoPi) * -0.5)
          .store(&table.logpdf[at]);
    }
    if (known)
      backward.take(y, r);
    else
      backward.pass();
  }
}

template <int NP>
Evaluation evaluate_with(const Series& series, const Parameters& p, Mean mean) {
  return (mean == Mean::Fixed ? sweep_one<NP, 1> : sweep_one<NP, 2>)(series, p, mean);
}

Evaluation evaluate_here(const Series& series, const Parameters& p, Mean mean, Want want) {
  switch (want) {
    case Want::Value:
      return evaluate_with<0>(series, p, mean);
    case Want::Gradient:
    case Want::PlainGradient:
      return evaluate_with<2>(series, p, mean);
    case Want::GradientWithJitter:
      break;
  }
  return evaluate_with<3>(series, p, mean);
}

// Calls sweep(Real, first, count) for blocks of trials, two vectors at a time while there are
// enough.
template <class V, class Sweep>
void in_blocks(std::size_t trials, const Sweep& sweep) {
  for (std::size_t first = 0; first < trials;) {
    const std::size_t left = trials - first;
    if (left > V::kCount)
      sweep(Two<V>(), first, std::min(left, Two<V>::kCount));
    else
      sweep(V(), first, left);
    first += left > V::kCount ? Two<V>::kCount : V::kCount;
  }
}

template <class V, int NP, bool Informed = true>
void evaluate_all_with(const Series& series, std::span<const Trial> trials, Mean mean,
                       Evaluation* out) {
  in_blocks<V>(trials.size(), [&]<class Real>(Real, std::size_t first, std::size_t count) {
    const auto block = trials.subspan(first, count);
    (mean == Mean::Fixed ? sweep_lanes<Real, NP, 1, Informed>
                         : sweep_lanes<Real, NP, 2, Informed>)(series, block, mean, out + first);
  });
}

template <class V>
void evaluate_all_in(const Series& series, std::span<const Trial> trials, Mean mean, Want want,
                     Evaluation* out) {
  switch (want) {
    case Want::Value:
      return evaluate_all_with<V, 0>(series, trials, mean, out);
    case Want::Gradient:
      return evaluate_all_with<V, 2>(series, trials, mean, out);
    case Want::PlainGradient:
      return evaluate_all_with<V, 2, false>(series, trials, mean, out);
    case Want::GradientWithJitter:
      break;
  }
  evaluate_all_with<V, 3>(series, trials, mean, out);
}

void evaluate_all_here(const Series& series, std::span<const Trial> trials, Mean mean, Want want,
                       Digits digits, Evaluation* out) {
  (digits == Digits::Single && trials.size() > kLanes
       ? evaluate_all_in<FloatLanes>
       : evaluate_all_in<Lanes>)(series, trials, mean, want, out);
}

template <class V>
void leave_one_out_in(const Series& series, std::span<const Parameters> trials, Mean mean,
                      LooWant wanted, LooTable& table, std::span<const std::uint8_t> ignored) {
  table.stride = (trials.size() + V::kCount - 1) / V::kCount * V::kCount;
  table.loglike.resize(trials.size());
  const std::size_t size = series.size() * table.stride;
  table.logpdf.resize(wanted == LooWant::Predictions ? 0 : size);
  table.residual.resize(wanted == LooWant::Densities ? 0 : size);
  table.var.resize(table.residual.size());
  in_blocks<V>(trials.size(), [&]<class Real>(Real, std::size_t first, std::size_t count) {
    const auto block = trials.subspan(first, count);
    (mean == Mean::Fixed
         ? leave_one_out_lanes<Real, 1>
         : leave_one_out_lanes<Real, 2>)(series, block, mean, ignored, table, first);
  });
}

void leave_one_out_here(const Series& series, std::span<const Parameters> trials, Mean mean,
                        LooWant wanted, Digits digits, LooTable& table,
                        std::span<const std::uint8_t> ignored) {
  (digits == Digits::Single && trials.size() > kLanes
       ? leave_one_out_in<FloatLanes>
       : leave_one_out_in<Lanes>)(series, trials, mean, wanted, table, ignored);
}

// `loglike`: as long as a row of the table.
void highest_here(const LooTable& table, const double* loglike, std::vector<double>& out) {
  for (std::size_t j = 0; j < out.size(); ++j) {
    const double* row = &table.logpdf[j * table.stride];
    Lanes highest(-std::numeric_limits<double>::infinity());
    for (std::size_t k = 0; k < table.stride; k += kLanes)
      highest = max(highest, Lanes(loglike + k) - Lanes(row + k));
    out[j] = hn::GetLane(hn::MaxOfLanes(Doubles(), highest.v));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace ou
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace ou {

HWY_EXPORT(evaluate_here);
HWY_EXPORT(evaluate_all_here);
HWY_EXPORT(leave_one_out_here);
HWY_EXPORT(highest_here);

Evaluation evaluate(const Series& series, const Parameters& parameters, Mean mean, Want want) {
  return HWY_DYNAMIC_DISPATCH(evaluate_here)(series, parameters, mean, want);
}

namespace {

// Single precision has a small range, which quotients of variances must not leave.
template <class Trials, class At>
Digits usable(const Series& series, const Trials& trials, const At& at) {
  constexpr double kLeast = 1e-14, kMost = 1e10;  // mag^2
  const auto is_inside = [](const Parameters& p) {
    return std::abs(p.ln_sigma) < 0.5 * std::log(kMost);
  };
  if (!std::ranges::all_of(trials, is_inside, at)) return Digits::Double;
  for (std::size_t i = 0; i < series.size(); ++i) {
    const double var = series.var[i];
    if (!(var > kLeast && var < kMost && std::abs(series.y[i]) < 1e5)) return Digits::Double;
  }
  return Digits::Single;
}

}  // namespace

std::vector<Evaluation> evaluate_all(const Series& series, std::span<const Trial> trials, Mean mean,
                                     Want want, Digits digits) {
  std::vector<Evaluation> out(trials.size());
  if (digits == Digits::Single) digits = usable(series, trials, &Trial::at);
  HWY_DYNAMIC_DISPATCH(evaluate_all_here)(series, trials, mean, want, digits, out.data());
  return out;
}

void leave_one_out_all(const Series& series, std::span<const Parameters> trials, Mean mean,
                       LooWant wanted, LooTable& table, std::span<const std::uint8_t> ignored,
                       Digits digits) {
  if (digits == Digits::Single) digits = usable(series, trials, std::identity());
  HWY_DYNAMIC_DISPATCH(leave_one_out_here)(series, trials, mean, wanted, digits, table, ignored);
}

std::vector<double> highest_without_each(const LooTable& table, std::vector<double> loglike) {
  loglike.resize(table.stride, -std::numeric_limits<double>::infinity());
  std::vector<double> out(table.logpdf.size() / table.stride);
  HWY_DYNAMIC_DISPATCH(highest_here)(table, loglike.data(), out);
  return out;
}

}  // namespace ou
#endif
