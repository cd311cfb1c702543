#include "ou_likelihood.hpp"

#include <algorithm>
#include <cmath>

namespace ou {
namespace {

constexpr double kLnTwoPi = 1.8378770664093454836;
// Beyond this many tau nothing is remembered (e^-50 = 2e-22); the cap keeps denormals away.
constexpr double kForgotten = 50;

// The process between two epochs: correlation a, a^2, and 1 - a^2 without cancellation for short
// steps (which decides where sigma is far above the errors).
struct Step {
  double x, a, a2, q;
  Step(double dt, double inv_tau) : x(std::min(dt * inv_tau, kForgotten)) {
    const double e = std::expm1(-x);
    a = 1 + e;
    a2 = a * a;
    q = -e * (1 + a);
  }
};

// Sum of logarithms at the price of a multiplication each.
class LogSum {
 public:
  void add(double value) {
    product_ *= value;
    if (product_ < 1e-100 || product_ > 1e100) flush();
  }
  double total() {
    flush();
    return sum_;
  }

 private:
  void flush() {
    sum_ += std::log(product_);
    product_ = 1;
  }
  double product_ = 1;
  double sum_ = 0;
};

// Channel 0 is the data, channel 1 (profiled mean) a constant 1: the innovations of y - mu are
// those of y less mu times those of 1, so that mu follows from the sums.
constexpr int pair_count(int channels) {
  return channels * (channels + 1) / 2;
}

// NP: how many of (ln sigma, ln tau, ln jitter) are differentiated for.
template <int NP, int Channels>
struct Sums {
  std::array<double, pair_count(Channels)> quad{};  // sum v_c v_d / S: 00, then 01, 11
  std::array<std::array<double, NP>, pair_count(Channels)> dquad{};
  std::array<double, NP> dlogdet{};
  std::array<double, 3> information{};
  LogSum logdet;
};

template <int NP, int Channels>
class Filter {
 public:
  Filter(const Parameters& p)
      : s2_(std::exp(2 * p.ln_sigma)),
        inv_tau_(std::exp(-p.ln_tau)),
        j2_(std::exp(2 * p.ln_jitter)),
        var_(s2_) {
    if constexpr (NP > 0) dvar_[0] = 2 * s2_;
  }

  void take(double dt, double y, double error_variance, Sums<NP, Channels>& sums) {
    const Step step(dt, inv_tau_);
    const double r = error_variance + j2_;
    const double predicted = step.a2 * var_ + s2_ * step.q;
    const double inv_s = 1 / (predicted + r);
    const double gain = predicted * inv_s;
    const double loss = r * inv_s;  // 1 - gain
    sums.logdet.add(predicted + r);

    std::array<double, NP> ds, dgain;
    variance_derivatives(step, inv_s, gain, loss, ds, dgain, sums);

    std::array<double, Channels> v;
    std::array<std::array<double, NP>, Channels> dv;
    for (int c = 0; c < Channels; ++c) {
      const double expected = step.a * mean_[c];
      v[c] = (c == 0 ? y : 1.0) - expected;
      mean_[c] = expected + gain * v[c];
      for (int p = 0; p < NP; ++p) {
        const double de = step.a * dmean_[c][p] + (p == 1 ? step.x * expected : 0.0);
        dv[c][p] = -de;
        dmean_[c][p] = loss * de + dgain[p] * v[c];
      }
    }
    add(v, dv, ds, inv_s, sums);
    var_ = r * gain;
  }

 private:
  void variance_derivatives(const Step& step, double inv_s, double gain, double loss,
                            std::array<double, NP>& ds, std::array<double, NP>& dgain,
                            Sums<NP, Channels>& sums) {
    for (int p = 0; p < NP; ++p) {
      double d = step.a2 * dvar_[p];
      if (p == 0) d += 2 * s2_ * step.q;
      if (p == 1) d += 2 * step.x * step.a2 * (var_ - s2_);
      const double dr = p == 2 ? 2 * j2_ : 0.0;
      ds[p] = d + dr;
      dgain[p] = (loss * d - gain * dr) * inv_s;
      dvar_[p] = loss * loss * d + gain * gain * dr;
      sums.dlogdet[p] += ds[p] * inv_s;
    }
  }

