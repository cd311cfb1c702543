// The sweeps over an object's bands in SIMD lanes, and what follows from them. Included once per
// instruction set, after the other -inl files.

constexpr double kLnTwoPi = 1.8378770664093454836;

inline double lane(Lanes v, std::size_t l) {
  double all[kLanes];
  v.store(all);
  return all[l];
}

// The epochs in an order that all lanes share, with the parameters of each lane.
template <int States>
class Shared {
 public:
  Shared(const Ordered& order, std::size_t bands, const Trials& trials)
      : order_(&order), levels_{} {
    for (std::size_t b = 0; b < bands; ++b) {
      const auto sigma = [&](std::size_t l) { return trials.coherent[l].ln_sigma[b]; };
      inv_sigma_[b] = exp_of(trials, [&](std::size_t l) { return -sigma(l); });
      inv_var_[b] = exp_of(trials, [&](std::size_t l) { return -2 * sigma(l); });
      jitter2_[b] =
          exp_of(trials, [&](std::size_t l) { return 2 * trials.coherent[l].ln_jitter[b]; });
      if constexpr (States > 1)
        ratio_[b] = exp_of(trials, [&](std::size_t l) { return trials.incoherent[l].ln_ratio[b]; });
    }
    inv_tau_[0] = exp_of(trials, [&](std::size_t l) { return -trials.coherent[l].ln_tau; });
    if constexpr (States > 1)
      inv_tau_[1] = exp_of(trials, [&](std::size_t l) { return -trials.incoherent[l].ln_tau; });
  }

  std::size_t size() const { return order_->size(); }
  std::size_t band(std::size_t i) const { return order_->band[i]; }
  bool is_used(std::size_t i) const { return order_->ignored.empty() || order_->ignored[i] == 0; }
  HWY_INLINE Lanes inv_sigma(std::size_t band) const { return inv_sigma_[band]; }
  HWY_INLINE Lanes jitter2(std::size_t band) const { return jitter2_[band] * inv_var_[band]; }
  HWY_INLINE Lanes inv_tau(int process) const { return inv_tau_[process]; }
  HWY_INLINE Lanes x(std::size_t i, int process) const {
    return time_in_tau(order_->dt[i], inv_tau_[process]);
  }
  HWY_INLINE Epoch<Lanes, States> at(std::size_t i) const {
    const std::size_t b = band(i);
    return {Lanes(order_->y[i]) * inv_sigma_[b],
            (Lanes(order_->var[i]) + jitter2_[b]) * inv_var_[b], ratio_[States > 1 ? b : 0],
            static_cast<int>(b) + 1};
  }
  HWY_INLINE Decay<Lanes, States> decay(std::size_t i) const {
    Decay<Lanes, States> out;
    for (int p = 0; p < kProcesses<States>; ++p) out.change[p] = expm1_of_minus(x(i, p));
    return out;
  }

  // What channel c adds to the data (the last channel) or shows (the others) in each band.
  template <int Channels>
  void set_levels(int skipped, const Lanes (*mix)[Channels]) {
    for (std::size_t b = 0; b + 1 < Channels; ++b) {
      for (int c = skipped; c < Channels; ++c) levels_[b][c - skipped] = mix[b][c] * inv_sigma_[b];
    }
  }
  template <int Channels>
  HWY_INLINE void channels(std::size_t i, const Epoch<Lanes, States>& epoch, Lanes* out) const {
    for (int c = 0; c < Channels; ++c) out[c] = levels_[band(i)][c];
    out[Channels - 1] = out[Channels - 1] + epoch.z;
  }

 private:
  template <class Exponent>
  static Lanes exp_of(const Trials& trials, const Exponent& exponent) {
    double out[kLanes];  // spare lanes repeat the last trial
    for (std::size_t l = 0; l < kLanes; ++l)
      out[l] = std::exp(exponent(std::min(l, trials.size() - 1)));
    return Lanes(out);
  }

  const Ordered* order_;
  Lanes inv_tau_[kProcesses<States>];
  Lanes inv_sigma_[kMostBands], inv_var_[kMostBands], jitter2_[kMostBands], ratio_[kMostBands];
  Lanes levels_[kMostBands][kMostBands + 1];
};

// Memory of a thread for the sweeps, kept for the next call.
template <class T>
T* scratch(std::size_t count, std::vector<double>& memory) {
  memory.resize((count * sizeof(T) + alignof(T)) / sizeof(double) + 1);
  void* start = memory.data();
  std::size_t space = memory.size() * sizeof(double);
  return static_cast<T*>(std::align(alignof(T), count * sizeof(T), start, space));
}

template <int States>
Moment<Lanes, States>* moments_for(std::size_t n) {
  thread_local std::vector<double> memory;
  return scratch<Moment<Lanes, States>>(n, memory);
}
template <int States, int Channels>
Levels<Lanes, States, Channels>* levels_for(std::size_t n) {
  thread_local std::vector<double> memory;
  return scratch<Levels<Lanes, States, Channels>>(n, memory);
}

// The first sweep and what follows from it. Estimated: the number of means that are.
template <int States, int Estimated>
struct Forward {
  static constexpr int kChannels = Estimated + 1;
  Shared<States> epochs;
  Means<Lanes, kChannels> means;
  Lanes logdet;
  PerBand<std::size_t> count{};  // of epochs used
  std::size_t used = 0, bands_used = 0;

