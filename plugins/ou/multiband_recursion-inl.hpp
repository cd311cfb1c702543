// The formulas of the multi-band likelihood: sweeps over all epochs, forward and back. Included
// once per instruction set, like ou_recursion-inl.hpp, which comes first and says what `Real`
// needs.
//
// Everything is in units of the sigma of an epoch's band: the processes have variance 1, and an
// epoch shows z = (y - mean) / sigma = h'x + noise. The state x is the common process (States = 1,
// model M, h = 1) or that and one process a band (States = 1 + bands, model M2), of which an epoch
// shows that of its band, times the band's ratio.
//
// A sweep runs over several channels of data at once. Those of the first sweep are a constant 1 mag
// in each band whose mean is to be estimated and, last, the magnitudes: the means follow from the
// products of their innovations. Those of the later sweeps are combinations of them: see Means.

template <int States>
inline constexpr int kProcesses = States == 1 ? 1 : 2;  // with a damping time each

template <class Real, int N>
struct Symmetric {
  HWY_INLINE Symmetric() : v{} {}
  HWY_INLINE Real& operator()(int j, int k) { return v[place(j, k)]; }
  HWY_INLINE const Real& operator()(int j, int k) const { return v[place(j, k)]; }
  Real v[pair_count(N)];

 private:
  static HWY_INLINE int place(int j, int k) {
    return j < k ? k * (k + 1) / 2 + j : j * (j + 1) / 2 + k;
  }
};

template <class Real, int N>
HWY_INLINE Real dot(const Real* a, const Real* b) {
  Real sum = a[0] * b[0];
  for (int j = 1; j < N; ++j) sum = sum + a[j] * b[j];
  return sum;
}

// The step to an epoch from the one before.
template <class Real, int States>
struct Decay {
  HWY_INLINE Decay() : change{} {}
  HWY_INLINE Real of(int state) const { return change[process(state)] + 1.0; }
  HWY_INLINE Real variance(int state) const {  // 1 - decay^2 without cancellation
    const Real e = change[process(state)];
    return Real(0.0) - e * (e + 2.0);
  }
  Real change[kProcesses<States>];  // exp(-dt / tau) - 1

 private:
  static HWY_INLINE int process(int state) { return state == 0 ? 0 : kProcesses<States> - 1; }
};

template <class Real, int States>
struct Epoch {
  Real z, noise;  // in units of sigma; variance of the noise
  Real ratio;
  int own;  // the place in the state of the process of the epoch's band

  HWY_INLINE Real shown(const Real* x) const {  // h'x
    if constexpr (States == 1)
      return x[0];
    else
      return x[0] + ratio * x[own];
  }
  HWY_INLINE void shown(const Symmetric<Real, States>& m, Real* out) const {  // m h
    for (int j = 0; j < States; ++j) {
      out[j] = m(j, 0);
      if constexpr (States > 1) out[j] = out[j] + ratio * m(j, own);
    }
  }
};

// What the first sweep leaves at each epoch for the later ones.
template <class Real, int States>
struct Moment {
  HWY_INLINE Moment() {}
  Decay<Real, States> decay;
  Symmetric<Real, States> var;  // of the state, predicted from the epochs before
  Real inv_s;                   // 1 / variance of the innovation; 0: the epoch is not used
  // How much of an innovation enters the state.
  HWY_INLINE void gain(const Epoch<Real, States>& epoch, Real* out) const {
    epoch.shown(var, out);
    for (int j = 0; j < States; ++j) out[j] = out[j] * inv_s;
  }
};

template <class Real, int States>
class Variance {
 public:
  HWY_INLINE Variance() {
    for (int j = 0; j < States; ++j) p_(j, j) = Real(1.0);
  }
  HWY_INLINE void move(const Decay<Real, States>& decay) {
    for (int j = 0; j < States; ++j) {
      for (int k = 0; k <= j; ++k) p_(j, k) = p_(j, k) * (decay.of(j) * decay.of(k));
      p_(j, j) = p_(j, j) + decay.variance(j);
    }
  }
  // shown = p h, of which `gain` is inv_s.
  HWY_INLINE void learn(const Real* shown, const Real* gain, Real noise, Real inv_s) {
    if constexpr (States == 1) {
      p_(0, 0) = (p_(0, 0) * noise) * inv_s;
    } else {
      for (int j = 0; j < States; ++j)
        for (int k = 0; k <= j; ++k) p_(j, k) = p_(j, k) - gain[j] * shown[k];
    }
  }
  const Symmetric<Real, States>& value() const { return p_; }

