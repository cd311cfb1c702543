#include "ou_surface.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>

namespace ou {
namespace {

constexpr double kInset = 1e-4;
constexpr double kLongestStep = 2;  // limit of a first step in each coordinate
constexpr double kFlat = 1e-6;      // curvature below this counts as none
constexpr int kMostRounds = 40;

template <int D>
constexpr Want gradient_wanted(bool informed) {
  if (D == 3) return Want::GradientWithJitter;
  return informed ? Want::Gradient : Want::PlainGradient;
}

template <int D>
Matrix<D> curvature_of(const Fit& fit) {
  Matrix<D> m;
  std::size_t at = 0;
  for (int i = 0; i < D; ++i)
    for (int k = 0; k <= i; ++k) m(i, k) = m(k, i) = fit.curvature[at++];
  return m;
}

// Where the curvature comes from.
enum class Metric : std::uint8_t { Fisher, SecondDerivatives };

template <int D>
class Climber {
 public:
  Climber(const Surface<D>& surface, const Start& start, Metric metric)
      : surface_(&surface), start_(start), metric_(metric), next_(surface.inverse(start.at)) {}
  void begin_at(const Vector<D>& u) { next_ = u; }

  // It can go no further, or `least_gain` in log-likelihood is not to be gained.
  bool is_done(double least_gain) const { return done_ || summit_.to_gain < least_gain; }
  bool needs_information() const { return start_.like == nullptr; }
  Trial trial() const { return {surface_->parameters(next_), start_.omitted}; }

  void take(const Evaluation& value) {
    take(value, start_.like != nullptr
                    ? curvature_of<D>(*start_.like)
                    : surface_->coordinates().information(surface_->inside(next_), value));
  }
  void take(const Evaluation& value, const Matrix<D>& curvature) {
    const Point<D> point = surface_->point(next_, value, curvature);
    const bool first = summit_.evaluations++ == 0;
    const bool finite = std::isfinite(point.value.loglike);
    if (first) {
      summit_.best = point;
      if (!finite) {
        done_ = true;
        return;
      }
    } else if (!learn(point, finite)) {
      return;
    }
    curvature_ = decompose(corrected());
    summit_.to_gain = to_gain<D>(summit_.best.gradient, curvature_);
    done_ = summit_.evaluations >= kMostRounds || radius_ < 1e-9;
    if (!done_) step();
  }

  Summit<D> summit(double least_gain) const {
    Summit<D> out = summit_;
    out.converged = out.to_gain < least_gain;
    return out;
  }

 private:
  struct Met {
    Vector<D> step = Vector<D>::Zero(), drop = Vector<D>::Zero();  // drop: of the gradient
  };

  // Updates the curvature with the step's result and moves if the likelihood rose.
  bool learn(const Point<D>& point, bool finite) {
    const Vector<D> s = point.u - summit_.best.u;
    const double length = s.norm();
    const double gained = point.value.loglike - summit_.best.value.loglike;
    if (!finite) {
      radius_ = length / 4;
      step();
      return false;
    }
    met_[0] = met_[1];
    met_[1] = {s, summit_.best.gradient - point.gradient};
    const double quality = gained / std::max(promised_, 1e-300);
    if (quality < 0.25) radius_ = std::min(radius_, length / 3);
    if (quality > 0.75 && length > 0.9 * radius_) radius_ = 2 * length;
    if (gained > 0) {
      summit_.best = point;
    } else if (std::abs(gained) < 1e-12 * std::abs(point.value.loglike) + 1e-12) {
      // Rounding: the remaining gain is below the precision of the likelihood.
      if (to_gain<D>(point.gradient, decompose(point.metric)) < summit_.to_gain)
        summit_.best = point;
    }
    return true;
  }

