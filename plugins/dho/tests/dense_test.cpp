// The likelihood against dense algebra in long double, with the covariance from the roots of the
// characteristic polynomial (Kelly et al. 2014, eq. 4), and its gradient against differences.
#include <Eigen/Cholesky>
#include <catch2/catch.hpp>
#include <cmath>
#include <complex>
#include <numbers>

#include "dho_likelihood.hpp"
#include "simulate.hpp"

using dho::Mean;
using dho::Parameters;
using dho::Series;

namespace {

using Real = long double;
using Complex = std::complex<Real>;
using DenseMatrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;
using DenseVector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

// The parameters in the notation of the differential equation.
struct Carma {
  Real alpha_1, alpha_2, beta_0, beta_1;
};

Carma carma(const Parameters& at) {
  const Real omega = std::exp(Real(at[1])), xi = std::exp(Real(at[2])), tau = std::exp(Real(at[3]));
  Carma c{2 * xi * omega, omega * omega, 0, 0};
  const Real unit = (1 / c.alpha_2 + tau * tau) / (2 * c.alpha_1);  // variance for beta_0 = 1
  c.beta_0 = std::exp(Real(at[0])) / std::sqrt(unit);
  c.beta_1 = c.beta_0 * tau;
  return c;
}

Real covariance(const Carma& c, Real lag) {
  const Complex root = std::sqrt(Complex(c.alpha_1 * c.alpha_1 / 4 - c.alpha_2));
  if (std::abs(root) < 1e-12L) {  // critical: the limit
    const Real w = c.alpha_1 / 2, e = std::exp(-w * lag) / (4 * w * w * w);
    return e * (c.beta_0 * c.beta_0 * (1 + w * lag) + c.beta_1 * c.beta_1 * w * w * (1 - w * lag));
  }
  const Complex roots[2] = {-c.alpha_1 / 2 + root, -c.alpha_1 / 2 - root};
  Complex sum = 0;
  for (int k = 0; k < 2; ++k) {
    const Complex r = roots[k], other = roots[1 - k];
    const Complex ma = (c.beta_0 + c.beta_1 * r) * (c.beta_0 - c.beta_1 * r);
    sum += ma * std::exp(r * lag) / (-2 * r.real() * (other - r) * (std::conj(other) + r));
  }
  return sum.real();
}

Real dense_loglike(const Series& s, const Parameters& at, Mean mean) {
  const Carma c = carma(at);
  const auto n = static_cast<Eigen::Index>(s.size());
  DenseMatrix k(n, n);
  DenseVector y(n), time(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto u = static_cast<std::size_t>(i);
    y[i] = s.y[u];
    time[i] = (i == 0 ? 0 : time[i - 1]) + Real(s.dt[u]);
    for (Eigen::Index j = 0; j <= i; ++j)
      k(i, j) = k(j, i) = covariance(c, time[i] - time[j]) + (i == j ? Real(s.var[u]) : 0);
  }
  const Eigen::LLT<DenseMatrix> cholesky(k);
  if (mean == Mean::Profiled) {
    const DenseVector ones = DenseVector::Ones(n), weights = cholesky.solve(ones);
    y -= ones * (weights.dot(y) / weights.dot(ones));
  }
  const DenseMatrix lower = cholesky.matrixL();
  const Real logs = 2 * lower.diagonal().array().log().sum();
  return -0.5L *
         (y.dot(cholesky.solve(y)) + logs + Real(n) * std::log(2 * std::numbers::pi_v<Real>));
}

Parameters logs(double sigma, double omega, double xi, double tau_perturb) {
  return {std::log(sigma), std::log(omega), std::log(xi), std::log(tau_perturb)};
}

const Parameters kOscillators[] = {
    logs(0.15, 0.02, 0.05, 3),     // weakly damped
    logs(0.15, 0.02, 0.6, 0.01),   //
    logs(0.2, 0.03, 0.9999, 2),    // on both sides of critical damping, and at it
    logs(0.2, 0.03, 1, 2),         //
    logs(0.2, 0.03, 1.0001, 200),  //
    logs(0.3, 0.01, 3, 20),        //
    logs(0.3, 0.05, 60, 400),      // two very different times
    logs(0.1, 5, 0.3, 0.01),       // faster than the spacing of epochs
    logs(2, 0.0005, 1.5, 1e-4),    // slower than the light curve, and smooth
};

}  // namespace

TEST_CASE("the likelihood is that of dense algebra") {
  for (const std::size_t n : {5, 40, 120}) {
    const Series series = simulate::series(n, 7 + n, kOscillators[5]);
    for (const Parameters& at : kOscillators) {
      for (const Mean mean : {Mean::Fixed, Mean::Profiled}) {
        INFO(n << " epochs, ln parameters " << at.transpose());
        const auto expected = static_cast<double>(dense_loglike(series, at, mean));
        const double bound = 1e-9 * std::max(1.0, std::abs(expected));
        CHECK(std::abs(dho::value_at(series, at, mean).loglike - expected) < bound);
        CHECK(std::abs(dho::gradient_at(series, at, mean).loglike - expected) < bound);
      }
    }
  }
}

