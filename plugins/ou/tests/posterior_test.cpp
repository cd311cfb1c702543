#include "ou_posterior.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "simulate.hpp"

using ou::Mean;
using ou::Prior;

namespace {

// Quantiles of a value by its weights.
std::array<double, 5> quantiles(std::map<double, double> weights, double width) {
  double all = 0;
  for (const auto& [value, weight] : weights) all += weight;
  std::array<double, 5> out{};
  double below = 0;
  std::size_t q = 0;
  for (const auto& [value, weight] : weights) {
    for (; q < out.size() && below + weight >= ou::kQuantiles[q] * all; ++q)
      out[q] = value + width * ((ou::kQuantiles[q] * all - below) / weight - 0.5);
    below += weight;
  }
  return out;
}

struct Dense {
  std::array<double, 5> ln_sigma{}, ln_tau{}, ln_d{};
  double mean_ln_d = 0;
};

// A grid of cells of the same size over the box. The width of cells of ln sigma is half of that of
// ln tau, so that values of ln D = 2 ln sigma - ln tau coincide.
Dense dense(const ou::Series& series, const ou::Box& box, Prior prior, double ln_jitter,
            int n_tau) {
  const double h = (box.ln_tau_max - box.ln_tau_min) / n_tau;
  const int n_sigma = static_cast<int>(std::lround(2 * (box.ln_sigma_max - box.ln_sigma_min) / h));
  const double h_sigma = (box.ln_sigma_max - box.ln_sigma_min) / n_sigma;
  std::vector<ou::Trial> trials;
  for (int i = 0; i < n_tau; ++i) {
    for (int k = 0; k < n_sigma; ++k)
      trials.push_back(
          {{box.ln_sigma_min + (k + 0.5) * h_sigma, box.ln_tau_min + (i + 0.5) * h, ln_jitter}});
  }
  const auto found = ou::evaluate_all(series, trials, Mean::Marginal, ou::Want::Value);
  double top = -1e300;
  const auto ln_density = [&](std::size_t k) {
    const auto& at = trials[k].at;
    return found[k].loglike + (prior == Prior::Uniform ? at.ln_sigma + at.ln_tau : 0);
  };
  for (std::size_t k = 0; k < trials.size(); ++k) top = std::max(top, ln_density(k));
  std::map<double, double> sigma, tau, d;
  double all = 0, sum_d = 0;
  for (std::size_t k = 0; k < trials.size(); ++k) {
    const double weight = std::exp(ln_density(k) - top);
    const auto& at = trials[k].at;
    const double ln_d = 2 * at.ln_sigma - at.ln_tau;
    sigma[at.ln_sigma] += weight;
    tau[at.ln_tau] += weight;
    d[std::round(ln_d / h) * h] += weight;
    all += weight;
    sum_d += weight * ln_d;
  }
  return {quantiles(sigma, h_sigma), quantiles(tau, h), quantiles(d, h), sum_d / all};
}

ou::Box box(double sigma_low, double sigma_high, double tau_low, double tau_high) {
  return {std::log(sigma_low), std::log(sigma_high), std::log(tau_low), std::log(tau_high)};
}

void compare(const std::array<double, 5>& ours, const std::array<double, 5>& dense,
             const char* what) {
  INFO(what << ": " << ours[0] << " " << ours[1] << " " << ours[2] << " " << ours[3] << " "
            << ours[4] << ", dense: " << dense[0] << " " << dense[1] << " " << dense[2] << " "
            << dense[3] << " " << dense[4]);
  for (std::size_t q = 0; q < ours.size(); ++q) CHECK(std::abs(ours[q] - dense[q]) < 0.02);
}

void check_against_dense(const ou::Curve& curve, const ou::Box& box, Prior prior, int n_tau,
                         double ln_jitter = ou::Parameters{}.ln_jitter) {
  const ou::Series series = ou::series_of(curve);
  const Dense right = dense(series, box, prior, ln_jitter, n_tau);
  const ou::Posterior ours = ou::posterior_of(series, box, prior, ln_jitter);
  compare(ours.ln_sigma, right.ln_sigma, "ln sigma");
  compare(ours.ln_tau, right.ln_tau, "ln tau");
  compare(ours.ln_d, right.ln_d, "ln d");
  double all = 0, mean_ln_d = 0;
  for (const auto& node : ours.nodes) {
    all += std::exp(node.ln_weight);
    mean_ln_d += std::exp(node.ln_weight) * (2 * node.ln_sigma - node.ln_tau);
  }
  CHECK(ours.nodes.size() <= ou::kMostNodes);
  CHECK(std::abs(all - 1) < 1e-9);
  const double spread = (right.ln_d[3] - right.ln_d[1]) / 2;
  CHECK(std::abs(mean_ln_d - right.mean_ln_d) < std::max(0.05, 0.05 * spread));
}

// The most nodes that have one value of tau.
std::ptrdiff_t most_along_sigma(std::size_t epochs, const simulate::Truth& truth) {
  const ou::Series series = ou::series_of(simulate::curve(epochs, 3, truth));
  const auto nodes =
      ou::posterior_of(series, ou::standard_box(), Prior::LogUniform, ou::Parameters{}.ln_jitter)
          .nodes;
  std::ptrdiff_t most = 0;
  for (const auto& node : nodes) {
    most = std::max(most, std::ranges::count(nodes, node.ln_tau, &ou::Posterior::Node::ln_tau));
  }
  return most;
}

}  // namespace

TEST_CASE("quantiles of the posterior are those of a dense grid") {
  const simulate::Truth slow{.sigma = 0.2, .tau = 1000}, fast{.sigma = 0.15, .tau = 3},
      bright{.sigma = 0.3, .tau = 100, .error_low = 0.001, .error_high = 0.002},
      constant{.sigma = 1e-6}, faint{.sigma = 0.03, .error_low = 0.05, .error_high = 0.1};
  int seed = 0;
  for (const auto& truth : {simulate::Truth{}, slow, fast, bright, constant, faint}) {
    for (const std::size_t n : {12U, 60U, 200U}) {
      INFO("sigma " << truth.sigma << ", tau " << truth.tau << ", " << n << " epochs");
      check_against_dense(simulate::curve(n, 100 + static_cast<std::uint64_t>(seed++), truth),
                          ou::standard_box(), Prior::LogUniform, 600);
    }
  }
}

TEST_CASE("a light curve that hardly limits sigma has more of its nodes along sigma") {
  CHECK(most_along_sigma(100, {.sigma = 0.3}) == 4);
  CHECK(most_along_sigma(12, {.sigma = 1e-6}) == 6);
}

TEST_CASE("quantiles of the posterior in other boxes, with other priors and with jitter") {
  const ou::Curve curve = simulate::curve(100, 7, {.sigma = 0.2, .tau = 500});
  check_against_dense(curve, ou::standard_box(), Prior::Uniform, 600);
  check_against_dense(curve, ou::standard_box(), Prior::LogUniform, 600, std::log(0.05));
  check_against_dense(curve, box(0.05, 0.5, 20, 2000), Prior::LogUniform, 300);
  check_against_dense(curve, box(0.001, 100, 0.01, 1e6), Prior::LogUniform, 900);
  check_against_dense(curve, box(0.1, 0.12, 300, 330), Prior::Uniform, 30);
  // The likelihood is highest outside.
  check_against_dense(curve, box(0.001, 0.1, 1, 50), Prior::LogUniform, 600);
  const ou::Curve many = simulate::curve(2500, 8, {.sigma = 0.2, .tau = 30});
  check_against_dense(many, box(0.1, 0.3, 10, 90), Prior::LogUniform, 300);
}
