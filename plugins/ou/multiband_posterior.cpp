#include "multiband_posterior.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "multiband_space.hpp"
#include "newton_climb.hpp"
#include "posterior_slices.hpp"

namespace ou::multiband {
namespace {

constexpr double kDeep = 12;            // density below e^-12 of the highest does not count
constexpr double kCoarse = 0.5;         // ln tau between the first nodes
constexpr double kLeastStep = 0.06;     // ln tau
constexpr double kMostChange = 1;       // of the log-density between neighbours
constexpr std::size_t kMostNodes = 64;  // after which there is no more refinement
constexpr int kMostRefinements = 6;
constexpr double kEnough = 1e-4;      // log-likelihood left to be gained
constexpr double kWellKnown = 0.15;   // standard deviation of ln sigma
constexpr int kEachSide = 14;         // samples
constexpr double kWidestCell = 0.08;  // ln tau
constexpr double kLeastMass = 1e-8;   // of a cell

struct Normal {
  double mean, sd, mass;
};

// The density of every ln sigma at one tau. An entry a band of the space.
struct Node {
  double ln_tau, ln_mass;                    // integrated over every ln sigma
  double slope;                              // d loglike / d ln tau
  Vector peak;                               // ln sigma of the highest density
  Matrix covariance;                         // of ln sigma
  Vector width;                              // of the integral along that ln sigma, by its height
  std::vector<std::vector<Normal>> shape{};  // of each ln sigma; masses sum to 1
};

double highest(const std::vector<Node>& nodes) {
  return std::ranges::max_element(nodes, {}, &Node::ln_mass)->ln_mass;
}

class Sampler {
 public:
  Sampler(const Series& series, const Model& model, const Parameters& best)
      : series_(series), model_(model), space_(series, model_), best_(best) {}
  Sampler(const Sampler&) = delete;
  Sampler& operator=(const Sampler&) = delete;

  const Space& space() const { return space_; }

  // Ascending in tau, denser where the density changes faster.
  std::vector<Node> nodes() const {
    const double range = space_.high(0) - space_.low(0);
    const int steps = std::max(2, static_cast<int>(std::ceil(range / kCoarse)));
    std::vector<Vector> starts{start_at(best_.ln_tau)};
    for (int i = 0; i <= steps; ++i) {
      const double ln_tau = space_.low(0) + range * i / steps;
      if (std::abs(ln_tau - best_.ln_tau) > kLeastStep / 2) starts.push_back(start_at(ln_tau));
    }
    std::vector<Node> out;
    add(starts, out);
    for (int round = 0; round < kMostRefinements && out.size() < kMostNodes; ++round) {
      const std::vector<Vector> more = between(out);
      if (more.empty()) break;
      add(more, out);
    }
    set_shapes(out);
    return out;
  }

 private:
  // Where tau is longer than the best, D is known, not sigma.
  Vector start_at(double ln_tau) const {
    Place place{best_, {}};
    for (double& ln_sigma : place.at.ln_sigma)
      ln_sigma += 0.5 * std::max(0.0, ln_tau - best_.ln_tau);
    Vector x = space_.coordinates(place);
    x[0] = ln_tau;
    return x;
  }

  static std::vector<Vector> between(const std::vector<Node>& nodes) {
    const double top = highest(nodes);
    std::vector<Vector> out;
    for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
      const Node &a = nodes[i], &b = nodes[i + 1];
      const double h = b.ln_tau - a.ln_tau, up = 0.5 * h * a.slope, down = -0.5 * h * b.slope;
      const double change =
          std::max({std::abs(b.ln_mass - a.ln_mass), std::abs(up), std::abs(down)});
      const double high = std::max({a.ln_mass, a.ln_mass + up, b.ln_mass, b.ln_mass + down});
      if (change < kMostChange || h < 2 * kLeastStep || high < top - kDeep) continue;
      Vector x(1 + a.peak.size());
      x[0] = (a.ln_tau + b.ln_tau) / 2;
      x.tail(a.peak.size()) = (a.peak + b.peak) / 2;
      out.push_back(x);
    }
    return out;
  }

