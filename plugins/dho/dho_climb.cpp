#include "dho_climb.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace dho {
namespace {

// In logarithms of parameters.
constexpr double kHeldAtBound = 1e-6;
constexpr double kFirstRadius = 1.4, kLargestRadius = 2, kSmallestRadius = 1e-9;
constexpr double kTrusted = 1e-2;
constexpr double kShort = 0.25;  // steps from which curvature is learnt
constexpr double kFlat = 1e-6;   // added to curvatures, which may be 0
constexpr double kHopeless = 2;  // log-likelihood below the highest
constexpr int kMostEvaluations = 100;

using Free = std::array<bool, 4>;

// Replaces the rows and columns of coordinates that are not free by those of the unit matrix.
Matrix restricted(Matrix m, const Free& free) {
  for (int i = 0; i < 4; ++i) {
    if (free[static_cast<std::size_t>(i)]) continue;
    m.row(i).setZero();
    m.col(i).setZero();
    m(i, i) = 1;
  }
  return m;
}

Parameters restricted(Parameters v, const Free& free) {
  for (int i = 0; i < 4; ++i) {
    if (!free[static_cast<std::size_t>(i)]) v[i] = 0;
  }
  return v;
}

// With the sign of negative eigenvalues changed, so that steps lead uphill.
Matrix positive(const Matrix& curvature) {
  const Eigen::SelfAdjointEigenSolver<Matrix> eigen(curvature);
  return eigen.eigenvectors() * eigen.eigenvalues().cwiseAbs().asDiagonal() *
         eigen.eigenvectors().transpose();
}

// The highest point of g's - s'Bs/2 at most `radius` away, nearly: where B + lambda gives a step of
// that length (More and Sorensen 1983).
Parameters step_within(Matrix curvature, const Parameters& gradient, double radius) {
  double lambda = kFlat;
  Parameters s = Parameters::Zero();
  for (int i = 0; i < 8; ++i) {
    Matrix raised = curvature;
    raised.diagonal().array() += lambda;
    const Eigen::LLT<Matrix> cholesky(raised);
    if (cholesky.info() != Eigen::Success) {
      curvature = positive(curvature);
      continue;
    }
    s = cholesky.solve(gradient);
    const double length = s.norm();
    if (!(length > 1.1 * radius)) return s;
    const double by = cholesky.matrixL().solve(s).squaredNorm();
    lambda += length * length / by * (length - radius) / radius;
  }
  return s * std::min(1.0, radius / s.norm());
}

// The same inside a box: coordinates that would leave it stop at its bound, and the others go on.
Parameters step_inside(const Matrix& curvature, const Parameters& gradient, double radius,
                       const Parameters& low, const Parameters& high) {
  Free free;
  for (int i = 0; i < 4; ++i) {
    free[static_cast<std::size_t>(i)] = !(low[i] >= -kHeldAtBound && gradient[i] <= 0) &&
                                        !(high[i] <= kHeldAtBound && gradient[i] >= 0);
  }
  Parameters s = Parameters::Zero();
  for (int pass = 0; pass < 4; ++pass) {
    const Parameters left = gradient - curvature * s;
    const Parameters more =
        restricted(step_within(restricted(curvature, free), restricted(left, free), radius), free);
    const Parameters bounded = more.cwiseMax(low).cwiseMin(high);
    if (bounded == more) return s + more;
    for (int i = 0; i < 4; ++i) {
      if (bounded[i] == more[i]) continue;
      s[i] = bounded[i];
      free[static_cast<std::size_t>(i)] = false;
    }
  }
  return s;
}

}  // namespace

Climb::Climb(const Start& start) : start_(start), next_(start.from), radius_(kFirstRadius) {
  const Box& box = start_.space->box;
  next_.at = next_.at.cwiseMax(box.low).cwiseMin(box.high);
}