  Forward(const Series& series, const Ordered& order, const Trials& trials,
          Moment<Lanes, States>* moments)
      : epochs(order, series.bands, trials) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (epochs.is_used(i)) ++count[order.band[i]];
    }
    Lanes constants[kChannels][kChannels];
    for (int b = 0; b < Estimated; ++b) constants[b][b] = Lanes(1.0);
    epochs.template set_levels<kChannels>(0, constants);
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
    epochs.template set_levels<kChannels>(kSkipped, means.mix);
    auto* const predicted = levels_for<States, Channels>(epochs.size());
    sweep_again(epochs, moments, predicted);
    sweep_back(epochs, moments, predicted, means.weight + kSkipped, visit);
  }
};

template <int States>
struct GradientSums {
  Lanes by_tau[kProcesses<States>];
  Lanes sigma[kMostBands], noise[kMostBands], lag[kMostBands], ratio[kMostBands];
  Lanes rate;  // d loglike / dt of the step after

  HWY_INLINE GradientSums() {}
  HWY_INLINE void add(const Shared<States>& epochs, std::size_t i,
                      const Slopes<Lanes, States>& slopes) {
    const std::size_t b = epochs.band(i);
    sigma[b] = sigma[b] + slopes.ln_sigma;
    noise[b] = noise[b] + slopes.noise;
    if constexpr (States > 1) ratio[b] = ratio[b] + slopes.ln_ratio;
    Lanes here;
    for (int p = 0; p < kProcesses<States>; ++p) {
      by_tau[p] = by_tau[p] - slopes.x[p] * epochs.x(i, p);
      here = here + slopes.x[p] * epochs.inv_tau(p);
    }
    lag[b] = lag[b] + (rate - here);
    rate = here;
  }
  Gradient of_lane(const Shared<States>& epochs, std::size_t bands, std::size_t l) const {
    Gradient out;
    out.ln_tau = lane(by_tau[0], l);
    for (std::size_t b = 0; b < bands; ++b) {
      out.ln_sigma[b] = lane(sigma[b], l);
      out.lag[b] = lane(lag[b], l);
      out.ln_jitter[b] = lane(epochs.jitter2(b) * noise[b], l);
      if constexpr (States > 1) out.incoherent.ln_ratio[b] = lane(ratio[b], l);
    }
    if constexpr (States > 1) out.incoherent.ln_tau = lane(by_tau[1], l);
    return out;
  }
};

template <int States, int Estimated>
void evaluate_block(const Series& series, const Ordered& order, const Trials& trials, Mean mean,
                    Want want, Evaluation* out) {
  using Sweep = Forward<States, Estimated>;
  auto* const moments = want == Want::Value ? nullptr : moments_for<States>(order.size());
  Sweep sweep(series, order, trials, moments);
  sweep.conclude(series, trials, mean, out);
  if (want == Want::Value) return;
  GradientSums<States> sums;
  const auto add = [&](std::size_t i, const auto&, const auto&, const auto& slopes) {
    sums.add(sweep.epochs, i, slopes);
  };
  if (mean == Mean::Marginal)
    sweep.template sweep_rest<Sweep::kChannels>(moments, add);
  else
    sweep.template sweep_rest<1>(moments, add);
  for (std::size_t l = 0; l < trials.size(); ++l)
    out[l].gradient = sums.of_lane(sweep.epochs, series.bands, l);
}

// At ties the order decides which one-sided derivative by the lags the sweep finds.
template <int States, int Estimated>
void evaluate_both_orders(const Series& series, const Trials& trials, Mean mean, Want want,
                          Evaluation* out) {
  const PerBand<double>& lag = trials.coherent[0].lag;
  const Ordered order = in_order(series, lag, Ties::FirstBand);
  evaluate_block<States, Estimated>(series, order, trials, mean, want, out);
  if (want != Want::GradientWithLags || !order.has_ties) return;
  std::array<Evaluation, kLanes> other;
  evaluate_block<States, Estimated>(series, in_order(series, lag, Ties::LastBand), trials, mean,
                                    want, other.data());
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
  for (std::size_t first = 0; first < trials.size();) {
    std::size_t count = 1;  // trials with the same lags
    while (count < kLanes && first + count < trials.size() &&
           trials.coherent[first + count].lag == trials.coherent[first].lag)
      ++count;
    evaluate_both_orders<States, Estimated>(series, trials.part(first, count), mean, want,
                                            out + first);
    first += count;
  }
}

template <int States, int Estimated>
void leave_one_out_with(const Series& series, const Trials& trial, Mean mean,
                        std::span<const std::uint8_t> ignored, LeaveOneOut& out) {
  for (auto* column : {&out.mean, &out.var, &out.logpdf, &out.loglike_without})
    column->resize(series.size());
  constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
  constexpr int kData = Estimated;  // channel
  const Ordered order = in_order(series, trial.coherent[0].lag, Ties::FirstBand, ignored);
  auto* const moments = moments_for<States>(order.size());
  Forward<States, Estimated> sweep(series, order, trial, moments);
  out.loglike = sweep.loglike(0, trial.coherent[0], mean);
  double weight[Estimated + 1];
  for (int c = 0; c <= Estimated; ++c) weight[c] = lane(sweep.means.weight[c], 0);
  const auto predict = [&](std::size_t i, const auto& epoch, const auto& seen, const auto&) {
    const std::size_t k = order.place[i], b = order.band[i];
    const double sigma = 1 / lane(sweep.epochs.inv_sigma(b), 0);
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