  // Climbs along every ln sigma, tau fixed, from all starts side by side.
  void add(const std::vector<Vector>& starts, std::vector<Node>& nodes) const {
    const int n = space_.size() - 1;
    std::vector<NewtonClimb<Vector, Matrix>> climbs;
    for (const Vector& x : starts) climbs.emplace_back(space_.inverse(x).tail(n));
    const auto places = [&](const std::vector<std::size_t>& which, bool best) {
      std::vector<Vector> out;
      for (const std::size_t k : which) {
        Vector u(n + 1);
        u << 0, (best ? climbs[k].best() : climbs[k].next());
        out.push_back(space_.inside(u));
        out.back()[0] = starts[k][0];
      }
      return out;
    };
    for (;;) {
      std::vector<std::size_t> climbing;
      for (std::size_t k = 0; k < climbs.size(); ++k)
        if (!climbs[k].is_done(kEnough)) climbing.push_back(k);
      if (climbing.empty()) break;
      std::vector<Curved> found = with_curvature(series_, space_, model_, places(climbing, false));
      for (std::size_t i = 0; i < climbing.size(); ++i) {
        auto& climb = climbs[climbing[i]];
        Vector u(n + 1);
        u << 0, climb.next();
        space_.to_line(u, found[i].gradient, found[i].curvature);
        climb.take(found[i].value.loglike, found[i].gradient.tail(n),
                   found[i].curvature.bottomRightCorner(n, n));
      }
    }
    std::vector<std::size_t> reached;
    for (std::size_t k = 0; k < climbs.size(); ++k)
      if (std::isfinite(climbs[k].value())) reached.push_back(k);
    const std::vector<Vector> tops = places(reached, true);
    const std::vector<Curved> found = with_curvature(series_, space_, model_, tops);
    for (std::size_t i = 0; i < tops.size(); ++i) nodes.push_back(integrated(tops[i], found[i]));
    std::ranges::sort(nodes, {}, &Node::ln_tau);
  }

  // Laplace's integral. In a sigma on its bound the density falls exponentially.
  Node integrated(const Vector& x, const Curved& top) const {
    const int n = space_.size() - 1;
    Node node{x[0],      top.value.loglike,  top.gradient[0],
              x.tail(n), Matrix::Zero(n, n), Vector::Zero(n)};
    std::vector<int> free;
    for (int i = 0; i < n; ++i) {
      if (!on_bound(i, x[i + 1])) {
        free.push_back(i);
        continue;
      }
      const double widest = (space_.high(i + 1) - space_.low(i + 1)) / 2;
      node.width[i] = std::min(1 / std::abs(top.gradient[i + 1]), widest);
      node.covariance(i, i) = node.width[i] * node.width[i];
      node.ln_mass += std::log(node.width[i]);
    }
    if (free.empty()) return node;
    const Matrix curvature = Matrix(top.curvature.bottomRightCorner(n, n))(free, free);
    const Eigen::SelfAdjointEigenSolver<Matrix> eigen(curvature);
    const Vector values = eigen.eigenvalues().cwiseMax(1e-2);  // not wider than the box
    node.covariance(free, free) = eigen.eigenvectors() * values.cwiseInverse().asDiagonal() *
                                  eigen.eigenvectors().transpose();
    constexpr double kTwoPi = 2 * std::numbers::pi;
    node.ln_mass += 0.5 * (kTwoPi * values.cwiseInverse()).array().log().sum();
    for (const int i : free) node.width[i] = std::sqrt(kTwoPi * node.covariance(i, i));
    return node;
  }

  bool on_bound(int band, double ln_sigma) const {
    return ln_sigma - space_.low(band + 1) < kAtBound ||
           space_.high(band + 1) - ln_sigma < kAtBound;
  }