 private:
  Symmetric<Real, States> p_;
};

// The state's mean in each channel.
template <class Real, int States, int Channels>
struct Levels {
  HWY_INLINE Levels() : at{} {}
  HWY_INLINE void move(const Decay<Real, States>& decay) {
    for (int j = 0; j < States; ++j) {
      const Real a = decay.of(j);
      for (int c = 0; c < Channels; ++c) at[c][j] = at[c][j] * a;
    }
  }
  Real at[Channels][States];
};

template <class Real, int Channels>
struct Products {
  HWY_INLINE Products() {}
  Symmetric<Real, Channels> sums;  // of v_c v_d / S over the innovations v
  LogSum<Real> logdet;             // of S
};

// `epochs` gives Epochs, what each channel shows at them, and x = dt / tau of the step to each.
template <class Real, int States, int Channels, class Epochs>
Products<Real, Channels> sweep_forward(const Epochs& epochs, Moment<Real, States>* moments) {
  Products<Real, Channels> products;
  Variance<Real, States> var;
  Levels<Real, States, Channels> mean;
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    const Epoch<Real, States> epoch = epochs.at(i);
    Decay<Real, States> decay;
    for (int p = 0; p < kProcesses<States>; ++p) decay.change[p] = expm1_of_minus(epochs.x(i, p));
    var.move(decay);
    mean.move(decay);
    const bool used = epochs.is_used(i);
    Real shown[States], gain[States];
    epoch.shown(var.value(), shown);
    const Real s = epoch.shown(shown) + epoch.noise;
    const Real inv_s = used ? Real(1.0) / s : Real(0.0);
    if (moments != nullptr) {
      moments[i].decay = decay;
      moments[i].var = var.value();
      moments[i].inv_s = inv_s;
    }
    if (!used) continue;
    products.logdet.add(s);
    for (int j = 0; j < States; ++j) gain[j] = shown[j] * inv_s;
    Real v[Channels];
    epochs.template channels<Channels>(i, epoch, v);
    for (int c = 0; c < Channels; ++c) {
      v[c] = v[c] - epoch.shown(mean.at[c]);
      for (int j = 0; j < States; ++j) mean.at[c][j] = mean.at[c][j] + gain[j] * v[c];
    }
    for (int c = 0; c < Channels; ++c) {
      const Real scaled = v[c] * inv_s;
      for (int d = 0; d <= c; ++d) products.sums(c, d) = products.sums(c, d) + scaled * v[d];
    }
    var.learn(shown, gain, epoch.noise, inv_s);
  }
  return products;
}

// The means as estimated from the sums of products, by L D L': with H the constants of the bands
// and K the covariance, H'K^-1 H = L D L'. Channels for the later sweeps are the columns of H
// L'^-1, which are orthogonal under K^-1, and last y - H mean.
template <class Real, int Channels>
struct Means {
  Real weight[Channels];         // of a later channel: 1 / D; of the last: 1
  Real mix[Channels][Channels];  // a later channel (second) as a sum of first ones
  Real chi2, log_information;    // ln det H'K^-1 H
  HWY_INLINE Means() : mix{} {}

  void estimate(const Symmetric<Real, Channels>& sums) {
    Real pivot[Channels];
    Real lower[Channels][Channels];
    LogSum<Real> logs;
    for (int c = 0; c < Channels; ++c) {
      for (int d = 0; d <= c; ++d) {
        Real rest = sums(c, d);
        for (int k = 0; k < d; ++k) rest = rest - lower[c][k] * lower[d][k] * pivot[k];
        if (c == d)
          pivot[c] = rest;
        else
          lower[c][d] = rest * weight[d];
      }
      if (c + 1 < Channels) {
        weight[c] = Real(1.0) / pivot[c];
        logs.add(pivot[c]);
      }
    }
    weight[Channels - 1] = Real(1.0);
    chi2 = pivot[Channels - 1];
    log_information = logs.total();
    for (int k = 0; k < Channels; ++k) {  // column k of L'^-1
      mix[k][k] = Real(1.0);
      for (int c = k; c-- > 0;) {
        for (int d = c + 1; d <= k; ++d) mix[c][k] = mix[c][k] - lower[d][c] * mix[d][k];
      }
    }
  }
  HWY_INLINE Real mean(int band) const { return Real(0.0) - mix[band][Channels - 1]; }
  HWY_INLINE Real mean_var(int band) const {
    Real sum;
    for (int k = band; k + 1 < Channels; ++k) sum = sum + mix[band][k] * mix[band][k] * weight[k];
    return sum;
  }
};

