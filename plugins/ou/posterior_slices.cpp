#include "posterior_slices.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>

namespace ou {
namespace {

constexpr double kDeep = 12;         // density below e^-12 of the highest does not count
constexpr double kWidest = 0.5;      // of a step in ln sigma, where the likelihood hardly bends
constexpr double kCoarse = 0.5;      // ln tau between the first slices
constexpr double kLeastStep = 0.03;  // ln tau
constexpr double kMostChange = 1;    // of the log-density between neighbours
constexpr std::size_t kMostSlices = 48;

// The density along ln sigma at one tau, while it is being sampled.
struct Profile {
  RidgePoint peak;
  struct Sample {
    double ln_sigma, ln_density;
  };
  std::vector<Sample> samples;  // ascending
  double highest() const {
    return std::ranges::max_element(samples, {}, &Sample::ln_density)->ln_density;
  }
  double width() const {
    return std::clamp(1 / std::sqrt(std::max(peak.curvature, 1e-300)), 1e-3, kWidest);
  }
  double ln_mass() const { return peak.loglike + std::log(width()); }
};

class Sampler {
 public:
  Sampler(const Series& series, const Box& box, Prior prior, double ln_jitter)
      : series_(series), box_(box), prior_(prior), ln_jitter_(ln_jitter) {}

  std::vector<Profile> profiles() const {
    std::vector<double> taus;
    const double range = box_.ln_tau_max - box_.ln_tau_min;
    const int steps = std::max(4, static_cast<int>(std::ceil(range / kCoarse)));
    for (int i = 0; i <= steps; ++i) taus.push_back(box_.ln_tau_min + range * i / steps);
    std::vector<Profile> found = peaks(taus);
    for (int round = 0; round < 6 && found.size() < kMostSlices; ++round) {
      drop_the_low(found);
      const std::vector<double> more = between(found);
      if (more.empty()) break;
      for (Profile& p : peaks(more)) found.push_back(std::move(p));
      std::ranges::sort(found, {}, [](const Profile& p) { return p.peak.ln_tau; });
    }
    drop_the_low(found);
    return found;
  }

  // Samples all, until the density is known down to e^-12 of its highest and changes little
  // from one sample to the next where it is high.
  void sample(std::vector<Profile>& profiles) const {
    std::vector<std::vector<double>> places;
    for (const Profile& p : profiles) places.push_back(around_peak(p));
    for (int round = 0; round < 8; ++round) {
      if (!take(profiles, places)) return;
      for (std::size_t i = 0; i < profiles.size(); ++i) places[i] = missing(profiles[i]);
    }
  }

 private:
  double ln_prior(double ln_sigma, double ln_tau) const {
    return prior_ == Prior::LogUniform ? 0 : ln_sigma + ln_tau;
  }

  std::vector<Profile> peaks(const std::vector<double>& taus) const {
    constexpr double kEnough = 0.1;  // log-likelihood
    std::vector<Profile> out;
    for (RidgePoint p : ridge_at(series_, box_, Mean::Marginal, taus, ln_jitter_, kEnough).points) {
      p.loglike += ln_prior(p.ln_sigma, p.ln_tau);
      if (prior_ == Prior::Uniform) p.slope += 1;
      out.push_back({p, {}});
    }
    return out;
  }

  // Keeps one below the limit on each side.
  static void drop_the_low(std::vector<Profile>& found) {
    double top = -std::numeric_limits<double>::infinity();
    for (const Profile& p : found) top = std::max(top, p.ln_mass());
    const auto counts = [&](const Profile& p) { return p.ln_mass() > top - kDeep; };
    const auto first = std::ranges::find_if(found, counts);
    const auto last = std::find_if(found.rbegin(), found.rend(), counts).base();
    const auto from = first == found.begin() ? first : first - 1;
    const auto to = last == found.end() ? last : last + 1;
    found = std::vector<Profile>(from, to);
  }

