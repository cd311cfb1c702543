// Posteriors of sigma and tau of many objects, as the fitters' products hold them: at most 64 nodes
// an object, in slices of constant tau. See "Posterior" in examples/guides/methods.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace qsohost::cli {

// A quantity of a fit: log10 of sigma^a tau^b, sigma in mag and tau in d.
struct Quantity {
  std::string_view name;
  double by_sigma, by_tau;  // a and b

  double of(double ln_sigma, double ln_tau) const;  // in dex
};
inline constexpr Quantity kLogD{"logD", 2, -1}, kLogTau{"logtau", 0, 1},
    kLogSigma{"logsigma", 1, 0};

// How the posteriors were made.
struct PosteriorSetup {
  bool is_log_uniform = true;     // the prior: flat in ln sigma and ln tau; else in sigma and tau
  double ln_tau_min, ln_tau_max;  // bounds of tau, d
};

// Nodes of objects, of which the prior is divided out, in two quantities. A node stands for a cell
// in ln tau, from halfway to the slice before it to halfway to the one after it, and inside the
// bounds of tau; in it the density along sigma moves with tau as the slices' means do. What varies
// faster than the spacing of slices (0.4 in ln tau) is averaged over `steps` points of the cell.
class PosteriorNodes {
 public:
  struct Node {
    float y, partner;            // at the first of the points, dex
    float y_step, partner_step;  // from one point to the next
    float ln_weight;             // of each point, without the prior
    std::int32_t steps;
  };

  PosteriorNodes(const Quantity& y, const Quantity& partner) : y_(y), partner_(partner) {}

  // Of the next object, as in the product; nodes with a weight that is not finite are left out. An
  // object without nodes is not added: false.
  bool add(const PosteriorSetup& setup, std::span<const double> ln_sigma,
           std::span<const double> ln_tau, std::span<const double> ln_weight);

  std::size_t size() const { return ends_.size(); }
  std::span<const Node> of(std::size_t object) const {
    const std::size_t begin = object == 0 ? 0 : ends_[object - 1];
    return std::span(nodes_).subspan(begin, ends_[object] - begin);
  }

 private:
  Quantity y_, partner_;
  std::vector<Node> nodes_;
  std::vector<std::size_t> ends_;
};

}  // namespace qsohost::cli