  static void add(const std::array<double, Channels>& v,
                  const std::array<std::array<double, NP>, Channels>& dv,
                  const std::array<double, NP>& ds, double inv_s, Sums<NP, Channels>& sums) {
    int k = 0;
    for (int c = 0; c < Channels; ++c) {
      for (int d = 0; d <= c; ++d, ++k) {
        const double vv = v[c] * v[d];
        sums.quad[k] += vv * inv_s;
        for (int p = 0; p < NP; ++p)
          sums.dquad[k][p] += (dv[c][p] * v[d] + v[c] * dv[d][p] - vv * inv_s * ds[p]) * inv_s;
      }
    }
    if constexpr (NP >= 2) {
      const double a = ds[0] * inv_s, b = ds[1] * inv_s;
      sums.information[0] += 0.5 * a * a + dv[0][0] * dv[0][0] * inv_s;
      sums.information[1] += 0.5 * a * b + dv[0][0] * dv[0][1] * inv_s;
      sums.information[2] += 0.5 * b * b + dv[0][1] * dv[0][1] * inv_s;
    }
  }

  double s2_, inv_tau_, j2_;
  double var_;  // of the process given the epochs so far
  std::array<double, NP> dvar_{};
  std::array<double, Channels> mean_{};
  std::array<std::array<double, NP>, Channels> dmean_{};
};

template <int NP, int Channels>
Evaluation sweep(const Series& series, const Parameters& parameters) {
  Filter<NP, Channels> filter(parameters);
  Sums<NP, Channels> sums;
  for (std::size_t i = 0; i < series.size(); ++i)
    filter.take(series.dt[i], series.y[i], series.var[i], sums);

  double mu = 0, quad = sums.quad[0];
  if constexpr (Channels == 2) {
    mu = sums.quad[1] / sums.quad[2];
    quad -= mu * sums.quad[1];
  }
  Evaluation out;
  out.mean = series.reference + mu;
  out.loglike = -0.5 * (quad + sums.logdet.total() + kLnTwoPi * static_cast<double>(series.size()));
  for (int p = 0; p < NP; ++p) {
    double d = sums.dquad[0][p] + sums.dlogdet[p];
    if constexpr (Channels == 2) d += mu * (mu * sums.dquad[2][p] - 2 * sums.dquad[1][p]);
    out.gradient[p] = -0.5 * d;
  }
  out.information = sums.information;
  return out;
}

template <int Channels>
Evaluation sweep(const Series& series, const Parameters& parameters, Want want) {
  switch (want) {
    case Want::Value:
      return sweep<0, Channels>(series, parameters);
    case Want::Gradient:
      return sweep<2, Channels>(series, parameters);
    case Want::GradientWithJitter:
      break;
  }
  return sweep<3, Channels>(series, parameters);
}

// What the epochs on one side of an epoch say of the process there, for each channel.
template <int Channels>
struct Message {
  std::array<double, Channels> mean{};
  double var;
};

template <int Channels>
void take(Message<Channels>& m, double y, double error_variance) {
  const double gain = m.var / (m.var + error_variance);
  for (int c = 0; c < Channels; ++c) m.mean[c] += gain * ((c == 0 ? y : 1.0) - m.mean[c]);
  m.var = error_variance * gain;
}

template <int Channels>
void move(Message<Channels>& m, const Step& step, double s2) {
  for (double& mean : m.mean) mean *= step.a;
  m.var = step.a2 * m.var + s2 * step.q;
}

// The mean by generalised least squares and its variance.
struct Level {
  double mean = 0, var = 0;
};

// `before`[i]: from the epochs before i.
template <int Channels>
Level forward(const Series& series, double s2, double j2, std::span<const Step> steps,
              std::vector<Message<Channels>>& before) {
  Message<Channels> m{{}, s2};
  double ones = 0, cross = 0;
  for (std::size_t i = 0; i < series.size(); ++i) {
    move(m, steps[i], s2);
    before.push_back(m);
    const double r = series.var[i] + j2;
    if constexpr (Channels == 2) {
      const double v1 = 1 - m.mean[1], inv_s = 1 / (m.var + r);
      ones += v1 * v1 * inv_s;
      cross += v1 * (series.y[i] - m.mean[0]) * inv_s;
    }
    take(m, series.y[i], r);
  }
  if constexpr (Channels == 2) return {cross / ones, 1 / ones};
  return {};
}

// Both sides are combined, less the prior that is in both. With K the covariance, known-mean
// predictions give (K^-1 y)_j and (K^-1)_jj; estimating the mean replaces K^-1 by
// K^-1 - K^-1 1 1' K^-1 / (1' K^-1 1) (cf. Rasmussen & Williams 2006, eq. 5.12).
template <int Channels>
LeaveOneOut leave_one_out(const Series& series, const Parameters& parameters) {
  const std::size_t n = series.size();
  const double s2 = std::exp(2 * parameters.ln_sigma);
  const double inv_tau = std::exp(-parameters.ln_tau);
  const double j2 = std::exp(2 * parameters.ln_jitter);
  std::vector<Step> steps;
  std::vector<Message<Channels>> before;
  steps.reserve(n);
  before.reserve(n);
  for (const double dt : series.dt) steps.emplace_back(dt, inv_tau);
  const Level level = forward<Channels>(series, s2, j2, steps, before);

  LeaveOneOut out{std::vector<double>(n), std::vector<double>(n), std::vector<double>(n)};
  Message<Channels> m{{}, s2};
  for (std::size_t i = n; i-- > 0;) {
    const Message<Channels>& b = before[i];
    const double r = series.var[i] + j2;
    const double process = 1 / (1 / b.var + 1 / m.var - 1 / s2);
    std::array<double, Channels> rest;  // value less prediction, mean 0
    for (int c = 0; c < Channels; ++c)
      rest[c] = (c == 0 ? series.y[i] : 1.0) - process * (b.mean[c] / b.var + m.mean[c] / m.var);
    double var = process + r, residual = rest[0];
    if constexpr (Channels == 2) {
      const double growth = 1 / (1 - rest[1] * rest[1] / var * level.var);
      residual = (rest[0] - level.mean * rest[1]) * growth;
      var *= growth;
    }
    out.mean[i] = series.reference + series.y[i] - residual;
    out.var[i] = var;
    out.logpdf[i] = -0.5 * (kLnTwoPi + std::log(var) + residual * residual / var);
    take(m, series.y[i], r);
    move(m, steps[i], s2);
  }
  return out;
}

}  // namespace

Series make_series(std::span<const double> time, std::span<const double> mag,
                   std::span<const double> mag_err, double reference) {
  Series s;
  s.reference = reference;
  s.dt.resize(time.size());
  s.y.resize(time.size());
  s.var.resize(time.size());
  for (std::size_t i = 0; i < time.size(); ++i) {
    s.dt[i] = i == 0 ? 0.0 : time[i] - time[i - 1];
    s.y[i] = mag[i] - reference;
    s.var[i] = mag_err[i] * mag_err[i];
  }
  return s;
}

Series without(const Series& series, std::size_t j, double reference) {
  Series s = series;
  const auto at = static_cast<std::ptrdiff_t>(j);
  if (j + 1 < s.size()) s.dt[j + 1] = j == 0 ? 0.0 : s.dt[j] + s.dt[j + 1];
  s.dt.erase(s.dt.begin() + at);
  s.y.erase(s.y.begin() + at);
  s.var.erase(s.var.begin() + at);
  const double shift = series.reference - reference;
  for (double& y : s.y) y += shift;
  s.reference = reference;
  return s;
}

Evaluation evaluate(const Series& series, const Parameters& parameters, Mean mean, Want want) {
  return mean == Mean::Fixed ? sweep<1>(series, parameters, want)
                             : sweep<2>(series, parameters, want);
}

LeaveOneOut leave_one_out(const Series& series, const Parameters& parameters, Mean mean) {
  return mean == Mean::Fixed ? leave_one_out<1>(series, parameters)
                             : leave_one_out<2>(series, parameters);
}

}  // namespace ou
