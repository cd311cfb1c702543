// The recursions behind the likelihood and the leave-one-out predictions: the only place with their
// formulas. `Real` is double or a vector of doubles (one lane per light curve, or per trial of it);
// this file is included once per instruction set, inside that set's namespace.
//
// Real needs arithmetic, a constructor from double, and: expm1_of_minus, log, min, less -> Mask,
// either(mask, mask), select(mask, a, b), widened. Constructors are written out, because generated
// ones are not compiled for the instruction set.

// The process between two epochs: correlation a, a^2, and q = 1 - a^2 without cancellation for
// short steps (which matters where sigma is far above the errors).
template <class Real>
struct Step {
  Real x, a, a2, q;
  // x = dt / tau, e = exp(-x) - 1. x stays finite: see kForgotten.
  Step(Real x_, Real e) : x(x_), a(e + 1.0), a2(a * a), q(Real(0.0) - e * (e + 2.0)) {}
};

// Beyond this many tau the past has no influence (e^-50 = 2e-22); the cap avoids denormals.
inline constexpr double kForgotten = 50;

template <class Real>
HWY_INLINE Real time_in_tau(double dt, Real inv_tau) {
  return min(inv_tau * Real(dt), Real(kForgotten));
}

template <class Real>
HWY_INLINE Step<Real> step_over(double dt, Real inv_tau) {
  const Real x = time_in_tau(dt, inv_tau);
  return {x, expm1_of_minus(x)};
}

// Sum of logarithms: factors between 1e-38 and 1e38 are multiplied, eight per logarithm, in double
// precision whatever Real is.
template <class Real>
class LogSum {
 public:
  HWY_INLINE LogSum() : product_(1.0), sum_(0.0) {}
  HWY_INLINE void add(Real value) {
    product_ = product_ * widened(value);
    if (++count_ == 8) flush();
  }
  HWY_INLINE void add_logarithm(Real value) { sum_ = sum_ + value; }
  HWY_INLINE Real total() {
    flush();
    return Real(sum_);
  }

 private:
  using Wide = decltype(widened(Real(1.0)));
  HWY_INLINE void flush() {
    sum_ = sum_ + log(product_);
    product_ = Wide(1.0);
    count_ = 0;
  }
  Wide product_, sum_;
  int count_ = 0;
};

// Channel 0 is the data, channel 1 (profiled mean) a constant 1: the innovations of y - mu are
// those of y minus mu times those of 1, so that mu follows from the sums.
constexpr int pair_count(int channels) {
  return channels * (channels + 1) / 2;
}

// NP: number of parameters (ln sigma, ln tau, ln jitter) with derivatives.
template <class Real, int NP, int Channels, bool Informed = true>
struct Sums {
  static constexpr int kInformation = Informed ? NP * (NP + 1) / 2 : 0;
  HWY_INLINE Sums() : quad{}, minus_dquad{}, dlogdet{}, information{} {}
  Real quad[pair_count(Channels)];  // sum v_c v_d / S: 00, then 01, 11
  Real minus_dquad[pair_count(Channels)][NP + 1];
  Real dlogdet[NP + 1];
  Real information[kInformation + 1];  // by rows of the lower triangle
  LogSum<Real> logdet;
};

// The variance of the process as a quotient, so that the next epoch does not wait for a division.
// The divisor is the product of the variances S of the epochs, whose logarithm is wanted anyway.
// For double precision; S within 1e-34 and 1e34.
template <class Real>
class Quotient {
 public:
  static constexpr bool kUsable = sizeof(Real) == sizeof(widened(Real(1.0)));
  HWY_INLINE explicit Quotient(Real var) : dividend_(var), divisor_(1.0) {}
  // Adds an epoch unless it is omitted; returns 1 / S. `fresh`: the variance that the process
  // gains in the step.
  template <bool Masked, class Mask>
  HWY_INLINE Real take(Real a2, Real fresh, Real r, Mask omit) {
    const Real moved = a2 * dividend_ + fresh * divisor_;
    const Real product = moved + r * divisor_;
    const Real inv_s = divisor_ / product;
    dividend_ = r * moved;
    if constexpr (Masked) {
      dividend_ = select(omit, moved, dividend_);
      divisor_ = select(omit, divisor_, product);
    } else {
      divisor_ = product;
    }
    return inv_s;
  }
  HWY_INLINE void pass(Real a2, Real fresh) { dividend_ = a2 * dividend_ + fresh * divisor_; }
  // At most eight epochs apart. Returns the product of S since the last time.
  HWY_INLINE Real reduce() {
    const Real product = divisor_;
    dividend_ = dividend_ / product;
    divisor_ = Real(1.0);
    return product;
  }

 private:
  Real dividend_, divisor_;
};