  static std::vector<double> between(const std::vector<Profile>& found) {
    double top = -std::numeric_limits<double>::infinity();
    for (const Profile& p : found) top = std::max(top, p.ln_mass());
    std::vector<double> out;
    for (std::size_t i = 0; i + 1 < found.size(); ++i) {
      const RidgePoint &a = found[i].peak, &b = found[i + 1].peak;
      const double h = b.ln_tau - a.ln_tau;
      const double change = std::max({std::abs(found[i + 1].ln_mass() - found[i].ln_mass()),
                                      0.5 * h * std::abs(a.slope), 0.5 * h * std::abs(b.slope)});
      const double high = std::max({found[i].ln_mass() + std::max(0.0, 0.5 * h * a.slope),
                                    found[i + 1].ln_mass() - std::min(0.0, 0.5 * h * b.slope)});
      if (change < kMostChange || h < 2 * kLeastStep || high < top - kDeep) continue;
      if (change < 3 * kMostChange && high < top - kDeep / 2) continue;
      if (found.size() + out.size() < kMostSlices) out.push_back((a.ln_tau + b.ln_tau) / 2);
    }
    return out;
  }

  std::vector<double> around_peak(const Profile& p) const {
    constexpr int kEachSide = 5;
    constexpr double kStep = 0.8;
    std::vector<double> out;
    for (int k = -kEachSide; k <= kEachSide; ++k)
      out.push_back(std::clamp(p.peak.ln_sigma + kStep * k * p.width(), box_.ln_sigma_min,
                               box_.ln_sigma_max));
    const auto same = std::ranges::unique(out);
    out.erase(same.begin(), same.end());
    if (out.size() == 1) out.push_back(std::min(out[0] + 1e-3, box_.ln_sigma_max));
    return out;
  }

  std::vector<double> missing(const Profile& p) const {
    constexpr double kGrowth = 1.6;
    constexpr double kSmooth = 4;  // change of the log-density between samples
    const auto& s = p.samples;
    const double top = p.highest();
    std::vector<double> out;
    const auto extend = [&](double end, double inner, double bound, double ln_density) {
      if (end == bound || ln_density < top - kDeep) return;
      double step = end - inner;
      for (int k = 0; k < 3 && end != bound; ++k) {
        step *= kGrowth;
        end = step > 0 ? std::min(end + step, bound) : std::max(end + step, bound);
        out.push_back(end);
      }
    };
    extend(s[0].ln_sigma, s[1].ln_sigma, box_.ln_sigma_min, s[0].ln_density);
    extend(s.back().ln_sigma, s[s.size() - 2].ln_sigma, box_.ln_sigma_max, s.back().ln_density);
    for (std::size_t i = 0; i + 1 < s.size(); ++i) {
      const double change = std::abs(s[i + 1].ln_density - s[i].ln_density);
      const double high = std::max(s[i + 1].ln_density, s[i].ln_density);
      if (change > kSmooth && high > top - kDeep / 2)
        out.push_back((s[i].ln_sigma + s[i + 1].ln_sigma) / 2);
    }
    return out;
  }

  // False if nothing is asked for.
  bool take(std::vector<Profile>& profiles, const std::vector<std::vector<double>>& places) const {
    std::vector<Trial> trials;
    for (std::size_t i = 0; i < profiles.size(); ++i) {
      for (const double ln_sigma : places[i])
        trials.push_back({{ln_sigma, profiles[i].peak.ln_tau, ln_jitter_}});
    }
    if (trials.empty()) return false;
    const auto found = evaluate_all(series_, trials, Mean::Marginal, Want::Value);
    std::size_t k = 0;
    for (std::size_t i = 0; i < profiles.size(); ++i) {
      auto& samples = profiles[i].samples;
      for (const double ln_sigma : places[i]) {
        const double loglike = std::isnan(found[k].loglike)
                                   ? -std::numeric_limits<double>::infinity()
                                   : found[k].loglike;
        samples.push_back({ln_sigma, loglike + ln_prior(ln_sigma, profiles[i].peak.ln_tau)});
        ++k;
      }
      std::ranges::sort(samples, {}, &Profile::Sample::ln_sigma);
    }
    return true;
  }

