#include "dho_starts.hpp"

#include <Eigen/Cholesky>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace dho {
namespace {

constexpr std::size_t kWalkNodes = 8, kWalks = 2;
constexpr std::size_t kSecondTimes = 16, kWithSecondTime = 4, kApart = 2;
constexpr double kOscillators = 6;  // starts for light curves of kFew epochs and more
constexpr double kFew = 150, kMostTimesMore = 4;

// `count` numbers from `low` to `high` in equal ratios.
std::vector<double> ratios(double low, double high, std::size_t count) {
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(low *
                  std::pow(high / low, static_cast<double>(i) / static_cast<double>(count - 1)));
  return out;
}

// ln sigma that shows the variance seen: of a process of time `tau`, longer than the light curve,
// only a part is visible.
double ln_sigma_of(const Extent& extent, double tau) {
  return 0.5 * std::log(extent.variance * (1 + 2 * tau / extent.baseline));
}

Trial oscillator(const Extent& extent, double omega, double xi, double turn) {
  const double slow = xi > 1 ? xi + std::sqrt(xi * xi - 1) : 1 / xi;
  return {
      {ln_sigma_of(extent, slow / omega), std::log(omega), std::log(xi), std::log(turn / omega)}};
}

// Weakly damped oscillators are lines in frequency of relative width max(xi, 1 / (omega baseline)).
std::vector<Trial> grid(const Extent& extent, std::size_t epochs) {
  constexpr double kFrom = 1, kFastest = 100;  // 1 / baseline, rad/d
  const double spacing = 1.3 * std::clamp(static_cast<double>(epochs) / 30, 1.0, 2.5);
  std::vector<Trial> out;
  for (const double xi : {0.025, 0.1}) {
    double by = 0;
    for (double omega = kFrom / extent.baseline; omega < kFastest; omega *= std::exp(by)) {
      out.push_back(oscillator(extent, omega, xi, 1));
      by = std::min(1.0, spacing * std::max(xi, 1 / (omega * extent.baseline)));
    }
  }
  for (const double xi : {0.25, 1.0}) {
    for (double omega = kFrom / extent.baseline; omega < kFastest; omega *= 5) {
      for (const double turn : {0.1, 1.0, 10.0}) out.push_back(oscillator(extent, omega, xi, turn));
    }
  }
  return out;
}

bool are_near(const Parameters& a, const Parameters& b) {
  constexpr double kNear = 1.7;
  const Parameters apart = (a - b).cwiseAbs();
  const double line = 4 * std::exp(std::min(a[kXi], b[kXi]));
  return apart[kXi] < kNear && apart[kPerturb] < kNear && apart[kOmega] < std::min(kNear, line);
}

std::vector<double> loglikes(const Series& series, std::vector<Trial>& trials, Mean mean) {
  std::vector<double> out;
  const std::vector<Evaluation> found = evaluate_all(series, trials, mean, Want::Value);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    trials[i].mean = found[i].mean;
    // NaN cannot be sorted.
    const double loglike = found[i].loglike;
    out.push_back(std::isfinite(loglike) ? loglike : -std::numeric_limits<double>::infinity());
  }
  return out;
}

std::vector<std::size_t> from_highest(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, std::ranges::greater{}, [&](std::size_t i) { return values[i]; });
  return order;
}

// A walk of time tau with a second time r, whose share of the variance can change.
class SecondTime {
 public:
  SecondTime(double ln_sigma, double tau, double r) : ln_sigma_(ln_sigma), tau_(tau), r_(r) {}

  Parameters walk() const { return with_share(0); }

  // tau_perturb follows from the partial fractions of the spectrum.
  Parameters with_share(double share) const {
    const double lowest = r_ < tau_ ? -r_ / (tau_ - r_) : -tau_ / (r_ - tau_);
    const double a = std::clamp(share, 0.9 * lowest, 0.9), b = 1 - a;
    const double square = (b * r_ + a * tau_) / (b / r_ + a / tau_);
    return {ln_sigma_, -0.5 * std::log(tau_ * r_),
            std::log((tau_ + r_) / (2 * std::sqrt(tau_ * r_))), 0.5 * std::log(square)};
  }

  // Derivatives of the parameters at walk() by ln sigma, ln tau and the share.
  Eigen::Matrix<double, 4, 3> slopes() const {
    Eigen::Matrix<double, 4, 3> out = Eigen::Matrix<double, 4, 3>::Zero();
    out(kSigma, 0) = 1;
    out(kOmega, 1) = -0.5;
    out(kXi, 1) = tau_ / (tau_ + r_) - 0.5;
    out(kPerturb, 2) = (tau_ / r_ - r_ / tau_) / 2;
    return out;
  }

 private:
  double ln_sigma_, tau_, r_;
};