template <class Real, int NP, int Channels>
class Filter {
 public:
  HWY_INLINE Filter(Real sigma2, Real jitter2)
      : s2_(sigma2),
        twice_s2_(sigma2 + sigma2),
        j2_(jitter2),
        var_(sigma2),
        quotient_(sigma2),
        dvar_{},
        mean_{},
        dmean_{} {
    if constexpr (NP > 0) dvar_[0] = twice_s2_;
  }

  // Adds an epoch. It is skipped where `omit` is set; an innovation whose square exceeds `cap`
  // (> 0) times its variance counts as `cap` and does not update the state.
  template <bool Masked, class Mask, bool Informed>
  HWY_INLINE void take(const Step<Real>& step, Real y, Real error_variance, Mask omit, Real cap,
                       Sums<Real, NP, Channels, Informed>& sums) {
    const Real r = error_variance + j2_;
    const Real fresh = s2_ * step.q, predicted = step.a2 * var_ + fresh;
    Real s, inv_s;
    if constexpr (kByQuotient) {
      inv_s = quotient_.template take<Masked>(step.a2, fresh, r, omit);
      if (++count_ % 8 == 0) sums.logdet.add_logarithm(log(quotient_.reduce()));
    } else {
      s = predicted + r;
      inv_s = Real(1.0) / s;
    }
    Real loss = r * inv_s;  // 1 - gain
    if constexpr (Masked) {
      Mask passed = omit;
      if constexpr (NP == 0) {
        const Real v = y - step.a * mean_[0];
        const Mask beyond = less(cap, v * v * inv_s);
        sums.quad[0] = sums.quad[0] + select(either(beyond, omit), select(omit, 0.0, cap), 0.0);
        passed = either(passed, beyond);
      }
      if constexpr (!kByQuotient) s = select(omit, 1.0, s);
      inv_s = select(passed, 0.0, inv_s);
      loss = select(passed, 1.0, loss);
    }
    const Real gain = predicted * inv_s;
    if constexpr (!kByQuotient) sums.logdet.add(s);

    Real ds[NP + 1], dgain[NP + 1];
    variance_derivatives(step, inv_s, gain, loss, ds, dgain);

    Real v[Channels], minus_dv[Channels][NP + 1];
    for (int c = 0; c < Channels; ++c) {
      const Real expected = step.a * mean_[c];
      v[c] = (c == 0 ? y : Real(1.0)) - expected;
      mean_[c] = expected + gain * v[c];
      for (int p = 0; p < NP; ++p) {
        Real de = step.a * dmean_[c][p];  // of the expected value; minus that of v
        if (p == 1) de = de + step.x * expected;
        minus_dv[c][p] = de;
        dmean_[c][p] = loss * de + dgain[p] * v[c];
      }
    }
    add(v, minus_dv, ds, inv_s, sums);
    var_ = loss * predicted;
  }
  template <bool Informed>
  HWY_INLINE void finish(Sums<Real, NP, Channels, Informed>& sums) {
    if constexpr (kByQuotient) sums.logdet.add_logarithm(log(quotient_.reduce()));
  }

 private:
  // A likelihood with cap needs S in every step; single precision lacks the range.
  static constexpr bool kByQuotient = NP > 0 && Quotient<Real>::kUsable;

  HWY_INLINE void variance_derivatives(const Step<Real>& step, Real inv_s, Real gain, Real loss,
                                       Real* ds, Real* dgain) {
    for (int p = 0; p < NP; ++p) {
      Real d = step.a2 * dvar_[p];
      if (p == 0) d = d + twice_s2_ * step.q;
      if (p == 1) d = d + (step.x + step.x) * step.a2 * (var_ - s2_);
      if (p < 2) {
        const Real after = loss * d;
        ds[p] = d;
        dgain[p] = after * inv_s;
        dvar_[p] = loss * after;
      } else {
        const Real dr = j2_ * 2.0;
        ds[p] = d + dr;
        dgain[p] = (loss * d - gain * dr) * inv_s;
        dvar_[p] = loss * loss * d + gain * gain * dr;
      }
    }
  }

  template <bool Informed>
  HWY_INLINE static void add(const Real* v, const Real (*minus_dv)[NP + 1], const Real* ds,
                             Real inv_s, Sums<Real, NP, Channels, Informed>& sums) {
    Real scaled[Channels], relative[NP + 1];  // v / S, dS / S
    for (int c = 0; c < Channels; ++c) scaled[c] = v[c] * inv_s;
    for (int p = 0; p < NP; ++p) relative[p] = ds[p] * inv_s;
    int k = 0;
    for (int c = 0; c < Channels; ++c) {
      for (int d = 0; d <= c; ++d, ++k) {
        const Real vv = scaled[c] * v[d];
        sums.quad[k] = sums.quad[k] + vv;
        for (int p = 0; p < NP; ++p) {
          Real& sum = sums.minus_dquad[k][p];
          sum = sum + vv * relative[p];
          if (c == d) {
            sum = sum + (scaled[c] + scaled[c]) * minus_dv[c][p];
          } else {
            sum = sum + scaled[c] * minus_dv[d][p];
            sum = sum + scaled[d] * minus_dv[c][p];
          }
        }
      }
    }
    for (int p = 0; p < NP; ++p) sums.dlogdet[p] = sums.dlogdet[p] + relative[p];
    if constexpr (Informed) {
      k = 0;
      for (int p = 0; p < NP; ++p) {
        const Real by_mean = minus_dv[0][p] * inv_s, by_variance = relative[p] * 0.5;
        for (int q = 0; q <= p; ++q, ++k) {
          sums.information[k] = sums.information[k] + by_variance * relative[q];
          sums.information[k] = sums.information[k] + by_mean * minus_dv[0][q];
        }
      }
    }
  }