void Climb::take(const Evaluation& found) {
  Evaluation value = found;
  const Matrix& along = start_.space->along;
  value.gradient = along.transpose() * found.gradient;
  value.information = along.transpose() * found.information * along;
  if (evaluations_++ == 0) {
    best_ = next_;
    value_ = value;
    done_ = !std::isfinite(value.loglike);
    if (done_) return;
  } else {
    learn(value);
  }
  step();
  // In a small radius little can be gained anywhere.
  const double length = (next_.at - best_.at).norm();
  const bool is_top =
      promised_ < start_.precision && (length < 0.9 * radius_ || radius_ > kTrusted);
  done_ = is_top || evaluations_ >= kMostEvaluations || radius_ < kSmallestRadius;
}

void Climb::learn(const Evaluation& value) {
  const Parameters s = next_.at - best_.at;
  const double length = s.norm();
  if (!std::isfinite(value.loglike)) {
    radius_ = length / 4;
    return;
  }
  if (length < kShort) met_ = {met_[1], Met{s, value_.gradient - value.gradient}};
  const double gained = value.loglike - value_.loglike;
  const double quality = gained / std::max(promised_, 1e-300);
  if (quality < 0.25) radius_ = std::min(radius_, length / 3);
  if (quality > 0.75 && length > 0.9 * radius_) radius_ = std::min(2 * length, kLargestRadius);
  if (gained > 0) {
    best_ = next_;
    value_ = value;
  }
}

Matrix Climb::curvature() const {
  Matrix b = value_.information;
  for (const Met& m : met_) {
    const Parameters bs = b * m.step;
    const double along = m.step.dot(m.drop), was = m.step.dot(bs);
    if (along > 0.02 * was && was > 0)
      b += m.drop * m.drop.transpose() / along - bs * bs.transpose() / was;
  }
  return b;
}

void Climb::step() {
  const Matrix b = curvature();
  const Box& box = start_.space->box;
  const Parameters s =
      step_inside(b, value_.gradient, radius_, box.low - best_.at, box.high - best_.at);
  promised_ = value_.gradient.dot(s) - 0.5 * s.dot(b * s);
  next_ = {(best_.at + s).cwiseMax(box.low).cwiseMin(box.high), value_.mean};
}

namespace {

bool same_place(const Climb& a, const Climb& b) {
  return a.space() == b.space() && (a.best().at - b.best().at).norm() < 0.1 &&
         std::abs(a.value().loglike - b.value().loglike) < 0.5;
}

void give_up_hopeless(std::vector<Climb>& climbs) {
  for (Climb& c : climbs) {
    if (c.is_done() || c.evaluations() < 3) continue;
    const Climb* top = highest(climbs, c.space());
    const bool hopeless = c.value().loglike + 3 * c.to_gain() + kHopeless < top->value().loglike;
    const bool merged = std::ranges::any_of(climbs, [&](const Climb& other) {
      const bool lower = c.value().loglike < other.value().loglike;
      return &other != &c && lower && same_place(c, other);
    });
    if (hopeless || merged) c.give_up();
  }
}

}  // namespace

void run(const Series& series, Mean mean, std::vector<Climb>& climbs, const Space* until) {
  const auto has_to_go_on = [&](const Climb& c) {
    return !c.is_done() && (until == nullptr || c.space() == until);
  };
  std::vector<Climb*> climbing;
  std::vector<Trial> trials;
  while (std::ranges::any_of(climbs, has_to_go_on)) {
    climbing.clear();
    trials.clear();
    for (Climb& c : climbs) {
      if (c.is_done()) continue;
      climbing.push_back(&c);
      trials.push_back(c.next());
    }
    const std::vector<Evaluation> found = evaluate_all(series, trials, mean, Want::Gradient);
    for (std::size_t k = 0; k < climbing.size(); ++k) climbing[k]->take(found[k]);
    give_up_hopeless(climbs);
  }
}

const Climb* highest(const std::vector<Climb>& climbs, const Space* space) {
  const Climb* best = nullptr;
  for (const Climb& c : climbs) {
    if (c.space() != space || c.evaluations() == 0 || !std::isfinite(c.value().loglike)) continue;
    if (best == nullptr || c.value().loglike > best->value().loglike) best = &c;
  }
  return best;
}

}  // namespace dho
