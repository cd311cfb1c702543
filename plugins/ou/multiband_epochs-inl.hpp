// Epochs and parameters as the sweeps take them: in an order that all lanes share, or one order a
// lane. Included once per instruction set, after the other -inl files but for the sweeps.

// Memory of a thread for the sweeps, kept for the next call.
enum class Scratch : std::uint8_t { Epochs, Moments, Levels };

template <Scratch purpose>
std::vector<double>& memory_for() {
  thread_local std::vector<double> memory;
  return memory;
}
template <Scratch purpose, class T>
T* scratch(std::size_t count) {
  std::vector<double>& memory = memory_for<purpose>();
  const std::size_t needed = (count * sizeof(T) + alignof(T)) / sizeof(double) + 1;
  if (memory.size() < needed) memory.resize(needed);
  void* start = memory.data();
  std::size_t space = memory.size() * sizeof(double);
  return static_cast<T*>(std::align(alignof(T), count * sizeof(T), start, space));
}

// The parameters of each lane.
template <int States>
class Scales {
 public:
  Scales(std::size_t bands, const Trials& trials) {
    for (std::size_t b = 0; b < bands; ++b) {
      const auto sigma = [&](std::size_t l) { return trials.coherent[l].ln_sigma[b]; };
      inv_sigma[b] = exp_of(trials, [&](std::size_t l) { return -sigma(l); });
      inv_var[b] = exp_of(trials, [&](std::size_t l) { return -2 * sigma(l); });
      jitter2[b] = exp_of(
          trials, [&](std::size_t l) { return 2 * (trials.coherent[l].ln_jitter[b] - sigma(l)); });
      if constexpr (States > 1)
        ratio[b] = exp_of(trials, [&](std::size_t l) { return trials.incoherent[l].ln_ratio[b]; });
    }
    inv_tau[0] = exp_of(trials, [&](std::size_t l) { return -trials.coherent[l].ln_tau; });
    if constexpr (States > 1)
      inv_tau[1] = exp_of(trials, [&](std::size_t l) { return -trials.incoherent[l].ln_tau; });
  }

  Lanes inv_tau[kProcesses<States>];
  Lanes inv_sigma[kMostBands], inv_var[kMostBands];
  Lanes jitter2[kMostBands];  // in units of sigma^2
  Lanes ratio[kMostBands];

 private:
  template <class Exponent>
  static Lanes exp_of(const Trials& trials, const Exponent& exponent) {
    double out[kLanes];  // spare lanes repeat the last trial
    for (std::size_t l = 0; l < kLanes; ++l)
      out[l] = std::exp(exponent(std::min(l, trials.size() - 1)));
    return Lanes(out);
  }
};

// What the data gain (the last channel) or the other channels show in each band.
class BandLevels {
 public:
  BandLevels() : in{} {}
  template <int Channels>
  void set(int skipped, const Lanes (*mix)[Channels], const Lanes* inv_sigma) {
    for (std::size_t b = 0; b + 1 < Channels; ++b) {
      for (int c = skipped; c < Channels; ++c) in[b][c - skipped] = mix[b][c] * inv_sigma[b];
    }
  }
  Lanes in[kMostBands][kMostBands + 1];
};

template <int States>
class SharedOrder {
 public:
  SharedOrder(const Series& series, const Trials& trials, Ties ties,
              std::span<const std::uint8_t> ignored = {})
      : scales(series.bands, trials),
        order_(in_order(series, trials.coherent[0].lag, ties, ignored)) {}

