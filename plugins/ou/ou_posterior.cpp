#include "ou_posterior.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "posterior_slices.hpp"

namespace ou {
namespace {

// A part of the posterior: the density along ln sigma of a slice, moved to another tau.
struct Piece {
  const Slice* slice;
  double ln_tau, shift, mass;
};

// The density between slices: masses of steps in ln tau, each with the shape of the nearer slice,
// moved along the ridge.
std::vector<Piece> pieces_of(const std::vector<Slice>& slices) {
  constexpr double kWidest = 0.08;  // step
  std::vector<double> x, f;
  for (const Slice& s : slices) {
    x.push_back(s.ln_tau);
    f.push_back(s.ln_mass);
  }
  const double top = *std::ranges::max_element(f);
  const Spline ln_mass(x, f);
  std::vector<Piece> pieces;
  double all = 0;
  for (std::size_t i = 0; i + 1 < slices.size(); ++i) {
    const double h = x[i + 1] - x[i];
    const int steps = std::max(4, static_cast<int>(std::ceil(h / kWidest)));
    for (int k = 0; k < steps; ++k) {
      const double t = (k + 0.5) / steps;
      const double centre = slices[i].centre + t * (slices[i + 1].centre - slices[i].centre);
      const Slice& near = slices[t < 0.5 ? i : i + 1];
      const double mass = std::exp(ln_mass.at(i, t) - top) * h / steps;
      pieces.push_back({&near, x[i] + t * h, centre - near.centre, mass});
      all += mass;
    }
  }
  for (Piece& p : pieces) p.mass /= all;
  return pieces;
}

// Masses on a line; quantiles of their sum.
class Histogram {
 public:
  Histogram(double low, double high) : low_(low), bin_((high - low) / kBins), mass_(kBins + 1) {}
  void add(double at, double mass) {
    const double where = std::clamp((at - low_) / bin_, 0.0, kBins - 1.0);
    const auto k = static_cast<std::size_t>(where);
    const double t = where - static_cast<double>(k);
    mass_[k] += (1 - t) * mass;
    mass_[k + 1] += t * mass;
  }
  // The mass of a bin counts as spread over it, half on each side of its value.
  std::array<double, 5> quantiles() const {
    const double all = std::accumulate(mass_.begin(), mass_.end(), 0.0);
    std::array<double, 5> out{};
    std::size_t k = 0;
    double below = 0;
    for (std::size_t q = 0; q < out.size(); ++q) {
      while (k < kBins && below + mass_[k] < kQuantiles[q] * all) below += mass_[k++];
      const double part = mass_[k] > 0 ? (kQuantiles[q] * all - below) / mass_[k] : 0;
      out[q] = low_ + bin_ * (static_cast<double>(k) - 0.5 + part);
    }
    return out;
  }

 private:
  static constexpr std::size_t kBins = 2048;
  double low_, bin_;
  std::vector<double> mass_;
};

// Quantiles of a linear function of ln sigma and ln tau.
std::array<double, 5> quantiles_of(const std::vector<Piece>& pieces, double by_sigma,
                                   double by_tau) {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const Piece& p : pieces) {
    for (const double x : {p.slice->cells.front().at, p.slice->cells.back().at}) {
      const double value = by_sigma * (x + p.shift) + by_tau * p.ln_tau;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  Histogram histogram(low, std::max(high, low + 1e-9));
  for (const Piece& p : pieces) {
    for (const Slice::Cell& c : p.slice->cells)
      histogram.add(by_sigma * (c.at + p.shift) + by_tau * p.ln_tau, p.mass * c.mass);
  }
  return histogram.quantiles();
}

std::array<double, 5> quantiles_of_tau(const std::vector<Piece>& pieces) {
  std::array<double, 5> out{};
  std::size_t k = 0;
  double below = 0;
  for (std::size_t q = 0; q < out.size(); ++q) {
    while (k + 1 < pieces.size() && below + pieces[k].mass < kQuantiles[q])
      below += pieces[k++].mass;
    const double low = k == 0 ? 1.5 * pieces[0].ln_tau - 0.5 * pieces[1].ln_tau
                              : (pieces[k - 1].ln_tau + pieces[k].ln_tau) / 2;
    const double part = (kQuantiles[q] - below) / pieces[k].mass;
    out[q] = low + 2 * std::clamp(part, 0.0, 1.0) * (pieces[k].ln_tau - low);
  }
  return out;
}

// How the nodes are shared out: so many values of tau, with so many of sigma each.
struct Layout {
  std::size_t slices;
  int points;
};

double spread_in(const Slice& slice) {
  double mean = 0, square = 0;
  for (const Slice::Cell& c : slice.cells) {
    mean += c.mass * c.at;
    square += c.mass * c.at * c.at;
  }
  return std::sqrt(std::max(0.0, square - mean * mean));
}

// Where ln sigma at given tau is spread more widely than in populations (0.4), 4 values lie too far
// apart to weight them with a population: slopes of its relations came out 0.01 too flat.
Layout layout_of(const std::vector<Piece>& pieces) {
  constexpr double kWide = 0.6;
  double spread = 0;
  for (const Piece& p : pieces) spread += p.mass * spread_in(*p.slice);
  return spread < kWide ? Layout{16, 4} : Layout{10, 6};
}

// Few slices that share the masses of all: those of the least mass are divided between their
// neighbours, so that the mean of ln tau stays.
std::vector<std::pair<const Slice*, double>> few_of(const std::vector<Slice>& slices,
                                                    const std::vector<Piece>& pieces,
                                                    std::size_t most) {
  std::vector<std::pair<const Slice*, double>> out;
  for (const Slice& s : slices) out.emplace_back(&s, 0.0);
  const auto share = [&](double ln_tau, double mass) {
    auto after = std::ranges::upper_bound(out, ln_tau, {}, [](auto& s) { return s.first->ln_tau; });
    after = std::clamp(after, out.begin() + 1, out.end() - 1);
    const auto before = after - 1;
    const double t = std::clamp(
        (ln_tau - before->first->ln_tau) / (after->first->ln_tau - before->first->ln_tau), 0.0,
        1.0);
    before->second += (1 - t) * mass;
    after->second += t * mass;
  };
  for (const Piece& p : pieces) share(p.ln_tau, p.mass);
  while (out.size() > most) {
    const auto least = std::ranges::min_element(out, {}, [](auto& s) { return s.second; });
    const auto [slice, mass] = *least;
    out.erase(least);
    share(slice->ln_tau, mass);
  }
  return out;
}

std::vector<Posterior::Node> nodes_of(const std::vector<Slice>& slices,
                                      const std::vector<Piece>& pieces) {
  const Layout layout = layout_of(pieces);
  std::vector<Posterior::Node> nodes;
  for (const auto& [slice, mass] : few_of(slices, pieces, layout.slices)) {
    for (const Slice::Cell& c : gauss_rule(slice->cells, layout.points)) {
      if (c.mass * mass > 0) nodes.push_back({c.at, slice->ln_tau, std::log(c.mass * mass)});
    }
  }
  return nodes;
}

}  // namespace

Posterior posterior_of(const Series& series, const Box& box, Prior prior, double ln_jitter) {
  const std::vector<Slice> slices = slices_of(series, box, prior, ln_jitter);
  const std::vector<Piece> pieces = pieces_of(slices);
  Posterior out;
  out.ln_sigma = quantiles_of(pieces, 1, 0);
  out.ln_d = quantiles_of(pieces, 2, -1);
  out.ln_tau = quantiles_of_tau(pieces);
  out.nodes = nodes_of(slices, pieces);
  return out;
}

}  // namespace ou