// The share of the variance to which the gradient at walk() leads.
double share_of(const SecondTime& second, const Evaluation& at_walk) {
  const auto slopes = second.slopes();
  const Eigen::Vector3d gradient = slopes.transpose() * at_walk.gradient;
  const Eigen::Matrix3d information = slopes.transpose() * at_walk.information * slopes;
  const double share = information.llt().solve(gradient)[2];
  return std::isfinite(share) ? share : 0;
}

bool is_peak(const std::vector<double>& values, std::size_t i) {
  return (i == 0 || values[i] >= values[i - 1]) &&
         (i + 1 == values.size() || values[i] >= values[i + 1]);
}

}  // namespace

Extent extent_of(const Series& series) {
  Extent out;
  const auto n = static_cast<double>(series.size());
  const double mean = std::accumulate(series.y.begin(), series.y.end(), 0.0) / n;
  const double errors = std::accumulate(series.var.begin(), series.var.end(), 0.0) / n;
  std::vector<double> steps;
  for (std::size_t i = 0; i < series.size(); ++i) {
    out.variance += (series.y[i] - mean) * (series.y[i] - mean) / n;
    out.baseline += series.dt[i];
    if (series.dt[i] > 0) steps.push_back(series.dt[i]);
  }
  out.variance = std::max({out.variance - errors, 0.05 * out.variance, 1e-12});
  if (steps.empty()) return {out.variance, 1, 1, 1};
  std::ranges::sort(steps);
  out.shortest = steps.front();
  out.usual = steps[steps.size() / 10];
  return out;
}

const Space& walks() {
  static const Space space = [] {
    Space walks{{{std::log(0.001), std::log(0.1), 0, 0}, {std::log(100), std::log(1e4), 0, 0}}};
    const double ln4 = std::log(4.0);
    walks.origin = {0, ln4 / 2, std::log(1.25), -ln4};
    walks.along.setZero();
    walks.along(kSigma, 0) = 1;
    walks.along(kOmega, 1) = -1;
    walks.along(kPerturb, 1) = 1;
    return walks;
  }();
  return space;
}

std::vector<Trial> walk_starts(const Series& series, const Extent& extent, Mean mean) {
  const double low = std::clamp(extent.usual / 3, 0.1, 1e3);
  const double high = std::clamp(3 * extent.baseline, 3 * low, 1e4);
  std::vector<Trial> at, trials;
  for (const double tau : ratios(low, high, kWalkNodes)) {
    at.push_back({{ln_sigma_of(extent, tau), std::log(tau), 0, 0}});
    trials.push_back(walks().trial(at.back()));
  }
  const std::vector<double> loglike = loglikes(series, trials, mean);
  std::vector<Trial> chosen;
  for (const std::size_t i : from_highest(loglike)) {
    if (chosen.size() < kWalks && is_peak(loglike, i)) chosen.push_back({at[i].at, trials[i].mean});
  }
  return chosen;
}

std::vector<Trial> oscillator_starts(const Series& series, const Extent& extent, Mean mean) {
  std::vector<Trial> trials = grid(extent, series.size());
  const std::vector<double> loglike = loglikes(series, trials, mean);
  const double more = std::clamp(kFew / static_cast<double>(series.size()), 1.0, kMostTimesMore);
  const auto most = static_cast<std::size_t>(kOscillators * more);
  std::vector<Trial> chosen;
  for (const std::size_t i : from_highest(loglike)) {
    if (chosen.size() == most) break;
    const auto is_near = [&](const Trial& other) { return are_near(trials[i].at, other.at); };
    if (std::ranges::none_of(chosen, is_near)) chosen.push_back(trials[i]);
  }
  return chosen;
}

std::vector<Trial> second_time_starts(const Series& series, const Extent& extent, Mean mean,
                                      const Trial& walk) {
  const double ln_sigma = walk.at[0], tau = std::exp(walk.at[1]);
  const double low = std::max(std::min(extent.shortest / 3, tau / 10), 3e-7 * tau);
  const double high = 3 * std::max(extent.baseline, tau);
  std::vector<SecondTime> seconds;
  std::vector<Trial> trials;
  for (const double r : ratios(low, high, kSecondTimes)) {
    seconds.emplace_back(ln_sigma, tau, r);
    trials.push_back({seconds.back().walk(), walk.mean});
  }
  const std::vector<Evaluation> at_walk = evaluate_all(series, trials, mean, Want::Gradient);
  for (std::size_t i = 0; i < trials.size(); ++i)
    trials[i].at = seconds[i].with_share(share_of(seconds[i], at_walk[i]));
  const std::vector<double> loglike = loglikes(series, trials, mean);
  std::vector<std::size_t> nodes;
  for (const std::size_t i : from_highest(loglike)) {
    const auto is_near = [&](std::size_t k) { return i < k + kApart && k < i + kApart; };
    if (nodes.size() < kWithSecondTime && std::ranges::none_of(nodes, is_near)) nodes.push_back(i);
  }
  std::vector<Trial> chosen;
  for (const std::size_t i : nodes) chosen.push_back(trials[i]);
  return chosen;
}

}  // namespace dho
