// The likelihood by dense algebra in long double, with the covariance from the roots of the
// characteristic polynomial (Kelly et al. 2014, eq. 4).
#pragma once

#include <Eigen/Cholesky>
#include <cmath>
#include <complex>
#include <numbers>

#include "dho_likelihood.hpp"

namespace dense {

using Real = long double;
using Complex = std::complex<Real>;
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;

// The parameters in the notation of the differential equation.
struct Carma {
  Real alpha_1, alpha_2, beta_0, beta_1;
};

inline Carma carma(const dho::Parameters& at) {
  const Real omega = std::exp(Real(at[1])), xi = std::exp(Real(at[2])), tau = std::exp(Real(at[3]));
  Carma c{2 * xi * omega, omega * omega, 0, 0};
  const Real unit = (1 / c.alpha_2 + tau * tau) / (2 * c.alpha_1);  // variance for beta_0 = 1
  c.beta_0 = std::exp(Real(at[0])) / std::sqrt(unit);
  c.beta_1 = c.beta_0 * tau;
  return c;
}

inline Real covariance(const Carma& c, Real lag) {
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

inline double loglike(const dho::Series& s, const dho::Parameters& at, dho::Mean mean) {
  const Carma c = carma(at);
  const auto n = static_cast<Eigen::Index>(s.size());
  const Real two_pi = 2 * std::numbers::pi_v<Real>;
  Matrix k(n, n);
  Vector y(n), time(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const auto u = static_cast<std::size_t>(i);
    y[i] = s.y[u];
    time[i] = (i == 0 ? 0 : time[i - 1]) + Real(s.dt[u]);
    for (Eigen::Index j = 0; j <= i; ++j)
      k(i, j) = k(j, i) = covariance(c, time[i] - time[j]) + (i == j ? Real(s.var[u]) : 0);
  }
  const Eigen::LLT<Matrix> cholesky(k);
  const Vector ones = Vector::Ones(n), weights = cholesky.solve(ones);
  if (mean != dho::Mean::Fixed) y -= ones * (weights.dot(y) / weights.dot(ones));
  const Matrix lower = cholesky.matrixL();
  Real twice = 2 * lower.diagonal().array().log().sum() + y.dot(cholesky.solve(y)) +
               Real(n) * std::log(two_pi);
  if (mean == dho::Mean::Marginal) twice += std::log(weights.dot(ones) / two_pi);
  return static_cast<double>(-twice / 2);
}

}  // namespace dense