// The predicted state in other channels, with what the first sweep found.
template <class Real, int States, int Channels, class Epochs>
void sweep_again(const Epochs& epochs, const Moment<Real, States>* moments,
                 Levels<Real, States, Channels>* predicted) {
  Levels<Real, States, Channels> mean;
  for (std::size_t i = 0; i < epochs.size(); ++i) {
    mean.move(moments[i].decay);
    predicted[i] = mean;
    if (!epochs.is_used(i)) continue;
    const Epoch<Real, States> epoch = epochs.at(i);
    Real gain[States], v[Channels];
    moments[i].gain(epoch, gain);
    epochs.template channels<Channels>(i, epoch, v);
    for (int c = 0; c < Channels; ++c) {
      v[c] = v[c] - epoch.shown(mean.at[c]);
      for (int j = 0; j < States; ++j) mean.at[c][j] = mean.at[c][j] + gain[j] * v[c];
    }
  }
}

// An epoch in the sweep back. With K the covariance and r what a channel shows:
template <class Real, int Channels>
struct Found {
  HWY_INLINE Found() {}
  Real u[Channels];     // (K^-1 r)_i
  Real d;               // (K^-1)_ii
  Real rest[Channels];  // r_i - h'x given all used epochs
  Real signal_var;      // of that h'x
};

// Derivatives of -1/2 (sum of weight r'K^-1 r + ln det K) by what acts at one epoch.
template <class Real, int States>
struct Slopes {
  HWY_INLINE Slopes() {}
  Real ln_sigma, noise, ln_ratio;  // of the epoch's band
  Real x[kProcesses<States>];      // dt / tau of the step to here
};

// The sweep back, one epoch at a time: `pull_` and `curb_` are the derivatives of the
// log-likelihood of the later epochs by the state's mean, and minus those by it twice (Bryson &
// Frazier 1963).
template <class Real, int States, int Channels>
class Back {
 public:
  HWY_INLINE Back() : pull_{} {}

  HWY_INLINE void take(const Epoch<Real, States>& epoch, const Moment<Real, States>& moment,
                       const Levels<Real, States, Channels>& predicted, const Real* channels,
                       const Real* weight, bool used, Found<Real, Channels>& found,
                       Slopes<Real, States>& slopes) {
    Real shown[States], gain[States], turned[States];
    epoch.shown(moment.var, shown);
    for (int j = 0; j < States; ++j) gain[j] = shown[j] * moment.inv_s;
    for (int j = 0; j < States; ++j) {
      turned[j] = curb_(j, 0) * gain[0];
      for (int k = 1; k < States; ++k) turned[j] = turned[j] + curb_(j, k) * gain[k];
    }
    const Real late = dot<Real, States>(gain, turned);
    found.d = moment.inv_s + late;

    Real by_sigma, by_noise, by_ratio;
    for (int c = 0; c < Channels; ++c) {
      const Real* m = predicted.at[c];
      Real* pull = pull_[c];
      const Real v = channels[c] - epoch.shown(m);
      const Real u = v * moment.inv_s - dot<Real, States>(gain, pull);
      pull[0] = pull[0] + u;
      if constexpr (States > 1) pull[epoch.own] = pull[epoch.own] + epoch.ratio * u;
      const Real update = dot<Real, States>(shown, pull);
      found.u[c] = u;
      found.rest[c] = v - update;
      by_sigma = by_sigma + weight[c] * u * (channels[c] - found.rest[c]);
      by_noise = by_noise + weight[c] * u * u;
      if constexpr (States > 1) {
        Real own = m[epoch.own];
        for (int k = 0; k < States; ++k) own = own + moment.var(epoch.own, k) * pull[k];
        by_ratio = by_ratio + weight[c] * u * own;
      }
    }
    const Real variance = epoch.shown(shown);
    slopes.ln_sigma = by_sigma - variance * moment.inv_s + epoch.noise * late;
    slopes.noise = by_noise - found.d;
    if constexpr (States > 1) {
      Real own = shown[epoch.own] * found.d;
      for (int k = 0; k < States; ++k) own = own - moment.var(epoch.own, k) * turned[k];
      slopes.ln_ratio = epoch.ratio * (by_ratio - own);
    }
    if (used) curb(epoch, moment, turned, found.d);
    found.signal_var = variance;
    for (int j = 0; j < States; ++j)
      for (int k = 0; k < States; ++k)
        found.signal_var = found.signal_var - shown[j] * curb_(j, k) * shown[k];
    by_steps(moment.var, predicted, weight, slopes.x);

    for (int j = 0; j < States; ++j) {
      for (int c = 0; c < Channels; ++c) pull_[c][j] = pull_[c][j] * moment.decay.of(j);
      for (int k = 0; k <= j; ++k)
        curb_(j, k) = curb_(j, k) * (moment.decay.of(j) * moment.decay.of(k));
    }
  }

