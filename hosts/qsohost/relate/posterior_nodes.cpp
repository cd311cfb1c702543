#include "relate/posterior_nodes.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace qsohost::cli {
namespace {

constexpr double kWidestStep = 0.15;  // in ln tau: populations are wider by far

struct Plain {
  double ln_sigma, ln_tau, ln_weight;
};

// Nodes of one tau: [begin, end) of the sorted nodes.
struct Slice {
  std::size_t begin, end;
  double ln_tau;
  double centre;  // weighted mean of ln sigma
};

std::vector<Plain> sorted_nodes(std::span<const double> ln_sigma, std::span<const double> ln_tau,
                                std::span<const double> ln_weight) {
  std::vector<Plain> nodes;
  for (std::size_t k = 0; k < ln_weight.size(); ++k) {
    const Plain node{ln_sigma[k], ln_tau[k], ln_weight[k]};
    if (std::isfinite(node.ln_sigma + node.ln_tau + node.ln_weight)) nodes.push_back(node);
  }
  std::ranges::stable_sort(nodes, {}, &Plain::ln_tau);
  return nodes;
}

std::vector<Slice> slices_of(const std::vector<Plain>& nodes) {
  std::vector<Slice> slices;
  for (std::size_t begin = 0; begin < nodes.size();) {
    double all = 0, sum = 0;
    std::size_t end = begin;
    for (; end < nodes.size() && nodes[end].ln_tau == nodes[begin].ln_tau; ++end) {
      const double weight = std::exp(nodes[end].ln_weight);
      all += weight;
      sum += weight * nodes[end].ln_sigma;
    }
    slices.push_back({begin, end, nodes[begin].ln_tau, all > 0 ? sum / all : 0});
    begin = end;
  }
  return slices;
}

// Of slice k: the limits of its cell in ln tau, and how ln sigma changes with ln tau there.
struct Cell {
  double low, high, slope;
};

Cell cell_of(const std::vector<Slice>& slices, std::size_t k, const PosteriorSetup& setup) {
  const Slice& here = slices[k];
  if (slices.size() == 1) return {here.ln_tau, here.ln_tau, 0};
  const Slice& before = slices[k == 0 ? 0 : k - 1];
  const Slice& after = slices[std::min(k + 1, slices.size() - 1)];
  const double to_after = (after.ln_tau - here.ln_tau) / 2;
  const double to_before = (here.ln_tau - before.ln_tau) / 2;
  Cell cell{here.ln_tau - (k == 0 ? to_after : to_before),
            here.ln_tau + (&after == &here ? to_before : to_after),
            (after.centre - before.centre) / (after.ln_tau - before.ln_tau)};
  // A slice at a bound of tau stands for the part of its cell inside.
  cell.low = std::min(std::max(cell.low, setup.ln_tau_min), here.ln_tau);
  cell.high = std::max(std::min(cell.high, setup.ln_tau_max), here.ln_tau);
  return cell;
}

}  // namespace

double Quantity::of(double ln_sigma, double ln_tau) const {
  return (by_sigma * ln_sigma + by_tau * ln_tau) / std::numbers::ln10;
}

bool PosteriorNodes::add(const PosteriorSetup& setup, std::span<const double> ln_sigma,
                         std::span<const double> ln_tau, std::span<const double> ln_weight) {
  const std::vector<Plain> nodes = sorted_nodes(ln_sigma, ln_tau, ln_weight);
  if (nodes.empty()) return false;
  const std::vector<Slice> slices = slices_of(nodes);
  for (std::size_t k = 0; k < slices.size(); ++k) {
    const Cell cell = cell_of(slices, k, setup);
    // A node outside of the bounds, in a product that is not as it was written, has a wider cell.
    const double width = std::min(cell.high - cell.low, setup.ln_tau_max - setup.ln_tau_min);
    const int steps = std::max(1, static_cast<int>(std::ceil(width / kWidestStep)));
    const double step = width / steps, to_first = cell.low + step / 2 - slices[k].ln_tau;
    for (std::size_t j = slices[k].begin; j < slices[k].end; ++j) {
      const Plain& n = nodes[j];
      // A prior that is flat in sigma and tau has a density of sigma tau in their logarithms.
      const double ln_prior = setup.is_log_uniform ? 0 : n.ln_sigma + n.ln_tau;
      const double s = n.ln_sigma + cell.slope * to_first, t = n.ln_tau + to_first;
      nodes_.push_back({static_cast<float>(y_.of(s, t)), static_cast<float>(partner_.of(s, t)),
                        static_cast<float>(y_.of(cell.slope * step, step)),
                        static_cast<float>(partner_.of(cell.slope * step, step)),
                        static_cast<float>(n.ln_weight - ln_prior - std::log(steps)), steps});
    }
  }
  ends_.push_back(nodes_.size());
  return true;
}

}  // namespace qsohost::cli