  std::size_t size() const { return order_.size(); }
  bool has_ties() const { return order_.has_ties; }
  const Ordered& order() const { return order_; }
  bool is_used(std::size_t i) const { return order_.ignored.empty() || order_.ignored[i] == 0; }
  HWY_INLINE Lanes x(std::size_t i, int process) const {
    return time_in_tau(order_.dt[i], scales.inv_tau[process]);
  }
  HWY_INLINE Epoch<Lanes, States> at(std::size_t i) const {
    const std::size_t b = order_.band[i];
    return {Lanes(order_.y[i]) * scales.inv_sigma[b],
            Lanes(order_.var[i]) * scales.inv_var[b] + scales.jitter2[b],
            scales.ratio[States > 1 ? b : 0], static_cast<int>(b) + 1};
  }
  template <int Channels>
  HWY_INLINE void channels(std::size_t i, const Epoch<Lanes, States>& epoch, Lanes* out) const {
    for (int c = 0; c < Channels; ++c) out[c] = levels.in[order_.band[i]][c];
    out[Channels - 1] = out[Channels - 1] + epoch.z;
  }
  // Adds to the sum of the epoch's band.
  HWY_INLINE void add(Lanes* sums, std::size_t i, Lanes value) const {
    sums[order_.band[i]] = sums[order_.band[i]] + value;
  }

  Scales<States> scales;
  BandLevels levels;

 private:
  Ordered order_;
};

// Of model M with other lags in each lane: the epochs of the lanes side by side.
class OwnOrders {
 public:
  OwnOrders(const Series& series, const Trials& trials, Ties ties)
      : scales(series.bands, trials),
        bands_(series.bands),
        size_(series.size()),
        epochs_(scratch<Scratch::Epochs, Side>(size_)) {
    for (std::size_t l = 0; l < kLanes; ++l) {
      const std::size_t trial = std::min(l, trials.size() - 1);
      const Ordered order = in_order(series, trials.coherent[trial].lag, ties);
      has_ties_ = has_ties_ || order.has_ties;
      for (std::size_t i = 0; i < size_; ++i) {
        epochs_[i].dt[l] = order.dt[i];
        epochs_[i].y[l] = order.y[i];
        epochs_[i].var[l] = order.var[i];
        epochs_[i].band[l] = order.band[i];
      }
    }
    for (std::size_t i = 0; i < size_; ++i) {
      Side& side = epochs_[i];
      (Lanes(side.y) * of_band(i, scales.inv_sigma)).store(side.y);
      (Lanes(side.var) * of_band(i, scales.inv_var) + of_band(i, scales.jitter2)).store(side.var);
    }
  }

  std::size_t size() const { return size_; }
  bool has_ties() const { return has_ties_; }
  bool is_used(std::size_t) const { return true; }
  HWY_INLINE Lanes x(std::size_t i, int) const {
    return min(Lanes(epochs_[i].dt) * scales.inv_tau[0], Lanes(kForgotten));
  }
  HWY_INLINE Epoch<Lanes, 1> at(std::size_t i) const {
    return {Lanes(epochs_[i].y), Lanes(epochs_[i].var), Lanes(0.0), 0};
  }
  template <int Channels>
  HWY_INLINE void channels(std::size_t i, const Epoch<Lanes, 1>& epoch, Lanes* out) const {
    for (int c = 0; c < Channels; ++c) out[c] = levels.in[0][c];
    const Lanes band(epochs_[i].band);
    for (std::size_t b = 1; b < bands_; ++b) {
      const LaneMask here = equal(band, Lanes(static_cast<double>(b)));
      for (int c = 0; c < Channels; ++c) out[c] = select(here, levels.in[b][c], out[c]);
    }
    out[Channels - 1] = out[Channels - 1] + epoch.z;
  }
  HWY_INLINE void add(Lanes* sums, std::size_t i, Lanes value) const {
    const Lanes band(epochs_[i].band);
    for (std::size_t b = 0; b < bands_; ++b) {
      const LaneMask here = equal(band, Lanes(static_cast<double>(b)));
      sums[b] = sums[b] + select(here, value, Lanes(0.0));
    }
  }

  Scales<1> scales;
  BandLevels levels;

 private:
  struct Side {
    double dt[kLanes], y[kLanes], var[kLanes];  // y and var soon in units of sigma
    double band[kLanes];
  };
  HWY_INLINE Lanes of_band(std::size_t i, const Lanes* values) const {
    const Lanes band(epochs_[i].band);
    Lanes out = values[0];
    for (std::size_t b = 1; b < bands_; ++b)
      out = select(equal(band, Lanes(static_cast<double>(b))), values[b], out);
    return out;
  }

  std::size_t bands_, size_;
  Side* epochs_;
  bool has_ties_ = false;
};