  // Normal, or sampled where a sigma is known badly: its density then has a tail to low values.
  void set_shapes(std::vector<Node>& nodes) const {
    const double top = highest(nodes);
    struct Sampled {
      Node* node;
      int band;
      std::vector<double> at;  // ln sigma
    };
    std::vector<Sampled> all;
    std::vector<Parameters> trials;
    for (Node& node : nodes) {
      for (int i = 0; i < node.peak.size(); ++i) {
        const double sd = std::sqrt(node.covariance(i, i));
        node.shape.push_back({{node.peak[i], sd, 1}});
        if (sd < kWellKnown || node.ln_mass < top - kDeep) continue;
        all.push_back({&node, i, places_along(node, i)});
        for (const double ln_sigma : all.back().at) trials.push_back(along(node, i, ln_sigma));
      }
    }
    const auto found = evaluate_all(series_, trials, model_.mean, Want::Value);
    auto next = found.begin();
    for (const Sampled& s : all) {
      std::vector<double> loglike;
      for (std::size_t k = 0; k < s.at.size(); ++k, ++next)
        loglike.push_back(std::isnan(next->loglike) ? -std::numeric_limits<double>::infinity()
                                                    : next->loglike);
      set_sampled(*s.node, s.band, s.at, loglike);
    }
  }

  // Ascending, denser around the peak, to the bounds or to far above and below.
  std::vector<double> places_along(const Node& node, int band) const {
    const double sd = std::sqrt(node.covariance(band, band));
    std::vector<double> out{node.peak[band]};
    for (const int side : {-1, 1}) {
      const double bound = side < 0 ? space_.low(band + 1) : space_.high(band + 1);
      double step = 0.4 * sd, at = node.peak[band];
      for (int k = 0; k < kEachSide && std::abs(bound - at) > kAtBound; ++k) {
        if (k >= kEachSide / 2) step *= 1.3;
        at = side < 0 ? std::max(at - step, bound) : std::min(at + step, bound);
        out.push_back(at);
      }
    }
    std::ranges::sort(out);
    return out;
  }

  // The others follow along the ridge.
  Parameters along(const Node& node, int band, double ln_sigma) const {
    constexpr double kFarthest = 3;  // standard deviations
    const double var = node.covariance(band, band), far = kFarthest * std::sqrt(var);
    const double move = std::clamp(ln_sigma - node.peak[band], -far, far);
    Vector x(space_.size());
    x << node.ln_tau, node.peak + node.covariance.col(band) * (move / var);
    for (int i = 0; i < x.size(); ++i) x[i] = std::clamp(x[i], space_.low(i), space_.high(i));
    x[band + 1] = ln_sigma;
    return space_.place(x).at;
  }

  static void set_sampled(Node& node, int band, const std::vector<double>& at,
                          const std::vector<double>& loglike) {
    const double top = *std::ranges::max_element(loglike);
    std::vector<double> f;
    for (const double l : loglike) f.push_back(std::max(l - top, -3 * kDeep));
    const Spline ln_density(at, f);
    std::vector<Normal>& shape = node.shape[static_cast<std::size_t>(band)];
    shape.clear();
    double all = 0;
    for (std::size_t i = 0; i + 1 < at.size(); ++i) {
      constexpr int kParts = 3;
      const double h = (at[i + 1] - at[i]) / kParts;
      for (int k = 0; k < kParts; ++k) {
        const double t = (k + 0.5) / kParts, mass = std::exp(ln_density.at(i, t)) * h;
        if (mass < kLeastMass) continue;
        shape.push_back({at[i] + (k + 0.5) * h, h / 3, mass});
        all += mass;
      }
    }
    for (Normal& n : shape) n.mass /= all;
    node.ln_mass += std::log(all / node.width[band]);
  }