  Matrix<D> corrected() const {
    Matrix<D> b = summit_.best.metric;
    if (metric_ == Metric::SecondDerivatives) return b;
    const Spectrum<D> spectrum = decompose(b);
    if (spectrum.values[D - 1] <= 0) {  // only the mapping at a bound makes it so
      b = spectrum.vectors * spectrum.values.cwiseAbs().cwiseMax(kFlat).asDiagonal() *
          spectrum.vectors.transpose();
    }
    for (const Met& m : met_) {
      const double along = m.step.dot(m.drop);
      const Vector<D> bs = b * m.step;
      const double was = m.step.dot(bs);
      if (!(along > 0.02 * was) || !(was > 0)) continue;
      b += m.drop * m.drop.transpose() / along - bs * bs.transpose() / was;
    }
    return b;
  }

  void step() {
    const Vector<D>& gradient = summit_.best.gradient;
    const Vector<D> along = curvature_.vectors.transpose() * gradient;
    Vector<D> s =
        curvature_.vectors * along.cwiseQuotient(curvature_.values.cwiseAbs().cwiseMax(kFlat));
    const double length = s.norm();
    if (length > radius_) s *= radius_ / length;
    next_ = summit_.best.u + s;
    const Vector<D> t = curvature_.vectors.transpose() * s;
    promised_ = gradient.dot(s) - 0.5 * t.dot(curvature_.values.cwiseProduct(t));
  }

