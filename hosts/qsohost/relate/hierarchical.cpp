#include "relate/hierarchical.hpp"

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "qsohost/error.hpp"
#include "relate/robust.hpp"

namespace qsohost::cli {
namespace {

using Eigen::Index;
using Eigen::MatrixXd;
using Eigen::VectorXd;

// Parameters, for q regressors: the line of y (intercept, q slopes), the line of the partner, ln of
// the scatter of y at a given partner, ln of the partner's scatter, and c: the mean of y changes by
// c times what the partner is off its line. Unbounded, so that any step leads to a population.
class Model {
 public:
  explicit Model(Index regressors) : lines_(regressors + 1) {}
  Index size() const { return 2 * lines_ + 3; }
  Index y_line() const { return 0; }
  Index partner_line() const { return lines_; }
  Index line_size() const { return lines_; }
  Index ln_scatter() const { return 2 * lines_; }
  Index ln_partner_scatter() const { return 2 * lines_ + 1; }
  Index coupling() const { return 2 * lines_ + 2; }

 private:
  Index lines_;
};

struct Data {
  const PosteriorNodes& nodes;
  MatrixXd design;  // a row an object: 1, x - centre
  std::vector<std::size_t> cluster;
  bool has_partner = true;
};

// Averages over the nodes of an object, weighted with the population: of the partner's deviation p
// from its line and of e = y's deviation from its own - c p.
struct Moments {
  double ln_likelihood = 0;
  double e = 0, p = 0, ee = 0, ep = 0, pp = 0;
};

struct Point {
  double e, p, ln_density;
};

Moments moments_of(std::span<const PosteriorNodes::Node> nodes, double y_mean, double partner_mean,
                   double scatter, double partner_scatter, double coupling,
                   std::vector<Point>& points) {
  points.clear();
  double top = -std::numeric_limits<double>::infinity();
  const double by_e = 0.5 / (scatter * scatter), by_p = 0.5 / (partner_scatter * partner_scatter);
  for (const PosteriorNodes::Node& n : nodes) {
    for (std::int32_t i = 0; i < n.steps; ++i) {
      const double p = n.partner + i * n.partner_step - partner_mean;
      const double e = n.y + i * n.y_step - y_mean - coupling * p;
      const double ln_density = n.ln_weight - by_e * e * e - by_p * p * p;
      points.push_back({e, p, ln_density});
      top = std::max(top, ln_density);
    }
  }
  Moments m;
  double all = 0;
  for (const Point& q : points) {
    const double weight = std::exp(q.ln_density - top);
    all += weight;
    m.e += weight * q.e;
    m.p += weight * q.p;
    m.ee += weight * q.e * q.e;
    m.ep += weight * q.e * q.p;
    m.pp += weight * q.p * q.p;
  }
  for (double* sum : {&m.e, &m.p, &m.ee, &m.ep, &m.pp}) *sum /= all;
  m.ln_likelihood = top + std::log(all) - std::log(scatter) - std::log(partner_scatter);
  return m;
}

// The likelihood at some parameters and its gradients: of all, and of each cluster.
struct Value {
  double ln_likelihood = 0;
  VectorXd gradient;
  MatrixXd spread;  // sum over clusters of the outer products of their gradients
};

Moments moments_at(const Data& data, const Model& model, const VectorXd& at, std::size_t object,
                   std::vector<Point>& points) {
  const auto row = data.design.row(static_cast<Index>(object));
  return moments_of(data.nodes.of(object), row.dot(at.segment(model.y_line(), model.line_size())),
                    row.dot(at.segment(model.partner_line(), model.line_size())),
                    std::exp(at[model.ln_scatter()]), std::exp(at[model.ln_partner_scatter()]),
                    at[model.coupling()], points);
}

Value value_at(const Data& data, const Model& model, const VectorXd& at) {
  const double ee = std::exp(-2 * at[model.ln_scatter()]);
  const double pp = std::exp(-2 * at[model.ln_partner_scatter()]);
  const double coupling = at[model.coupling()];
  Value value{0, VectorXd::Zero(model.size()), MatrixXd::Zero(model.size(), model.size())};
  MatrixXd scores = MatrixXd::Zero(model.size(), data.design.rows());
  std::vector<Point> points;
  for (std::size_t i = 0; i < data.nodes.size(); ++i) {
    const Moments m = moments_at(data, model, at, i, points);
    const auto row = data.design.row(static_cast<Index>(i)).transpose();
    value.ln_likelihood += m.ln_likelihood;
    VectorXd score = VectorXd::Zero(model.size());
    score.segment(model.y_line(), model.line_size()) = row * (m.e * ee);
    score[model.ln_scatter()] = m.ee * ee - 1;
    if (data.has_partner) {
      score.segment(model.partner_line(), model.line_size()) =
          row * (m.p * pp - coupling * m.e * ee);
      score[model.ln_partner_scatter()] = m.pp * pp - 1;
      score[model.coupling()] = m.ep * ee;
    }
    scores.col(static_cast<Index>(data.cluster[i])) += score;
  }
  value.gradient = scores.rowwise().sum();
  value.spread = scores * scores.transpose();
  return value;
}

// A parameter that is held has no gradient; 1 in its place keeps matrices regular.
MatrixXd regular(MatrixXd matrix) {
  for (Index k = 0; k < matrix.rows(); ++k) {
    if (matrix.row(k).isZero(0)) matrix(k, k) = 1;
  }
  return matrix;
}

// Minus the second derivatives, from differences of the exact gradient over 1 % of an error.
MatrixXd curvature_at(const Data& data, const Model& model, const VectorXd& at,
                      const MatrixXd& spread) {
  const VectorXd errors = regular(spread).inverse().diagonal().cwiseSqrt();
  MatrixXd out = MatrixXd::Zero(model.size(), model.size());
  for (Index k = 0; k < model.size(); ++k) {
    if (spread.row(k).isZero(0)) continue;
    VectorXd up = at, down = at;
    const double step = 0.01 * errors[k];
    up[k] += step;
    down[k] -= step;
    out.col(k) =
        (value_at(data, model, down).gradient - value_at(data, model, up).gradient) / (2 * step);
  }
  return (out + out.transpose()) / 2;
}

struct Maximum {
  VectorXd at;
  Value value;
  bool has_converged = false;
};

// Goes along matrix^-1 gradient, shorter where that is too far. False if that no longer matters:
// less than a thousandth of an error.
bool step_up(const Data& data, const Model& model, const MatrixXd& matrix, Maximum& here) {
  const VectorXd direction = regular(matrix).ldlt().solve(here.value.gradient);
  const double gain = direction.dot(here.value.gradient);
  if (!(gain > 1e-6)) {
    here.has_converged = std::isfinite(gain) && gain > -1e-6;
    return false;
  }
  for (double length = 1; length > 1e-6; length /= 2) {
    const VectorXd at = here.at + length * direction;
    Value value = value_at(data, model, at);
    if (value.ln_likelihood > here.value.ln_likelihood) {
      here.at = at;
      here.value = std::move(value);
      return true;
    }
  }
  return false;
}

// Steps by the gradients' spread, which costs nothing more, then by the second derivatives
// (Berndt et al. 1974, Ann. Econ. Soc. Meas. 3, 653; Newton).
Maximum climb(const Data& data, const Model& model, const VectorXd& start) {
  constexpr int kMostSteps = 60, kMostNewton = 5;
  Maximum here{start, value_at(data, model, start)};
  for (int i = 0; i < kMostSteps && step_up(data, model, here.value.spread, here); ++i) continue;
  if (here.has_converged) return here;
  for (int i = 0; i < kMostNewton; ++i) {
    if (!step_up(data, model, curvature_at(data, model, here.at, here.value.spread), here)) break;
  }
  return here;
}

VectorXd start_of(const Data& data, const Model& model, const std::vector<std::vector<double>>& x,
                  std::span<const double> y, std::span<const double> partner) {
  VectorXd at = VectorXd::Zero(model.size());
  const auto set = [&](const RobustFit& line, Index first, Index ln_scatter) {
    at[first] = line.intercept;
    for (std::size_t k = 0; k < line.slope.size(); ++k) {
      at[first + 1 + static_cast<Index>(k)] = line.slope[k];
    }
    at[ln_scatter] = std::log(std::max(line.scatter, 0.05));
  };
  set(robust_line(x, y), model.y_line(), model.ln_scatter());
  set(robust_line(x, partner), model.partner_line(), model.ln_partner_scatter());
  if (!data.has_partner) at[model.ln_partner_scatter()] = std::log(1e6);
  return at;
}

Population line_at(const Maximum& top, const MatrixXd& covariance, Index first, Index size) {
  Population out;
  out.intercept = top.at[first];
  out.intercept_err = std::sqrt(covariance(first, first));
  for (Index k = first + 1; k < first + size; ++k) {
    out.slope.push_back(top.at[k]);
    out.slope_err.push_back(std::sqrt(covariance(k, k)));
  }
  return out;
}

// The scatter of y, that with the partner included, and their correlation, from the parameters.
void set_scatters(const Model& model, const Maximum& top, const MatrixXd& covariance,
                  HierarchicalFit& fit) {
  const double s = std::exp(top.at[model.ln_scatter()]);
  const double t = std::exp(top.at[model.ln_partner_scatter()]);
  const double c = top.at[model.coupling()], all = std::hypot(s, c * t);
  VectorXd by = VectorXd::Zero(model.size());  // derivatives of `all`
  by[model.ln_scatter()] = s * s / all;
  by[model.ln_partner_scatter()] = c * c * t * t / all;
  by[model.coupling()] = c * t * t / all;
  fit.y.scatter = all;
  fit.y.scatter_err = std::sqrt(by.dot(covariance * by));
  const Index k = model.ln_partner_scatter();
  fit.partner.scatter = t;
  fit.partner.scatter_err = t * std::sqrt(covariance(k, k));
  const double r = c * t / all, by_ratio = s * s / (all * all);  // d r / d ln(c t / s) = r by_ratio
  by[model.ln_scatter()] = -r * by_ratio;
  by[k] = r * by_ratio;
  by[model.coupling()] = t / all * by_ratio;
  fit.correlation = r;
  fit.correlation_err = std::sqrt(by.dot(covariance * by));
}

// Numbers from 0 on, as many as there are different clusters.
std::vector<std::size_t> numbered(std::span<const std::size_t> cluster, std::size_t n) {
  std::vector<std::size_t> out(n);
  std::unordered_map<std::size_t, std::size_t> seen;
  for (std::size_t i = 0; i < n; ++i) {
    out[i] = cluster.empty() ? i : seen.try_emplace(cluster[i], seen.size()).first->second;
  }
  return out;
}

}  // namespace

HierarchicalFit fit_population(const PosteriorNodes& nodes,
                               const std::vector<std::vector<double>>& x,
                               std::span<const double> y_start,
                               std::span<const double> partner_start,
                               std::span<const std::size_t> cluster, Partner partner) {
  HierarchicalFit fit;
  fit.n = nodes.size();
  for (const std::vector<double>& column : x) fit.centre.push_back(median_of(column));
  const Model model(static_cast<Index>(x.size()));
  Data data{nodes, MatrixXd::Ones(static_cast<Index>(fit.n), model.line_size()),
            numbered(cluster, fit.n), partner == Partner::Fitted};
  for (std::size_t k = 0; k < x.size(); ++k) {
    for (std::size_t i = 0; i < fit.n; ++i) {
      data.design(static_cast<Index>(i), static_cast<Index>(k) + 1) = x[k][i] - fit.centre[k];
    }
  }
  const Maximum top = climb(data, model, start_of(data, model, x, y_start, partner_start));
  const MatrixXd bread = regular(curvature_at(data, model, top.at, top.value.spread)).inverse();
  const MatrixXd covariance = bread * top.value.spread * bread;
  fit.has_converged = top.has_converged && (bread.diagonal().array() > 0).all();
  fit.ln_likelihood = top.value.ln_likelihood;
  fit.y = line_at(top, covariance, model.y_line(), model.line_size());
  fit.partner = line_at(top, covariance, model.partner_line(), model.line_size());
  set_scatters(model, top, covariance, fit);
  std::vector<Point> points;
  for (std::size_t i = 0; i < fit.n; ++i) {
    const Moments m = moments_at(data, model, top.at, i, points);
    const auto row = data.design.row(static_cast<Index>(i));
    fit.mean.push_back(row.dot(top.at.segment(model.y_line(), model.line_size())) + m.e +
                       top.at[model.coupling()] * m.p);
  }
  return fit;
}

}  // namespace qsohost::cli