  const Series& series_;
  Model model_;
  Space space_;
  Parameters best_;
};

// A step in ln tau. The ln sigma have the shape of the nearer node, moved along the ridge.
struct Cell {
  double low, high, mass;  // masses sum to 1
  const Node* near;
  Vector shift;
};

std::vector<Cell> cells_of(const std::vector<Node>& nodes) {
  const double top = highest(nodes);
  std::vector<double> x, f;
  for (const Node& node : nodes) {
    x.push_back(node.ln_tau);
    f.push_back(std::max(node.ln_mass - top, -3 * kDeep));
  }
  const Spline ln_mass(x, f);
  std::vector<Cell> cells;
  double all = 0;
  for (std::size_t i = 0; i + 1 < nodes.size(); ++i) {
    const Node &a = nodes[i], &b = nodes[i + 1];
    const double h = b.ln_tau - a.ln_tau;
    const int steps = std::max(2, static_cast<int>(std::ceil(h / kWidestCell)));
    for (int k = 0; k < steps; ++k) {
      const double t = (k + 0.5) / steps, low = a.ln_tau + h * k / steps;
      const double mass = std::exp(ln_mass.at(i, t)) * h / steps;
      if (mass < kLeastMass) continue;
      const Node& near = t < 0.5 ? a : b;
      const Vector peak = (1 - t) * a.peak + t * b.peak;
      cells.push_back({low, low + h / steps, mass, &near, peak - near.peak});
      all += mass;
    }
  }
  for (Cell& c : cells) c.mass /= all;
  return cells;
}

std::array<double, 5> quantiles_of_tau(const std::vector<Cell>& cells) {
  std::array<double, 5> out{};
  std::size_t k = 0;
  double below = 0;
  for (std::size_t q = 0; q < out.size(); ++q) {
    while (k + 1 < cells.size() && below + cells[k].mass < kQuantiles[q]) below += cells[k++].mass;
    const double part = std::clamp((kQuantiles[q] - below) / cells[k].mass, 0.0, 1.0);
    out[q] = cells[k].low + part * (cells[k].high - cells[k].low);
  }
  return out;
}

// Of by_sigma ln sigma + by_tau ln tau: a mixture of normals, one a cell.
std::array<double, 5> quantiles_of(const std::vector<Cell>& cells, Eigen::Index band,
                                   double by_sigma, double by_tau) {
  std::vector<Normal> mixture;
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Cell& c : cells) {
    for (const Normal& n : c.near->shape[static_cast<std::size_t>(band)]) {
      const double mean = by_sigma * (n.mean + c.shift[band]) + by_tau * (c.low + c.high) / 2;
      const double sd = by_sigma * n.sd;
      mixture.push_back({mean, sd, c.mass * n.mass});
      low = std::min(low, mean - 5 * sd);
      high = std::max(high, mean + 5 * sd);
    }
  }
  const auto below = [&](double x) {
    double out = 0;
    for (const Normal& n : mixture)
      out += n.mass * 0.5 * std::erfc((n.mean - x) / (n.sd * std::numbers::sqrt2));
    return out;
  };
  std::array<double, 5> out{};
  for (std::size_t q = 0; q < out.size(); ++q) {
    double a = low, b = high;
    while (b - a > 1e-5) {
      const double middle = (a + b) / 2;
      (below(middle) < kQuantiles[q] ? a : b) = middle;
    }
    low = a;  // quantiles ascend
    out[q] = (a + b) / 2;
  }
  return out;
}

}  // namespace

Posterior posterior_of(const Series& series, const Model& model, const Fit& fit) {
  Series noisy = series;  // jitter as a part of the errors
  for (std::size_t i = 0; i < noisy.size(); ++i)
    noisy.var[i] += std::exp(2 * fit.at.ln_jitter[noisy.band[i]]);
  const Box& box = model.box;
  const Model fixed{{box.ln_sigma_min, box.ln_sigma_max, box.ln_tau_min, box.ln_tau_max},
                    model.mean,
                    false,
                    fit.at.lag};
  const Sampler sampler(noisy, fixed, fit.at);
  const std::vector<Node> nodes = sampler.nodes();
  const std::vector<Cell> cells = cells_of(nodes);
  Posterior out;
  out.ln_tau = quantiles_of_tau(cells);
  for (std::size_t k = 0; k < sampler.space().bands().size(); ++k) {
    const std::size_t b = sampler.space().bands()[k];
    const auto at = static_cast<Eigen::Index>(k);
    out.ln_sigma[b] = quantiles_of(cells, at, 1, 0);
    out.ln_d[b] = quantiles_of(cells, at, 2, -1);
  }
  return out;
}

}  // namespace ou::multiband