 private:
  HWY_INLINE void curb(const Epoch<Real, States>& epoch, const Moment<Real, States>& moment,
                       const Real* turned, Real d) {
    if constexpr (States == 1) {
      const Real loss = epoch.noise * moment.inv_s;
      curb_(0, 0) = curb_(0, 0) * loss * loss + moment.inv_s;
    } else {
      const int own = epoch.own;
      for (int j = 0; j < States; ++j) {
        curb_(j, 0) = curb_(j, 0) - turned[j];
        curb_(j, own) = curb_(j, own) - epoch.ratio * turned[j];
      }
      curb_(0, 0) = curb_(0, 0) - turned[0] + d;
      curb_(own, own) = curb_(own, own) + epoch.ratio * (epoch.ratio * d - turned[own]);
      curb_(own, 0) = curb_(own, 0) + epoch.ratio * d;
    }
  }

  HWY_INLINE void by_steps(const Symmetric<Real, States>& var,
                           const Levels<Real, States, Channels>& predicted, const Real* weight,
                           Real* by_x) const {
    for (int p = 0; p < kProcesses<States>; ++p) by_x[p] = Real(0.0);
    for (int j = 0; j < States; ++j) {
      Real& by_own = by_x[j == 0 ? 0 : kProcesses<States> - 1];
      for (int k = 0; k <= j; ++k) {
        Real bend = Real(0.0) - curb_(j, k);
        for (int c = 0; c < Channels; ++c) bend = bend + weight[c] * pull_[c][j] * pull_[c][k];
        if (j == k) {
          by_own = by_own + bend * (Real(1.0) - var(j, j));
        } else {
          const Real slope = bend * var(j, k);
          by_own = by_own - slope;
          Real& by_other = by_x[k == 0 ? 0 : kProcesses<States> - 1];
          by_other = by_other - slope;
        }
      }
      for (int c = 0; c < Channels; ++c)
        by_own = by_own - weight[c] * pull_[c][j] * predicted.at[c][j];
    }
  }

  Real pull_[Channels][States];
  Symmetric<Real, States> curb_;
};

// Calls visit(i, epoch, found, slopes) for each epoch, the last first.
template <class Real, int States, int Channels, class Epochs, class Visit>
void sweep_back(const Epochs& epochs, const Moment<Real, States>* moments,
                const Levels<Real, States, Channels>* predicted, const Real* weight,
                const Visit& visit) {
  Back<Real, States, Channels> back;
  for (std::size_t i = epochs.size(); i-- > 0;) {
    const Epoch<Real, States> epoch = epochs.at(i);
    Real channels[Channels];
    epochs.template channels<Channels>(i, epoch, channels);
    Found<Real, Channels> found;
    Slopes<Real, States> slopes;
    back.take(epoch, moments[i], predicted[i], channels, weight, epochs.is_used(i), found, slopes);
    visit(i, epoch, found, slopes);
  }
}
