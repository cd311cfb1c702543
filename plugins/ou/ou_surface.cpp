#include "ou_surface.hpp"

#include <algorithm>
#include <cmath>

namespace ou {
namespace {

constexpr double kInset = 1e-4;
constexpr double kLongestStep = 2;  // limit of a first step in ln sigma, ln tau
constexpr double kFlat = 1e-6;      // curvature below this counts as none
constexpr int kMostRounds = 40;

class Climber {
 public:
  Climber(const Surface& surface, const Start& start)
      : surface_(&surface), start_(start), next_(surface.inverse(start.at)) {}

  bool is_done() const { return done_; }
  Trial trial() const { return {surface_->parameters(next_), start_.omitted}; }

  void take(const Evaluation& value, double least_gain) {
    const Point point = surface_->point(next_, value);
    const bool first = summit_.evaluations++ == 0;
    const bool finite = std::isfinite(value.loglike);
    if (first) {
      summit_.best = point;
      if (!finite) {
        done_ = true;
        return;
      }
    } else if (!learn(point, finite)) {
      return;
    }
    summit_.curvature = curvature();
    summit_.to_gain = to_gain(summit_.best.gradient, summit_.curvature);
    summit_.converged = summit_.to_gain < least_gain;
    done_ = summit_.converged || summit_.evaluations >= kMostRounds || radius_ < 1e-9;
    if (!done_) step();
  }

  Summit summit() const { return summit_; }

 private:
  struct Met {
    Vector step, drop;  // drop: of the gradient along the step
  };

  // Updates the curvature with the step's result and moves if the likelihood rose.
  bool learn(const Point& point, bool finite) {
    const Vector s{point.u[0] - summit_.best.u[0], point.u[1] - summit_.best.u[1]};
    const double length = std::hypot(s[0], s[1]);
    const double gained = point.value.loglike - summit_.best.value.loglike;
    if (!finite) {
      radius_ = length / 4;
      step();
      return false;
    }
    const Met met{s,
                  {summit_.best.gradient[0] - point.gradient[0],
                   summit_.best.gradient[1] - point.gradient[1]}};
    met_[0] = met_[1];
    met_[1] = met;
    const double quality = gained / std::max(promised_, 1e-300);
    if (quality < 0.25) radius_ = std::min(radius_, length / 3);
    if (quality > 0.75 && length > 0.9 * radius_) radius_ = 2 * length;
    if (gained > 0) {
      summit_.best = point;
    } else if (std::abs(gained) < 1e-12 * std::abs(point.value.loglike) + 1e-12) {
      // Rounding: the remaining gain is below the precision of the likelihood.
      if (to_gain(point.gradient, point.metric) < summit_.to_gain) summit_.best = point;
    }
    return true;
  }

  Symmetric curvature() const {
    Symmetric b = summit_.best.metric;
    const Eigen2 eigen = decompose(b);
    if (eigen.values[1] <= 0) {  // only the mapping at a bound makes it so
      b = {};
      for (std::size_t i = 0; i < 2; ++i)
        b.add(std::max(std::abs(eigen.values[i]), kFlat), eigen.vectors[i]);
    }
    for (const Met& m : met_) {
      const double along = dot(m.step, m.drop);
      const Vector bs = b * m.step;
      const double was = dot(m.step, bs);
      if (!(along > 0.02 * was) || !(was > 0)) continue;
      b.add(1 / along, m.drop);
      b.add(-1 / was, bs);
    }
    return b;
  }

  void step() {
    const Eigen2 eigen = decompose(summit_.curvature);
    Vector s{};
    for (std::size_t i = 0; i < 2; ++i) {
      const Vector& v = eigen.vectors[i];
      const double by = dot(summit_.best.gradient, v) / std::max(std::abs(eigen.values[i]), kFlat);
      s[0] += by * v[0];
      s[1] += by * v[1];
    }
    const double length = std::hypot(s[0], s[1]);
    const double scale = length > radius_ ? radius_ / length : 1;
    for (std::size_t k = 0; k < 2; ++k) {
      s[k] *= scale;
      next_[k] = summit_.best.u[k] + s[k];
    }
    promised_ = dot(summit_.best.gradient, s) - 0.5 * dot(s, summit_.curvature * s);
  }

  const Surface* surface_;
  Start start_;
  Vector next_;
  Summit summit_;
  std::array<Met, 2> met_{};
  double radius_ = kLongestStep;
  double promised_ = 0;
  bool done_ = false;
};

}  // namespace

Eigen2 decompose(const Symmetric& s) {
  const double middle = (s.xx + s.yy) / 2;
  const double radius = std::hypot((s.xx - s.yy) / 2, s.xy);
  const double angle = 0.5 * std::atan2(2 * s.xy, s.xx - s.yy);
  const Vector along{std::cos(angle), std::sin(angle)};
  return {{middle + radius, middle - radius}, {along, {-along[1], along[0]}}};
}

double Interval::value(double u) const {
  return middle_ + half_ * std::sin(u / half_);
}
double Interval::slope(double u) const {
  return std::cos(u / half_);
}
double Interval::bend(double u) const {
  return -std::sin(u / half_) / half_;
}
double Interval::inverse(double p) const {
  return half_ * std::asin(std::clamp((p - middle_) / half_, -1 + kInset, 1 - kInset));
}

Point Surface::point(const Vector& u, const Evaluation& e) const {
  const Vector slope{sigma_.slope(u[0]), tau_.slope(u[1])};
  Point point{u, e, {e.gradient[0] * slope[0], e.gradient[1] * slope[1]}, {}};
  point.metric = {e.information[0] * slope[0] * slope[0] - e.gradient[0] * sigma_.bend(u[0]),
                  e.information[1] * slope[0] * slope[1],
                  e.information[2] * slope[1] * slope[1] - e.gradient[1] * tau_.bend(u[1])};
  return point;
}

double to_gain(const Vector& gradient, const Symmetric& curvature) {
  const Eigen2 eigen = decompose(curvature);
  double gain = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    const double g = dot(gradient, eigen.vectors[i]);
    gain += 0.5 * g * g / std::max(std::abs(eigen.values[i]), 1e-4);
  }
  return gain;
}

std::vector<Summit> climb_all(const Series& series, const Box& box, Mean mean,
                              std::span<const Start> starts, double precision) {
  const Surface surface(box);
  std::vector<Climber> climbers;
  for (const Start& start : starts) climbers.emplace_back(surface, start);
  std::vector<Climber*> climbing;
  std::vector<Trial> trials;
  for (;;) {
    climbing.clear();
    trials.clear();
    for (Climber& c : climbers) {
      if (c.is_done()) continue;
      climbing.push_back(&c);
      trials.push_back(c.trial());
    }
    if (climbing.empty()) break;
    const std::vector<Evaluation> found = evaluate_all(series, trials, mean, Want::Gradient);
    for (std::size_t k = 0; k < climbing.size(); ++k)
      climbing[k]->take(found[k], 0.5 * precision * precision);
  }
  std::vector<Summit> summits;
  for (const Climber& c : climbers) summits.push_back(c.summit());
  return summits;
}

}  // namespace ou