  Real s2_, twice_s2_, j2_;
  Real var_;  // of the process given the epochs so far
  Quotient<Real> quotient_;
  int count_ = 0;
  Real dvar_[NP + 1];
  Real mean_[Channels];
  Real dmean_[Channels][NP + 1];
};

// The prediction of the process at an epoch from the epochs on one side, for each channel.
template <class Real, int Channels>
struct Message {
  HWY_INLINE explicit Message(Real prior) : mean{}, var(prior) {}
  Real mean[Channels];
  Real var;
};

// Carries a message from epoch to epoch.
template <class Real, int Channels>
class Messenger {
 public:
  HWY_INLINE explicit Messenger(Real prior) : at_(prior), prior_(prior), quotient_(prior) {}
  HWY_INLINE const Message<Real, Channels>& at() const { return at_; }

  // To the next epoch, which is then taken or passed.
  HWY_INLINE void move(const Step<Real>& step) {
    a2_ = step.a2;
    fresh_ = prior_ * step.q;
    for (int c = 0; c < Channels; ++c) at_.mean[c] = at_.mean[c] * step.a;
    at_.var = a2_ * at_.var + fresh_;
  }
  // Returns 1 / S.
  HWY_INLINE Real take(Real y, Real error_variance) {
    Real inv_s;
    if constexpr (Quotient<Real>::kUsable) {
      if (++count_ % 8 == 0) logdet_.add_logarithm(log(quotient_.reduce()));
      inv_s = quotient_.template take<false>(a2_, fresh_, error_variance, false);
    } else {
      const Real s = at_.var + error_variance;
      logdet_.add(s);
      inv_s = Real(1.0) / s;
    }
    const Real gain = at_.var * inv_s;
    for (int c = 0; c < Channels; ++c)
      at_.mean[c] = at_.mean[c] + gain * ((c == 0 ? y : Real(1.0)) - at_.mean[c]);
    at_.var = error_variance * gain;
    return inv_s;
  }
  HWY_INLINE void pass() { quotient_.pass(a2_, fresh_); }
  // Sum of ln S.
  HWY_INLINE Real logdet() {
    if constexpr (Quotient<Real>::kUsable) logdet_.add_logarithm(log(quotient_.reduce()));
    return logdet_.total();
  }

 private:
  Message<Real, Channels> at_;
  Real prior_, a2_, fresh_;
  Quotient<Real> quotient_;
  LogSum<Real> logdet_;
  int count_ = 0;
};

// An epoch predicted from all the rest.
template <class Real>
struct Seen {
  Real residual, var;  // value - prediction; its variance
};

// Combines both sides minus the prior (variance 1 / inv_s2), which both contain. With K the
// covariance, known-mean predictions give (K^-1 y)_j and (K^-1)_jj; estimating the mean, which the
// sweep found to be `level` with variance `level_var`, replaces K^-1 by K^-1 - K^-1 1 1' K^-1 / (1'
// K^-1 1) (cf. Rasmussen & Williams 2006, eq. 5.12). For an epoch not used in `level` only the
// level's variance is added.
template <class Real, int Channels>
HWY_INLINE Seen<Real> from_both_sides(const Message<Real, Channels>& before,
                                      const Message<Real, Channels>& after, Real inv_s2, Real y,
                                      Real r, Real level, Real level_var, bool in_level) {
  // The variance is 1 / (1 / before + 1 / after - 1 / s2), by one division.
  const Real a = before.var, b = after.var;
  const Real weight = Real(1.0) / (a + b * (Real(1.0) - a * inv_s2));
  const Real process = a * b * weight;
  Real rest[Channels];  // value - prediction, for mean 0
  for (int c = 0; c < Channels; ++c)
    rest[c] = (c == 0 ? y : Real(1.0)) - weight * (before.mean[c] * b + after.mean[c] * a);
  Real var = process + r, residual = rest[0];
  if constexpr (Channels == 2) {
    const Real by_level = rest[1] * rest[1] * level_var;
    residual = rest[0] - level * rest[1];
    if (in_level) {
      const Real growth = Real(1.0) / (Real(1.0) - by_level / var);
      residual = residual * growth;
      var = var * growth;
    } else {
      var = var + by_level;
    }
  }
  return {residual, var};
}