  const Surface<D>* surface_;
  Start start_;
  Metric metric_;
  Vector<D> next_;
  Summit<D> summit_;
  Spectrum<D> curvature_;
  std::array<Met, 2> met_{};
  double radius_ = kLongestStep;
  double promised_ = 0;
  bool done_ = false;
};

double typical_variance(const Series& series) {
  double weight = 0;
  for (const double v : series.var) weight += 1 / v;
  return static_cast<double>(series.size()) / weight;
}

}  // namespace

Spectrum<2> decompose(const Matrix<2>& s) {
  const double middle = (s(0, 0) + s(1, 1)) / 2;
  const double radius = std::hypot((s(0, 0) - s(1, 1)) / 2, s(1, 0));
  const double angle = 0.5 * std::atan2(2 * s(1, 0), s(0, 0) - s(1, 1));
  const double c = std::cos(angle), d = std::sin(angle);
  Spectrum<2> out;
  out.values << middle + radius, middle - radius;
  out.vectors << c, -d, d, c;
  return out;
}

Spectrum<3> decompose(const Matrix<3>& s) {
  const Eigen::SelfAdjointEigenSolver<Matrix<3>> eigen(s);
  return {eigen.eigenvalues().reverse(), eigen.eigenvectors().rowwise().reverse()};
}

double Interval::inverse(double p) const {
  return half_ * std::asin(std::clamp((p - middle_) / half_, -1 + kInset, 1 - kInset));
}

template <int D>
Coordinates<D>::Coordinates(const Series& series)
    : error2_(D == 3 ? typical_variance(series) : 0) {}

template <int D>
Vector<D> Coordinates<D>::of(const Parameters& p) const {
  Vector<D> x;
  x[0] = p.ln_sigma;
  x[1] = p.ln_tau;
  if constexpr (D == 3) x[2] = 0.5 * std::log(std::exp(2 * p.ln_jitter) + error2_);
  return x;
}

template <int D>
Parameters Coordinates<D>::parameters(const Vector<D>& x) const {
  Parameters p{x[0], x[1]};
  constexpr double kLeast = 1e-30;  // mag^2: jitter is differentiated by its logarithm
  if constexpr (D == 3)
    p.ln_jitter = 0.5 * std::log(std::max(std::exp(2 * x[2]) - error2_, kLeast));
  return p;
}

template <int D>
double Coordinates<D>::by_jitter(double x) const {
  const double all = std::exp(2 * x);
  return std::max(all - error2_, 1e-30) / all;
}

template <int D>
Vector<D> Coordinates<D>::gradient(const Vector<D>& x, const Evaluation& e) const {
  Vector<D> g;
  for (int i = 0; i < D; ++i) g[i] = e.gradient[static_cast<std::size_t>(i)];
  if constexpr (D == 3) g[2] /= by_jitter(x[2]);
  return g;
}

template <int D>
Matrix<D> Coordinates<D>::information(const Vector<D>& x, const Evaluation& e) const {
  Matrix<D> m;
  std::size_t at = 0;
  for (int i = 0; i < D; ++i)
    for (int k = 0; k <= i; ++k) m(i, k) = m(k, i) = e.information[at++];
  if constexpr (D == 3) {
    const double by = by_jitter(x[2]);
    m.row(2) /= by;
    m.col(2) /= by;
  }
  return m;
}

template <int D>
Surface<D>::Surface(const Series& series, const Box& box) : coordinates_(series) {
  const auto low = coordinates_.of({box.ln_sigma_min, box.ln_tau_min, box.ln_jitter_min});
  const auto high = coordinates_.of({box.ln_sigma_max, box.ln_tau_max, box.ln_jitter_max});
  for (int i = 0; i < D; ++i) bounds_[static_cast<std::size_t>(i)] = Interval(low[i], high[i]);
}

template <int D>
Vector<D> Surface<D>::inverse(const Parameters& p) const {
  Vector<D> u = coordinates_.of(p);
  for (int i = 0; i < D; ++i) u[i] = bounds_[static_cast<std::size_t>(i)].inverse(u[i]);
  return u;
}

template <int D>
Vector<D> Surface<D>::inside(const Vector<D>& u) const {
  Vector<D> x;
  for (int i = 0; i < D; ++i) x[i] = bounds_[static_cast<std::size_t>(i)].value(u[i]);
  return x;
}

template <int D>
Point<D> Surface<D>::point(const Vector<D>& u, const Evaluation& e,
                           const Matrix<D>& curvature) const {
  Point<D> point{u, e, coordinates_.gradient(inside(u), e), curvature, curvature};
  for (int i = 0; i < D; ++i) {
    const Interval& bound = bounds_[static_cast<std::size_t>(i)];
    const double slope = bound.slope(u[i]);
    point.metric.row(i) *= slope;
    point.metric.col(i) *= slope;
    point.metric(i, i) -= point.gradient[i] * bound.bend(u[i]);
    point.gradient[i] *= slope;
  }
  return point;
}

template <int D>
double to_gain(const Vector<D>& gradient, const Spectrum<D>& curvature) {
  double gain = 0;
  for (int i = 0; i < D; ++i) {
    const double g = gradient.dot(curvature.vectors.col(i));
    gain += 0.5 * g * g / std::max(std::abs(curvature.values[i]), 1e-4);
  }
  return gain;
}

template <int D>
Curved<D> with_curvature(const Series& series, const Coordinates<D>& coordinates, Mean mean,
                         const Start& at) {
  constexpr double kStep = 1e-5;
  const Vector<D> x = coordinates.of(at.at);
  std::array<Trial, D + 1> trials;
  std::array<Vector<D>, D + 1> places;
  for (int i = 0; i <= D; ++i) {
    const auto k = static_cast<std::size_t>(i);
    places[k] = x;
    if (i < D) places[k][i] += kStep;
    trials[k] = {coordinates.parameters(places[k]), at.omitted};
  }
  trials[D].at = at.at;
  const auto found = evaluate_all(series, trials, mean, gradient_wanted<D>(false));
  const Vector<D> gradient = coordinates.gradient(x, found[D]);
  Matrix<D> curvature;
  for (int i = 0; i < D; ++i) {
    const auto k = static_cast<std::size_t>(i);
    curvature.col(i) = (gradient - coordinates.gradient(places[k], found[k])) / kStep;
  }
  return {found[D], (curvature + curvature.transpose()) / 2};
}

namespace {

// One evaluation of each, side by side.
template <int D>
void advance(const Series& series, Mean mean, std::span<Climber<D>* const> climbers) {
  std::vector<Trial> trials;
  bool informed = false;
  for (const Climber<D>* c : climbers) {
    trials.push_back(c->trial());
    informed |= c->needs_information();
  }
  const auto found = evaluate_all(series, trials, mean, gradient_wanted<D>(informed));
  for (std::size_t k = 0; k < climbers.size(); ++k) climbers[k]->take(found[k]);
}

}  // namespace

template <int D>
std::vector<Summit<D>> climb_all(const Series& series, const Box& box, Mean mean,
                                 std::span<const Start> starts, double precision) {
  const Surface<D> surface(series, box);
  const double least_gain = 0.5 * precision * precision;
  std::vector<Climber<D>> climbers;
  for (const Start& start : starts) climbers.emplace_back(surface, start, Metric::Fisher);
  std::vector<Climber<D>*> climbing;
  for (;;) {
    climbing.clear();
    for (Climber<D>& c : climbers)
      if (!c.is_done(least_gain)) climbing.push_back(&c);
    if (climbing.empty()) break;
    advance<D>(series, mean, climbing);
  }
  std::vector<Summit<D>> summits;
  for (const Climber<D>& c : climbers) summits.push_back(c.summit(least_gain));
  return summits;
}

template <int D>
Summit<D> climb_to_top(const Series& series, const Box& box, Mean mean, const Start& start,
                       const Summit<D>& at, double precision) {
  const Surface<D> surface(series, box);
  const double least_gain = 0.5 * precision * precision;
  Climber<D> climber(surface, start, Metric::SecondDerivatives);
  climber.begin_at(at.evaluations == 0 ? surface.inverse(start.at) : at.best.u);
  while (!climber.is_done(least_gain)) {
    const Trial trial = climber.trial();
    const Curved<D> found =
        with_curvature<D>(series, surface.coordinates(), mean, {trial.at, trial.omitted});
    climber.take(found.value, found.curvature);
  }
  Summit<D> top = climber.summit(least_gain);
  top.evaluations = at.evaluations + (D + 1) * top.evaluations;
  return top;
}

template <int D>
Summit<D> climb_to_highest(const Series& series, const Box& box, Mean mean,
                           std::span<const Start> starts, double precision) {
  constexpr double kRough = 3e-2;  // distinguishes maxima
  // The lanes that a single climb would leave idle give the second derivatives.
  if (starts.size() == 1) return climb_to_top<D>(series, box, mean, starts[0], {}, precision);
  const std::vector<Summit<D>> summits = climb_all<D>(series, box, mean, starts, kRough);
  int evaluations = 0;
  std::size_t best = 0;
  for (std::size_t k = 0; k < summits.size(); ++k) {
    evaluations += summits[k].evaluations;
    if (is_lower(summits[best].best.value.loglike + kSameLoglike, summits[k].best.value.loglike))
      best = k;
  }
  if (!std::isfinite(summits[best].best.value.loglike)) return summits[best];
  Summit<D> top = climb_to_top<D>(series, box, mean, starts[best], summits[best], precision);
  top.evaluations += evaluations - summits[best].evaluations;
  return top;
}

template class Coordinates<2>;
template class Coordinates<3>;
template class Surface<2>;
template class Surface<3>;
template double to_gain<2>(const Vector<2>&, const Spectrum<2>&);
template double to_gain<3>(const Vector<3>&, const Spectrum<3>&);
template std::vector<Summit<2>> climb_all<2>(const Series&, const Box&, Mean,
                                             std::span<const Start>, double);
template std::vector<Summit<3>> climb_all<3>(const Series&, const Box&, Mean,
                                             std::span<const Start>, double);
template Summit<2> climb_to_highest<2>(const Series&, const Box&, Mean, std::span<const Start>,
                                       double);
template Summit<3> climb_to_highest<3>(const Series&, const Box&, Mean, std::span<const Start>,
                                       double);
template Summit<2> climb_to_top<2>(const Series&, const Box&, Mean, const Start&, const Summit<2>&,
                                   double);
template Summit<3> climb_to_top<3>(const Series&, const Box&, Mean, const Start&, const Summit<3>&,
                                   double);
template Curved<2> with_curvature<2>(const Series&, const Coordinates<2>&, Mean, const Start&);
template Curved<3> with_curvature<3>(const Series&, const Coordinates<3>&, Mean, const Start&);

}  // namespace ou
