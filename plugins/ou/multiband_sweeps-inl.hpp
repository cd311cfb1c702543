// The sweeps over an object's bands in SIMD lanes, and what follows from them. Included once per
// instruction set, after the other -inl files.

constexpr double kLnTwoPi = 1.8378770664093454836;

inline double lane(Lanes v, std::size_t l) {
  double all[kLanes];
  v.store(all);
  return all[l];
}

// The first sweep and what follows from it. Estimated: the number of means that are.
template <int States, int Estimated, class Epochs>
struct Forward {
  static constexpr int kChannels = Estimated + 1;
  Epochs epochs;
  Means<Lanes, kChannels> means;
  Lanes logdet;
  PerBand<std::size_t> count{};  // of epochs used
  std::size_t used = 0, bands_used = 0;

  Forward(const Series& series, Epochs epochs_, Moment<Lanes, States>* moments,
          std::span<const std::uint8_t> ignored = {})
      : epochs(std::move(epochs_)) {
    for (std::size_t i = 0; i < series.size(); ++i) {
      if (ignored.empty() || ignored[i] == 0) ++count[series.band[i]];
    }
    Lanes constants[kChannels][kChannels];
    for (int b = 0; b < Estimated; ++b) constants[b][b] = Lanes(1.0);
    epochs.levels.template set<kChannels>(0, constants, epochs.scales.inv_sigma);
    auto products = sweep_forward<Lanes, States, kChannels>(epochs, moments);
    for (std::size_t b = 0; b < series.bands; ++b) {
      used += count[b];
      if (count[b] > 0)
        ++bands_used;
      else if (Estimated > 0)
        products.sums(static_cast<int>(b), static_cast<int>(b)) = Lanes(1.0);
    }
    logdet = products.logdet.total();
    means.estimate(products.sums);
  }

  double loglike(std::size_t l, const Parameters& p, Mean mean) const {
    double out =
        -0.5 * (lane(means.chi2, l) + lane(logdet, l) + kLnTwoPi * static_cast<double>(used));
    for (std::size_t b = 0; b < kMostBands; ++b) {
      if (count[b] > 0) out -= static_cast<double>(count[b]) * p.ln_sigma[b];
    }
    if (mean == Mean::Marginal)
      out += 0.5 * (kLnTwoPi * static_cast<double>(bands_used) - lane(means.log_information, l));
    return out;
  }

  void conclude(const Series& series, const Trials& trials, Mean mean, Evaluation* out) const {
    for (std::size_t l = 0; l < trials.size(); ++l) {
      out[l].loglike = loglike(l, trials.coherent[l], mean);
      out[l].chi2 = lane(means.chi2, l);
      out[l].mean = series.reference;
      for (int b = 0; b < Estimated; ++b) {
        const auto at = static_cast<std::size_t>(b);
        out[l].mean[at] += lane(means.mean(b), l);
        out[l].mean_var[at] =
            count[at] > 0 ? lane(means.mean_var(b), l) : std::numeric_limits<double>::infinity();
      }
    }
  }

  // The later sweeps, over the last `Channels` of the channels.
  template <int Channels, class Visit>
  void sweep_rest(const Moment<Lanes, States>* moments, const Visit& visit) {
    constexpr int kSkipped = kChannels - Channels;
    epochs.levels.template set<kChannels>(kSkipped, means.mix, epochs.scales.inv_sigma);
    auto* const predicted =
        scratch<Scratch::Levels, Levels<Lanes, States, Channels>>(epochs.size());
    sweep_again(epochs, moments, predicted);
    sweep_back(epochs, moments, predicted, means.weight + kSkipped, visit);
  }
};

template <int States, class Epochs>
struct GradientSums {
  Lanes by_tau[kProcesses<States>];
  Lanes sigma[kMostBands], noise[kMostBands], lag[kMostBands], ratio[kMostBands];
  Lanes rate;  // d loglike / dt of the step after

  HWY_INLINE GradientSums() {}
  HWY_INLINE void add(const Epochs& epochs, std::size_t i, const Slopes<Lanes, States>& slopes) {
    epochs.add(sigma, i, slopes.ln_sigma);
    epochs.add(noise, i, slopes.noise);
    if constexpr (States > 1) epochs.add(ratio, i, slopes.ln_ratio);
    Lanes here;
    for (int p = 0; p < kProcesses<States>; ++p) {
      by_tau[p] = by_tau[p] - slopes.x[p] * epochs.x(i, p);
      here = here + slopes.x[p] * epochs.scales.inv_tau[p];
    }
    epochs.add(lag, i, rate - here);
    rate = here;
  }
  Gradient of_lane(const Epochs& epochs, std::size_t bands, std::size_t l) const {
    Gradient out;
    out.ln_tau = lane(by_tau[0], l);
    for (std::size_t b = 0; b < bands; ++b) {
      out.ln_sigma[b] = lane(sigma[b], l);
      out.lag[b] = lane(lag[b], l);
      out.ln_jitter[b] = lane(epochs.scales.jitter2[b] * noise[b], l);
      if constexpr (States > 1) out.incoherent.ln_ratio[b] = lane(ratio[b], l);
    }
    if constexpr (States > 1) out.incoherent.ln_tau = lane(by_tau[1], l);
    return out;
  }
};

