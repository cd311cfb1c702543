#include "dho_likelihood.hpp"

#include <ceres/jet.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <type_traits>

namespace dho {
namespace {

using Jet = ceres::Jet<double, 4>;

// Beyond this many e-foldings the past has no influence; avoids denormals.
constexpr double kForgotten = 50;
// |(xi^2 - 1) x^2| below which cos and cosh are computed from their common power series.
constexpr double kNearCritical = 0.5;

// e^(-xi x) times C, S, and H = (x C - S) / (xi^2 - 1), where C and S are cosh(k x) and sinh(k x)/k
// with k^2 = xi^2 - 1 (cos and sin below critical damping).
struct Damped {
  double c, s, h;
};

Damped near_critical(double x, double xi, double w) {
  // Terms w^k / (2k)!, w^k / (2k + 1)! and w^k (2k + 2) / (2k + 3)!; with |w| < 0.5 nine suffice.
  double c = 1, s = 1, h = 1.0 / 3, power = 1;
  for (int k = 1; k < 9; ++k) {
    power *= w / (2 * k);
    c += power;
    power /= 2 * k + 1;
    s += power;
    h += power / (2 * k + 3);
    // The next iteration multiplies w^k / (2k + 1)! by w / (2k + 2).
  }
  const double e = std::exp(-xi * x);
  return {e * c, e * x * s, e * x * x * x * h};
}

double raised(const Damped& d, double xi) {
  return d.c - xi * d.s;
}

// Converted to the sweep's type, with derivatives if it has any. The state is rotated so that the
// process is sigma times its first component.
template <class T>
struct Model {
  T sigma, two_xi;
  T cc, ss, cs;  // products of cosine and sine of the rotation
  double omega;
  Damping damping;
};

template <class T>
T variable(double value, int which) {
  if constexpr (std::is_same_v<T, Jet>)
    return Jet(value, which);
  else
    return value;
}

template <class T>
Model<T> model_at(const Parameters& at) {
  using std::exp;
  const T tangent = exp(variable<T>(at[kOmega], kOmega) + variable<T>(at[kPerturb], kPerturb));
  const T cc = 1.0 / (1.0 + tangent * tangent), cs = tangent * cc;
  return {exp(variable<T>(at[kSigma], kSigma)),
          2.0 * exp(variable<T>(at[kXi], kXi)),
          cc,
          tangent * cs,
          cs,
          std::exp(at[kOmega]),
          Damping(at[kXi])};
}

// From one epoch to the next: the state is multiplied by f, and noise of covariance n is added.
template <class T>
struct Transition {
  T f11, f12, f21, f22, n11, n12, n22;
};

template <class T>
Transition<T> transition(const Model<T>& model, double dt) {
  const double x = model.omega * dt;
  const Step step = step_over(x, model.damping);
  T p(step.p), q(step.q), lost(step.lost);
  if constexpr (std::is_same_v<T, Jet>) {
    p.v[kOmega] = x * step.p_x;
    p.v[kXi] = model.damping.xi * step.p_xi;
    q.v[kOmega] = x * step.q_x;
    q.v[kXi] = model.damping.xi * step.q_xi;
    lost.v[kOmega] = lost.v[kXi] = 2 * model.damping.xi * x * (1 - step.lost);
  }
  const T r = model.two_xi * p, r_cs = r * model.cs;
  // Of the noise before the rotation.
  const T n11 = lost - r * (q + r), n12 = r * p, n22 = lost + r * q;
  const T twice = 2.0 * model.cs * n12;
  return {q + r * model.cc,
          p - r_cs,
          -p - r_cs,
          q + r * model.ss,
          model.cc * n11 + twice + model.ss * n22,
          model.cs * (n22 - n11) + (model.cc - model.ss) * n12,
          model.ss * n11 - twice + model.cc * n22};
}

// The state's covariance is p11 (1, slope) (1, slope)' + rest (0, 1) (0, 1)'. An epoch scales p11
// down and leaves slope and rest unchanged, so no digits are lost, however small its error. The
// state has one or two channels: 0 for the data, 1 for a constant 1, so that the innovations of y -
// mean are those of channel 0 less mean times those of channel 1.
template <class T, int channels>
class Filter {
 public:
  explicit Filter(const Model<T>& model) : model_(model), sigma2_(model.sigma * model.sigma) {}

  void go(double dt) {
    if (dt == 0) return;
    const Transition<T> t = transition(model_, dt);
    for (int i = 0; i < channels; ++i) {
      const T m1 = t.f11 * m1_[i] + t.f12 * m2_[i];
      m2_[i] = t.f21 * m1_[i] + t.f22 * m2_[i];
      m1_[i] = m1;
    }
    const T a1 = t.f11 + t.f12 * slope_, a2 = t.f21 + t.f22 * slope_;
    const T b1 = p11_ * a1, b2 = rest_ * t.f12;
    const T p12 = b1 * a2 + b2 * t.f22 + t.n12;
    const T p22 = p11_ * a2 * a2 + rest_ * t.f22 * t.f22 + t.n22;
    p11_ = b1 * a1 + b2 * t.f12 + t.n11;
    slope_ = p12 / p11_;
    rest_ = p22 - slope_ * p12;
  }

