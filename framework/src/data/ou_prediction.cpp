#include "qsohost/ou_prediction.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace qsohost::inline v1 {
namespace {

// Of the process minus its mean.
struct State {
  double mean = 0;
  double variance = 0;
};

class Process {
 public:
  explicit Process(const OuParameters& parameters)
      : prior_{0, std::exp(2 * parameters.log_sigma)}, rate_(std::exp(-parameters.log_tau)) {}

  State prior() const { return prior_; }

  State after(State state, double days) const {
    const double decay = std::exp(-days * rate_);
    const double added = -std::expm1(-2 * days * rate_) * prior_.variance;
    return {decay * state.mean, decay * decay * state.variance + added};
  }

  // Of two independent views of the same value, both of which include the prior.
  State both(State a, State b) const {
    const double precision = 1 / a.variance + 1 / b.variance - 1 / prior_.variance;
    return {(a.mean / a.variance + b.mean / b.variance) / precision, 1 / precision};
  }

 private:
  State prior_;
  double rate_;  // 1 / tau
};

State observed(State state, double value, double variance) {
  const double gain = state.variance / (state.variance + variance);
  return {state.mean + gain * (value - state.mean), state.variance * (1 - gain)};
}

// The state at each epoch given it and those before (after, if `is_backward`).
std::vector<State> filtered(const Process& process, const OuEpochs& epochs, double mean,
                            bool is_backward) {
  const std::size_t n = epochs.times.size();
  std::vector<State> states(n);
  State state = process.prior();
  for (std::size_t k = 0; k < n; ++k) {
    const std::size_t i = is_backward ? n - 1 - k : k;
    if (k > 0) {
      const std::size_t last = is_backward ? i + 1 : i - 1;
      state = process.after(state, std::abs(epochs.times[i] - epochs.times[last]));
    }
    state = observed(state, epochs.mags[i] - mean, epochs.variances[i]);
    states[i] = state;
  }
  return states;
}

class Smoother {
 public:
  Smoother(const OuEpochs& epochs, const OuParameters& parameters)
      : process_(parameters),
        epochs_(epochs),
        mean_(parameters.mean),
        forward_(filtered(process_, epochs, mean_, false)),
        backward_(filtered(process_, epochs, mean_, true)) {}

  // At `time`, given the first `before` epochs and those from `after` on.
  void add(OuPrediction& out, double time, std::size_t before, std::size_t after) const {
    const State past = before == 0
                           ? process_.prior()
                           : process_.after(forward_[before - 1], time - epochs_.times[before - 1]);
    const State future = after == epochs_.times.size()
                             ? process_.prior()
                             : process_.after(backward_[after], epochs_.times[after] - time);
    const State state = process_.both(past, future);
    out.mean.push_back(mean_ + state.mean);
    out.variance.push_back(state.variance);
  }

 private:
  Process process_;
  const OuEpochs& epochs_;
  double mean_;
  std::vector<State> forward_, backward_;
};

}  // namespace

OuPrediction predict_ou(const OuEpochs& epochs, const OuParameters& parameters,
                        std::span<const double> at) {
  const Smoother smoother(epochs, parameters);
  OuPrediction out;
  for (const double time : at) {
    const auto next = std::ranges::upper_bound(epochs.times, time);
    const auto before = static_cast<std::size_t>(next - epochs.times.begin());
    smoother.add(out, time, before, before);
  }
  return out;
}

OuPrediction leave_one_out_ou(const OuEpochs& epochs, const OuParameters& parameters) {
  const Smoother smoother(epochs, parameters);
  OuPrediction out;
  for (std::size_t i = 0; i < epochs.times.size(); ++i) {
    smoother.add(out, epochs.times[i], i, i + 1);
  }
  return out;
}

}  // namespace qsohost::inline v1