TEST_CASE("the likelihood is right for repeated times, and for small and large errors") {
  Series series = simulate::series(60, 3, kOscillators[5]);
  for (std::size_t i = 5; i < 60; i += 7) series.dt[i] = 0;
  for (std::size_t i = 6; i < 60; i += 7) series.dt[i] = 2e-4;  // of one night
  for (const double scale : {1e-3, 1.0, 1e4}) {
    Series scaled = series;
    for (double& v : scaled.var) v *= scale;
    for (const Parameters& at : kOscillators) {
      INFO("variances times " << scale << ", ln parameters " << at.transpose());
      const auto expected = static_cast<double>(dense_loglike(scaled, at, Mean::Fixed));
      CHECK(std::abs(dho::value_at(scaled, at, Mean::Fixed).loglike - expected) <
            1e-9 * std::max(1.0, std::abs(expected)));
    }
  }
}

// Twenty pairs of epochs; magnitudes of a pair differ by a few errors, all numbers are exact.
static Series pairs_of_epochs(double apart, double error) {
  Series series;
  double before = 0;
  for (int i = 0; i < 40; ++i) {
    const int pair = i / 2;
    const bool second = i % 2 == 1;
    const double time = 3 * pair + (pair * pair % 7) / 8.0 + (second ? apart : 0);
    series.dt.push_back(i == 0 ? 0 : time - before);
    series.y.push_back((pair * 37 % 64 - 32) / 256.0 +
                       (second ? (i * 29 % 16 - 8) / 8.0 * error : 0));
    series.var.push_back(error * error);
    before = time;
  }
  return series;
}

TEST_CASE("epochs at equal or near times keep their digits, however small their errors") {
  struct Case {
    Parameters at;
    double apart, error, fixed, profiled;
  };
  const Parameters under = logs(0.2, 0.05, 0.6, 2), over = logs(0.2, 0.05, 3, 20);
  // Dense algebra with 70 digits, by Python's decimal.
  const Case cases[] = {
      {under, 0, 0x1p-17, -516.1970745520822, -516.1965489587817},
      {under, 0, 0x1p-24, -419.15096947304073, -419.15044210067441},
      {under, 0, 0x1p-30, -335.97326169976947, -335.97273431360225},
      {under, 0x1p-13, 0x1p-17, -553.91032205250497, -553.90979604321581},
      {under, 0x1p-13, 0x1p-24, -553.67121635802562, -553.6706889809019},
      {under, 0x1p-13, 0x1p-30, -553.67113326376523, -553.67060587609728},
      {over, 0, 0x1p-17, 224.50467098059428, 224.50481597443951},
      {over, 0, 0x1p-24, 321.54531045183478, 321.54545546966295},
      {over, 0, 0x1p-30, 404.72297238398693, 404.72311740200104},
      {over, 0x1p-13, 0x1p-17, 131.7436891416603, 131.74383414383783},
      {over, 0x1p-13, 0x1p-24, 131.74467176311984, 131.74481678133989},
      {over, 0x1p-13, 0x1p-30, 131.74467226586043, 131.7448172842048},
  };
  for (const Case& c : cases) {
    INFO("epochs " << c.apart << " d apart, errors " << c.error << ", ln parameters "
                   << c.at.transpose());
    const Series series = pairs_of_epochs(c.apart, c.error);
    const double bound = 1e-9 * std::abs(c.fixed);
    CHECK(std::abs(dho::value_at(series, c.at, Mean::Fixed).loglike - c.fixed) < bound);
    CHECK(std::abs(dho::value_at(series, c.at, Mean::Profiled).loglike - c.profiled) < bound);
    CHECK(std::abs(dho::gradient_at(series, c.at, Mean::Profiled).loglike - c.profiled) < bound);
  }
}

TEST_CASE("the gradient agrees with finite differences") {
  const Series series = simulate::series(80, 5, kOscillators[2]);
  for (const Parameters& at : kOscillators) {
    for (const Mean mean : {Mean::Fixed, Mean::Profiled}) {
      const Parameters gradient = dho::gradient_at(series, at, mean).gradient;
      for (int i = 0; i < 4; ++i) {
        const auto value = [&](double by) {
          return dho::value_at(series, at + by * Parameters::Unit(i), mean).loglike;
        };
        const double h = 1e-3;  // by five-point differences
        const double slope =
            (8 * (value(h) - value(-h)) - (value(2 * h) - value(-2 * h))) / (12 * h);
        INFO("parameter " << i << " of " << at.transpose());
        CHECK(gradient[i] == Approx(slope).epsilon(1e-6).margin(1e-6));
      }
    }
  }
}

TEST_CASE("steps lose no digits near critical damping") {
  for (const double x : {1e-6, 0.01, 0.5, 3.0, 30.0}) {
    for (const double ln_xi : {-1e-3, -1e-7, -1e-12, 0.0, 1e-12, 1e-7, 1e-3}) {
      const Complex xi = std::exp(Real(ln_xi));
      const Complex k = std::sqrt(Complex(std::expm1(2 * Real(ln_xi))));
      const Complex kx = k * Real(x);
      const bool critical = std::abs(kx) < 1e-5L;
      const Complex s = critical ? Real(x) * (Complex(1) + kx * kx / Real(6)) : std::sinh(kx) / k;
      const Complex p = std::exp(-xi * Real(x)) * s;
      const Complex q = std::exp(-xi * Real(x)) * (std::cosh(kx) - xi * s);
      const dho::Step step = dho::step_over(x, dho::Damping(ln_xi));
      INFO("x " << x << ", ln xi " << ln_xi);
      CHECK(step.p == Approx(static_cast<double>(p.real())).epsilon(1e-13));
      CHECK(step.q == Approx(static_cast<double>(q.real())).epsilon(1e-12));
    }
  }
}
