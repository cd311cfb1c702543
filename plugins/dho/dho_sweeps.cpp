// Sweeps over a light curve in SIMD lanes, compiled for several instruction sets; the best
// available one is chosen at run time (Google Highway).
// Vectors of unknown length cannot be members of a struct. On x86: AVX2 and AVX-512, and the plain
// one for processors without them; more take minutes to compile and are no faster.
#define HWY_DISABLED_TARGETS                                                          \
  (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV | HWY_SSSE3 | HWY_SSE4 | \
   HWY_AVX3_DL | HWY_PPC8)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "dho_sweeps.cpp"
#include <hwy/foreach_target.h>
//
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "dho_likelihood.hpp"

HWY_BEFORE_NAMESPACE();
namespace dho {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

#include "dho_lanes-inl.hpp"
//
#include "dho_recursion-inl.hpp"

constexpr double kLnTwoPi = 1.8378770664093454836;

// One number per lane, computed for each trial; lanes without a trial repeat the last.
template <class Of>
Lanes for_each_lane(std::span<const Trial> trials, const Of& of) {
  double values[kLanes];
  for (std::size_t l = 0; l < kLanes; ++l) values[l] = of(trials[std::min(l, trials.size() - 1)]);
  return Lanes(values);
}

Oscillator oscillator(std::span<const Trial> trials) {
  const auto lanes = [&](const auto& of) {
    return for_each_lane(trials, [&](const Trial& t) { return of(t.at); });
  };
  const auto kk = [](const Parameters& p) { return std::expm1(2 * p[kXi]); };
  const auto root = [&](const Parameters& p) { return std::sqrt(std::abs(kk(p))); };
  // cos 2 theta and sin 2 theta from tan theta
  const auto tangent = [](const Parameters& p) { return std::exp(p[kOmega] + p[kPerturb]); };
  Oscillator o;
  o.sigma2 = lanes([](const Parameters& p) { return std::exp(2 * p[kSigma]); });
  o.omega = lanes([](const Parameters& p) { return std::exp(p[kOmega]); });
  o.xi = lanes([](const Parameters& p) { return std::exp(p[kXi]); });
  o.kk = lanes(kk);
  o.per_kk = Lanes(1.0) / o.kk;
  // At xi = 1 sin(k x) / k and its like are as good with a tiny k.
  o.k = lanes([&](const Parameters& p) { return std::max(root(p), 1e-100); });
  o.per_k = Lanes(1.0) / o.k;
  o.slow = lanes([&](const Parameters& p) {
    return kk(p) > 0 ? 1 / (std::exp(p[kXi]) + root(p)) : std::exp(p[kXi]);
  });
  o.cos2 = lanes([&](const Parameters& p) {
    const double t = tangent(p);
    return (1 - t) * (1 + t) / (1 + t * t);
  });
  o.sin2 = lanes([&](const Parameters& p) {
    const double t = tangent(p);
    return 2 * t / (1 + t * t);
  });
  o.over = less(0.0, o.kk);
  const auto is_over = [&](const Trial& t) { return kk(t.at) > 0; };
  o.some_over = std::ranges::any_of(trials, is_over);
  o.some_under = !std::ranges::all_of(trials, is_over);
  return o;
}

double lane(const Lanes& v, std::size_t l) {
  double lanes[kLanes];
  v.store(lanes);
  return lanes[l];
}

// From derivatives by the angle to those by ln omega_0 and ln tau_perturb.
template <class Derivatives>
void turn(Derivatives&& by, double sin2) {
  by[kOmega] += sin2 / 2 * by[kPerturb];
  by[kPerturb] *= sin2 / 2;
}

template <int NP, int Channels>
Evaluation conclude(Sums<NP, Channels>& sums, std::size_t n, const Trial& trial, Mean mean,
                    double sin2, std::size_t l) {
  const auto value = [l](const Lanes& v) { return lane(v, l); };
  Evaluation out;
  double mu = 0, ones = 1;
  out.chi2 = value(sums.quad[0]);
  if constexpr (Channels == 2) {
    ones = value(sums.quad[2]);
    mu = value(sums.quad[1]) / ones;
    out.chi2 -= mu * value(sums.quad[1]);
    out.mean = trial.mean + mu;
  }
  out.loglike = -0.5 * (out.chi2 + value(sums.logdet.total()) + kLnTwoPi * static_cast<double>(n));
  if (mean == Mean::Marginal) out.loglike += 0.5 * (kLnTwoPi - std::log(ones));
  if constexpr (NP > 0) {
    Parameters with_one = Parameters::Zero();
    for (int p = 0, k = 0; p < NP; ++p) {
      double d = value(sums.dlogdet[p]) - value(sums.minus_dquad[0][p]);
      if constexpr (Channels == 2) {
        const double d_ones = value(sums.minus_dquad[2][p]);
        d -= mu * (mu * d_ones - 2 * value(sums.minus_dquad[1][p]));
        if (mean == Mean::Marginal) d -= d_ones / ones;
        with_one[p] = value(sums.with_one[p]);
      }
      out.gradient[p] = -0.5 * d;
      for (int q = 0; q <= p; ++q, ++k)
        out.information(p, q) = out.information(q, p) = value(sums.information[k]);
    }
    out.information -= with_one * with_one.transpose() / ones;
    turn(out.gradient, sin2);
    for (int p = 0; p < NP; ++p) turn(out.information.col(p), sin2);
    for (int p = 0; p < NP; ++p) turn(out.information.row(p), sin2);
  }
  return out;
}

template <int NP, int Channels>
void sweep(const Series& series, std::span<const Trial> trials, Mean mean, Evaluation* out) {
  const Oscillator o = oscillator(trials);
  const Lanes shift = for_each_lane(trials, [](const Trial& t) { return t.mean; });
  Filter<NP, Channels> filter(o.sigma2);
  Sums<NP, Channels> sums;
  Transition d[NP + 1];
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (series.dt[i] > 0) filter.go(transition<NP>(o, series.dt[i], d), d);
    filter.observe(Lanes(series.y[i]) - shift, series.var[i], sums);
  }
  for (std::size_t l = 0; l < trials.size(); ++l)
    out[l] = conclude<NP, Channels>(sums, series.size(), trials[l], mean, lane(o.sin2, l), l);
}

void evaluate_here(const Series& series, std::span<const Trial> trials, Mean mean, Want want,
                   Evaluation* out) {
  const bool fixed = mean == Mean::Fixed;
  for (std::size_t first = 0; first < trials.size(); first += kLanes) {
    const auto block = trials.subspan(first, std::min(kLanes, trials.size() - first));
    if (want == Want::Value)
      (fixed ? sweep<0, 1> : sweep<0, 2>)(series, block, mean, out + first);
    else
      (fixed ? sweep<4, 1> : sweep<4, 2>)(series, block, mean, out + first);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace dho
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace dho {

HWY_EXPORT(evaluate_here);

std::vector<Evaluation> evaluate_all(const Series& series, std::span<const Trial> trials, Mean mean,
                                     Want want) {
  std::vector<Evaluation> out(trials.size());
  HWY_DYNAMIC_DISPATCH(evaluate_here)(series, trials, mean, want, out.data());
  return out;
}

}  // namespace dho
#endif