// Returns whether there are ties.
template <int States, int Estimated, class Epochs>
bool evaluate_in_order(const Series& series, const Trials& trials, Mean mean, Want want, Ties ties,
                       Evaluation* out) {
  using Sweep = Forward<States, Estimated, Epochs>;
  using OneMoment = Moment<Lanes, States>;
  auto* const moments =
      want == Want::Value ? nullptr : scratch<Scratch::Moments, OneMoment>(series.size());
  Sweep sweep(series, Epochs(series, trials, ties), moments);
  sweep.conclude(series, trials, mean, out);
  if (want == Want::Value) return false;
  GradientSums<States, Epochs> sums;
  const auto add = [&](std::size_t i, const auto&, const auto&, const auto& slopes) {
    sums.add(sweep.epochs, i, slopes);
  };
  constexpr int kAll = Sweep::kChannels;  // the means' uncertainty has a part in the gradient
  if (mean == Mean::Marginal) sweep.template sweep_rest<kAll>(moments, add);
  if (mean != Mean::Marginal) sweep.template sweep_rest<1>(moments, add);
  for (std::size_t l = 0; l < trials.size(); ++l)
    out[l].gradient = sums.of_lane(sweep.epochs, series.bands, l);
  return sweep.epochs.has_ties();
}

// As many trials as lanes, or fewer. At ties the order decides which one-sided derivative by the
// lags the sweep finds.
template <int States, int Estimated, class Epochs>
void evaluate_block(const Series& series, const Trials& trials, Mean mean, Want want,
                    Evaluation* out) {
  constexpr auto evaluate = evaluate_in_order<States, Estimated, Epochs>;
  const bool has_ties = evaluate(series, trials, mean, want, Ties::FirstBand, out);
  if (want != Want::GradientWithLags || !has_ties) return;
  std::array<Evaluation, kLanes> other;
  evaluate(series, trials, mean, want, Ties::LastBand, other.data());
  for (std::size_t l = 0; l < trials.size(); ++l) {
    for (std::size_t b = 0; b < series.bands; ++b) {
      double& by_lag = out[l].gradient.lag[b];
      by_lag = (by_lag + other[l].gradient.lag[b]) / 2;
    }
  }
}

template <int States, int Estimated>
void evaluate_with(const Series& series, const Trials& trials, Mean mean, Want want,
                   Evaluation* out) {
  using Shared = SharedOrder<States>;
  for (std::size_t first = 0; first < trials.size();) {
    const Trials rest = trials.part(first, std::min(kLanes, trials.size() - first));
    std::size_t same = 1;  // trials with the same lags
    while (same < rest.size() && rest.coherent[same].lag == rest.coherent[0].lag) ++same;
    if constexpr (States == 1) {
      if (same < rest.size()) {
        evaluate_block<1, Estimated, OwnOrders>(series, rest, mean, want, out + first);
        first += rest.size();
        continue;
      }
    }
    evaluate_block<States, Estimated, Shared>(series, rest.part(0, same), mean, want, out + first);
    first += same;
  }
}

template <int States, int Estimated>
void leave_one_out_with(const Series& series, const Trials& trial, Mean mean,
                        std::span<const std::uint8_t> ignored, LeaveOneOut& out) {
  for (auto* column : {&out.mean, &out.var, &out.logpdf, &out.loglike_without})
    column->resize(series.size());
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  constexpr int kData = Estimated;  // channel
  using Epochs = SharedOrder<States>;
  auto* const moments = scratch<Scratch::Moments, Moment<Lanes, States>>(series.size());
  Forward<States, Estimated, Epochs> sweep(series, Epochs(series, trial, Ties::FirstBand, ignored),
                                           moments, ignored);
  const Ordered& order = sweep.epochs.order();
  out.loglike = sweep.loglike(0, trial.coherent[0], mean);
  double weight[Estimated + 1];
  for (int c = 0; c <= Estimated; ++c) weight[c] = lane(sweep.means.weight[c], 0);
  const auto predict = [&](std::size_t i, const auto& epoch, const auto& seen, const auto&) {
    const std::size_t k = order.place[i], b = order.band[i];
    const double sigma = 1 / lane(sweep.epochs.scales.inv_sigma[b], 0);
    const bool used = sweep.epochs.is_used(i);
    const double d = lane(seen.d, 0), u = lane(seen.u[kData], 0);
    double rest = lane(seen.rest[kData], 0), var = 0;
    double p = d;  // of K^-1 - K^-1 H (H'K^-1 H)^-1 H'K^-1, the diagonal
    if (used) {
      for (int c = 0; c < Estimated; ++c) p -= lane(seen.u[c] * seen.u[c], 0) * weight[c];
      rest = u / p;
      var = 1 / p;
    } else {
      var = lane(seen.signal_var + epoch.noise, 0);
      for (int c = 0; c < Estimated; ++c) var += lane(seen.rest[c] * seen.rest[c], 0) * weight[c];
    }
    const bool known = Estimated == 0 || sweep.count[b] > (used ? 1 : 0);
    out.mean[k] = known ? series.reference[b] + series.y[k] - sigma * rest : kUnknown;
    out.var[k] = known ? sigma * sigma * var : std::numeric_limits<double>::infinity();
    out.logpdf[k] = known ? -0.5 * (kLnTwoPi + std::log(out.var[k]) + rest * rest / var) : kUnknown;
    double& without = out.loglike_without[k];
    without = out.loglike;
    if (!used) return;
    if (mean == Mean::Profiled)
      without += 0.5 * (kLnTwoPi - std::log(d / (sigma * sigma)) + (known ? rest * rest / var : 0));
    else if (known)
      without -= out.logpdf[k];
  };
  sweep.template sweep_rest<Estimated + 1>(moments, predict);
}