  const Series& series_;
  const Box& box_;
  Prior prior_;
  double ln_jitter_;
};

Slice slice_of(const Profile& profile) {
  constexpr double kWidestCell = 0.06;
  std::vector<double> x, f;
  const double top = profile.highest();
  for (const auto& s : profile.samples) {
    if (!x.empty() && s.ln_sigma - x.back() < 1e-9) continue;
    x.push_back(s.ln_sigma);
    f.push_back(std::max(s.ln_density - top, -50.0));
  }
  const Spline ln_density(x, f);
  Slice slice;
  slice.ln_tau = profile.peak.ln_tau;
  double all = 0;
  for (std::size_t i = 0; i + 1 < x.size(); ++i) {
    const int parts = std::max(4, static_cast<int>(std::ceil((x[i + 1] - x[i]) / kWidestCell)));
    const double h = (x[i + 1] - x[i]) / parts;
    for (int k = 0; k < parts; ++k) {
      const double t = (k + 0.5) / parts;
      slice.cells.push_back({x[i] + (k + 0.5) * h, std::exp(ln_density.at(i, t)) * h});
      all += slice.cells.back().mass;
    }
  }
  double below = 0;
  for (Slice::Cell& c : slice.cells) {
    c.mass /= all;
    if (below < 0.5) slice.centre = c.at;
    below += c.mass;
  }
  slice.ln_mass = top + std::log(all);
  return slice;
}

}  // namespace

Spline::Spline(const std::vector<double>& x, const std::vector<double>& y)
    : x_(x), y_(y), bend_(x.size()) {
  // The tridiagonal system of the second derivatives, 0 at both ends.
  std::vector<double> above(x.size());
  for (std::size_t i = 1; i + 1 < x.size(); ++i) {
    const double before = x[i] - x[i - 1], after = x[i + 1] - x[i];
    const double pivot = 2 * (before + after) - before * above[i - 1];
    above[i] = after / pivot;
    const double jump = 6 * ((y[i + 1] - y[i]) / after - (y[i] - y[i - 1]) / before);
    bend_[i] = (jump - before * bend_[i - 1]) / pivot;
  }
  for (std::size_t i = x.size() - 1; i-- > 1;) bend_[i] -= above[i] * bend_[i + 1];
}

double Spline::at(std::size_t i, double t) const {
  const double h = x_[i + 1] - x_[i], u = 1 - t;
  return u * y_[i] + t * y_[i + 1] +
         h * h / 6 * ((u * u * u - u) * bend_[i] + (t * t * t - t) * bend_[i + 1]);
}

std::vector<Slice> slices_of(const Series& series, const Box& box, Prior prior, double ln_jitter) {
  const Sampler sampler(series, box, prior, ln_jitter);
  std::vector<Profile> profiles = sampler.profiles();
  sampler.sample(profiles);
  std::vector<Slice> slices;
  for (const Profile& p : profiles) slices.push_back(slice_of(p));
  return slices;
}

std::vector<Slice::Cell> gauss_rule(const std::vector<Slice::Cell>& cells, int points) {
  // The recurrence of the polynomials that are orthogonal for these masses (Golub & Welsch 1969).
  std::vector<double> before(cells.size(), 0.0), now(cells.size(), 1.0);
  Eigen::MatrixXd jacobi = Eigen::MatrixXd::Zero(points, points);
  double norm = 1, ratio = 0;
  int size = 0;
  for (; size < points; ++size) {
    double centre = 0;
    for (std::size_t k = 0; k < cells.size(); ++k)
      centre += cells[k].mass * cells[k].at * now[k] * now[k] / norm;
    jacobi(size, size) = centre;
    double next_norm = 0;
    for (std::size_t k = 0; k < cells.size(); ++k) {
      const double next = (cells[k].at - centre) * now[k] - ratio * before[k];
      before[k] = now[k];
      now[k] = next;
      next_norm += cells[k].mass * next * next;
    }
    ratio = next_norm / norm;
    norm = next_norm;
    if (!(ratio > 1e-14)) {
      ++size;
      break;
    }
    if (size + 1 < points) jacobi(size + 1, size) = jacobi(size, size + 1) = std::sqrt(ratio);
  }
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> eigen(jacobi.topLeftCorner(size, size));
  std::vector<Slice::Cell> out;
  for (int i = 0; i < size; ++i) {
    const double first = eigen.eigenvectors()(0, i);
    out.push_back({eigen.eigenvalues()[i], first * first});
  }
  return out;
}

}  // namespace ou