  // Innovation of each channel into `v`; returns their variance.
  T observe(const double* y, double var, T* v) {
    const T s = sigma2_ * p11_ + var;
    const T share = p11_ / s, gain = model_.sigma * share;
    for (int i = 0; i < channels; ++i) {
      v[i] = y[i] - model_.sigma * m1_[i];
      const T by = gain * v[i];
      m1_[i] += by;
      m2_[i] += slope_ * by;
    }
    p11_ = share * var;
    return s;
  }

 private:
  const Model<T>& model_;
  T sigma2_;
  T m1_[channels]{}, m2_[channels]{};
  T p11_{1.0}, slope_{0.0}, rest_{1.0};
};

double loglike_of(double chi2, double log_variances, std::size_t n) {
  return -0.5 * (chi2 + log_variances + static_cast<double>(n) * std::log(2 * std::numbers::pi));
}

template <int channels>
Evaluation sweep(const Series& series, const Parameters& at) {
  const Model<double> model = model_at<double>(at);
  Filter<double, channels> filter(model);
  double logs = 0, product = 1, yy = 0, y1 = 0, ones = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    filter.go(series.dt[i]);
    const double y[2] = {series.y[i], 1};
    double v[channels];
    const double s = filter.observe(y, series.var[i], v);
    product *= s;
    if (i % 8 == 7) {  // one logarithm per eight epochs: variances are between 1e-30 and 1e30
      logs += std::log(product);
      product = 1;
    }
    yy += v[0] * v[0] / s;
    if constexpr (channels == 2) {
      y1 += v[0] * v[1] / s;
      ones += v[1] * v[1] / s;
    }
  }
  logs += std::log(product);
  Evaluation out;
  const double shift = channels == 2 ? y1 / ones : 0;
  out.chi2 = yy - shift * y1;
  out.mean = series.reference + shift;
  out.loglike = loglike_of(out.chi2, logs, series.size());
  return out;
}

}  // namespace

Series make_series(std::span<const double> time, std::span<const double> mag,
                   std::span<const double> mag_err) {
  Series series;
  std::vector<double> sorted(mag.begin(), mag.end());
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  series.reference = *middle;
  if (sorted.size() % 2 == 0)
    series.reference = (*middle + *std::max_element(sorted.begin(), middle)) / 2;
  for (std::size_t i = 0; i < time.size(); ++i) {
    series.dt.push_back(i == 0 ? 0 : time[i] - time[i - 1]);
    series.y.push_back(mag[i] - series.reference);
    series.var.push_back(mag_err[i] * mag_err[i]);
  }
  return series;
}

Damping::Damping(double ln_xi)
    : xi(std::exp(ln_xi)),
      kk(std::expm1(2 * ln_xi)),
      k(std::sqrt(std::abs(kk))),
      slow(kk > 0 ? 1 / (xi + k) : xi) {}

Step step_over(double x, const Damping& damping) {
  const auto [xi, kk, k, slow] = damping;
  if (slow * x > kForgotten) return {};
  const double w = kk * x * x;
  Step step;
  Damped d{};
  if (std::abs(w) < kNearCritical) {
    d = near_critical(x, xi, w);
    step.q = raised(d, xi);
  } else if (w < 0) {
    const double e = std::exp(-xi * x);
    d.c = e * std::cos(k * x);
    d.s = e * std::sin(k * x) / k;
    d.h = (x * d.c - d.s) / kk;
    step.q = raised(d, xi);
  } else {
    const double fast = xi + k, e1 = std::exp(-slow * x), e2 = std::exp(-fast * x);
    d.c = (e1 + e2) / 2;
    d.s = (e1 - e2) / (2 * k);
    d.h = (x * d.c - d.s) / kk;
    step.q = (fast * e2 - slow * e1) / (2 * k);
  }
  step.p = d.s;
  step.lost = -std::expm1(-2 * xi * x);
  step.p_x = step.q;
  step.q_x = -step.p - 2 * xi * step.q;
  step.p_xi = xi * d.h - x * step.p;
  step.q_xi = xi * x * d.s - x * d.c - step.p - xi * step.p_xi;
  return step;
}

Evaluation value_at(const Series& series, const Parameters& at, Mean mean) {
  return mean == Mean::Profiled ? sweep<2>(series, at) : sweep<1>(series, at);
}

// At the profiled mean the gradient is the same as with that mean fixed.
Evaluation gradient_at(const Series& series, const Parameters& at, Mean mean) {
  Evaluation out;
  out.mean = mean == Mean::Profiled ? sweep<2>(series, at).mean : series.reference;
  const double shift = out.mean - series.reference;
  const Model<Jet> model = model_at<Jet>(at);
  Filter<Jet, 1> filter(model);
  double logs = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    filter.go(series.dt[i]);
    const double y = series.y[i] - shift;
    Jet v;
    const Jet s = filter.observe(&y, series.var[i], &v);
    const double z = v.a / s.a;
    logs += std::log(s.a);
    out.chi2 += v.a * z;
    const Parameters by_s = s.v / s.a;
    out.gradient -= 0.5 * (1 - v.a * z) * by_s + z * v.v;
    out.information += v.v * (v.v / s.a).transpose() + 0.5 * by_s * by_s.transpose();
  }
  out.loglike = loglike_of(out.chi2, logs, series.size());
  return out;
}

}  // namespace dho
