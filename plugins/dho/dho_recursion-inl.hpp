// The Kalman recursion behind the likelihood: the only place with its formulas. Every lane is an
// oscillator of its own, all see the same light curve. Included once per instruction set, inside
// that set's namespace, after dho_lanes-inl.hpp.
//
// Parameters with derivatives: ln sigma, ln omega_0, ln xi, and the angle theta by which the state
// is rotated, tan theta = omega_0 tau_perturb; so the step over time does not depend on the first
// and the last but by a rotation.
enum { kOfSigma, kOfOmega, kOfXi, kOfTheta };

// Beyond this many e-foldings the past has no influence (e^-50 = 2e-22); the cap avoids denormals.
inline constexpr double kForgotten = 50;

struct Oscillator {
  HWY_INLINE Oscillator() {}
  Lanes sigma2, omega, xi;
  Lanes kk, per_kk;  // xi^2 - 1
  Lanes k, per_k;    // sqrt |kk|
  Lanes slow;        // the slower of the two rates, in units of omega
  Lanes cos2, sin2;  // of 2 theta
  LaneMask over;     // overdamped, kk > 0
  bool some_over, some_under;
};

// e^(-xi x) times C = cosh(k x) and S = sinh(k x) / k (cos and sin below critical damping), and
// lost = 1 - e^(-2 xi x), a time x / omega later; their derivatives by ln omega and ln xi.
struct Motion {
  HWY_INLINE Motion() {}
  Lanes c, s, lost;
  Lanes c_omega, s_omega, c_xi, s_xi, lost_either;
};

HWY_INLINE void move_overdamped(const Oscillator& o, Lanes x, Lanes e, Motion& m) {
  const Lanes change = expm1_of_minus(min((o.k + o.k) * x, 2 * kForgotten)), e_change = e * change;
  m.c = select(o.over, e + e_change * 0.5, m.c);
  m.s = select(o.over, e_change * o.per_k * -0.5, m.s);
  m.lost = select(o.over, m.lost * (change + 1.0) - change, m.lost);
}

// No digits are lost near critical damping, xi = 1, nor for short steps.
template <int NP>
HWY_INLINE Motion motion(const Oscillator& o, double dt) {
  const Lanes x = min(o.omega * dt, Lanes(kForgotten) / o.slow);
  const Lanes change = expm1_of_minus(o.slow * x), e = change + 1.0;
  Motion m;
  m.lost = Lanes(0.0) - change * (change + 2.0);
  if (o.some_under) {
    Lanes sine, cosine;
    sine_and_cosine(o.k * x, sine, cosine);
    m.c = e * cosine;
    m.s = e * sine * o.per_k;
  }
  if (o.some_over) move_overdamped(o, x, e, m);
  if constexpr (NP > 0) {
    // (x C - S) / kk, by a series where it cancels.
    const Lanes w = o.kk * x * x;
    const Lanes series = polynomial(w, {4.0 / 18243225, -1382.0 / 638512875, 2.0 / 93555,
                                        -1.0 / 4725, 2.0 / 945, -1.0 / 45, 1.0 / 3});
    const Lanes h = select(less(Lanes::of(hn::Abs(w.v)), 0.05), m.s * x * x * series,
                           (x * m.c - m.s) * o.per_kk);
    m.s_xi = o.xi * (o.xi * h - x * m.s);
    m.c_xi = o.xi * x * (o.xi * m.s - m.c);
    m.s_omega = x * (m.c - o.xi * m.s);
    m.c_omega = x * (o.kk * m.s - o.xi * m.c);
    m.lost_either = (o.xi + o.xi) * x * (Lanes(1.0) - m.lost);
  }
  return m;
}

// From one epoch to the next: the state is multiplied by f, and noise of covariance n is added. The
// state is rotated so that the process is its first component; both have the variance sigma^2.
struct Transition {
  HWY_INLINE Transition() {}
  HWY_INLINE Transition(Lanes f11_, Lanes f12_, Lanes f21_, Lanes f22_, Lanes n11_, Lanes n12_,
                        Lanes n22_)
      : f11(f11_), f12(f12_), f21(f21_), f22(f22_), n11(n11_), n12(n12_), n22(n22_) {}
  Lanes f11, f12, f21, f22, n11, n12, n22;
};

// Derivatives of the transition by one of omega and xi.
HWY_INLINE Transition derivative(const Oscillator& o, Lanes c, Lanes s, Lanes rho, Lanes d_c,
                                 Lanes d_s, Lanes d_rho, Lanes d_lost) {
  const Lanes rho_cos = d_rho * o.cos2, rho_sin = d_rho * o.sin2;
  const Lanes level = o.sigma2 * (d_lost - rho * d_rho * 4.0);
  const Lanes a = o.cos2 * c - o.sin2 * s, d_a = o.cos2 * d_c - o.sin2 * d_s;
  const Lanes b = o.sin2 * c + o.cos2 * s, d_b = o.sin2 * d_c + o.cos2 * d_s;
  const Lanes twice = o.sigma2 + o.sigma2;
  const Lanes along = twice * (d_rho * a + rho * d_a);
  return {d_c + rho_cos, d_s - rho_sin, Lanes(0.0) - d_s - rho_sin,
          d_c - rho_cos, level - along, twice * (d_rho * b + rho * d_b),
          level + along};
}

template <int NP>
HWY_INLINE Transition transition(const Oscillator& o, double dt, Transition (&d)[NP + 1]) {
  const Motion m = motion<NP>(o, dt);
  const Lanes rho = o.xi * m.s, rho_cos = rho * o.cos2, rho_sin = rho * o.sin2;
  const Lanes level = o.sigma2 * (m.lost - rho * rho * 2.0);
  const Lanes twice = (o.sigma2 + o.sigma2) * rho;
  const Lanes along = twice * (o.cos2 * m.c - o.sin2 * m.s);
  const Transition t{m.c + rho_cos, m.s - rho_sin, Lanes(0.0) - m.s - rho_sin,
                     m.c - rho_cos, level - along, twice * (o.sin2 * m.c + o.cos2 * m.s),
                     level + along};
  if constexpr (NP > 0) {
    d[kOfSigma].n11 = t.n11 + t.n11;
    d[kOfSigma].n12 = t.n12 + t.n12;
    d[kOfSigma].n22 = t.n22 + t.n22;
    d[kOfOmega] =
        derivative(o, m.c, m.s, rho, m.c_omega, m.s_omega, o.xi * m.s_omega, m.lost_either);
    d[kOfXi] = derivative(o, m.c, m.s, rho, m.c_xi, m.s_xi, rho + o.xi * m.s_xi, m.lost_either);
    const Lanes by_cos = rho_sin * -2.0, by_sin = rho_cos * -2.0;
    d[kOfTheta] = {by_cos,        by_sin,        by_sin,      Lanes(0.0) - by_cos,
                   t.n12 + t.n12, t.n22 - t.n11, t.n12 * -2.0};
  }
  return t;
}

// Channel 0 is the data, channel 1 (mean fitted) a constant 1: the innovations of y - mu are those
// of y minus mu times those of 1, so that mu follows from the sums.
constexpr int pair_count(int channels) {
  return channels * (channels + 1) / 2;
}

template <int NP, int Channels>
struct Sums {
  HWY_INLINE Sums() : quad{}, minus_dquad{}, dlogdet{}, information{}, with_one{} {}
  Lanes quad[pair_count(Channels)];  // sum v_c v_d / S: 00, then 01, 11
  Lanes minus_dquad[pair_count(Channels)][NP + 1];
  Lanes dlogdet[NP + 1];
  Lanes information[NP * (NP + 1) / 2 + 1];  // of channel 0; lower triangle by rows
  Lanes with_one[NP + 1];                    // sum dv_0 v_1 / S
  LogSum logdet;
};

// The state's covariance is p11 (1, slope) (1, slope)' + rest (0, 1) (0, 1)'. An epoch scales p11
// down and leaves slope and rest unchanged, so no digits are lost, however small its error.
template <int NP, int Channels>
class Filter {
 public:
  HWY_INLINE explicit Filter(Lanes sigma2)
      : m1_{},
        m2_{},
        d_m1_{},
        d_m2_{},
        p11_(sigma2),
        rest_(sigma2),
        d_p11_{},
        d_slope_{},
        d_rest_{} {
    if constexpr (NP > 0) d_p11_[kOfSigma] = d_rest_[kOfSigma] = sigma2 + sigma2;
  }

  HWY_INLINE void go(const Transition& t, const Transition* d) {
    for (int c = 0; c < Channels; ++c) move_mean(t, d, c);
    move_covariance(t, d);
  }

  HWY_INLINE void observe(Lanes y, Lanes error_variance, Sums<NP, Channels>& sums) {
    const Lanes s = p11_ + error_variance, inv_s = Lanes(1.0) / s;
    const Lanes gain = p11_ * inv_s, loss = error_variance * inv_s;
    sums.logdet.add(s);
    Lanes v[Channels], minus_dv[Channels][NP + 1];
    for (int c = 0; c < Channels; ++c) {
      v[c] = (c == 0 ? y : Lanes(1.0)) - m1_[c];
      const Lanes by = gain * v[c];
      for (int p = 0; p < NP; ++p) {
        minus_dv[c][p] = d_m1_[c][p];
        const Lanes d_by = loss * inv_s * d_p11_[p] * v[c] - gain * d_m1_[c][p];
        d_m1_[c][p] = d_m1_[c][p] + d_by;
        d_m2_[c][p] = d_m2_[c][p] + slope_ * d_by + d_slope_[p] * by;
      }
      m1_[c] = m1_[c] + by;
      m2_[c] = m2_[c] + slope_ * by;
    }
    add(v, minus_dv, inv_s, sums);
    for (int p = 0; p < NP; ++p) d_p11_[p] = loss * loss * d_p11_[p];
    p11_ = loss * p11_;
  }

 private:
  HWY_INLINE void move_mean(const Transition& t, const Transition* d, int c) {
    const Lanes a = m1_[c], b = m2_[c];
    for (int p = 0; p < NP; ++p) {
      const Lanes d_a = d_m1_[c][p], d_b = d_m2_[c][p];
      d_m1_[c][p] = t.f11 * d_a + t.f12 * d_b;
      d_m2_[c][p] = t.f21 * d_a + t.f22 * d_b;
      if (p == kOfSigma) continue;
      d_m1_[c][p] = d_m1_[c][p] + d[p].f11 * a + d[p].f12 * b;
      d_m2_[c][p] = d_m2_[c][p] + d[p].f21 * a + d[p].f22 * b;
    }
    m1_[c] = t.f11 * a + t.f12 * b;
    m2_[c] = t.f21 * a + t.f22 * b;
  }

  HWY_INLINE void move_covariance(const Transition& t, const Transition* d) {
    const Lanes a1 = t.f11 + t.f12 * slope_, a2 = t.f21 + t.f22 * slope_;
    const Lanes b1 = p11_ * a1, b2 = p11_ * a2, c1 = rest_ * t.f12, c2 = rest_ * t.f22;
    const Lanes p11 = b1 * a1 + c1 * t.f12 + t.n11, inv_p11 = Lanes(1.0) / p11;
    const Lanes p12 = b1 * a2 + c1 * t.f22 + t.n12;
    const Lanes p22 = b2 * a2 + c2 * t.f22 + t.n22;
    const Lanes slope = p12 * inv_p11;
    for (int p = 0; p < NP; ++p) {
      Lanes d_a1 = t.f12 * d_slope_[p], d_a2 = t.f22 * d_slope_[p];
      Lanes d_p12 = d[p].n12, half_p11(0.0), half_p22(0.0);
      if (p != kOfSigma) {
        d_a1 = d_a1 + d[p].f11 + d[p].f12 * slope_;
        d_a2 = d_a2 + d[p].f21 + d[p].f22 * slope_;
        half_p11 = c1 * d[p].f12;
        half_p22 = c2 * d[p].f22;
        d_p12 = d_p12 + c1 * d[p].f22 + c2 * d[p].f12;
      }
      half_p11 = half_p11 + b1 * d_a1;
      half_p22 = half_p22 + b2 * d_a2;
      d_p12 = d_p12 + b1 * d_a2 + b2 * d_a1 + d_p11_[p] * (a1 * a2) + d_rest_[p] * (t.f12 * t.f22);
      const Lanes d_p11 =
          d[p].n11 + half_p11 + half_p11 + d_p11_[p] * (a1 * a1) + d_rest_[p] * (t.f12 * t.f12);
      const Lanes d_p22 =
          d[p].n22 + half_p22 + half_p22 + d_p11_[p] * (a2 * a2) + d_rest_[p] * (t.f22 * t.f22);
      const Lanes turned = d_p12 - slope * d_p11;
      d_slope_[p] = turned * inv_p11;
      d_rest_[p] = d_p22 - slope * (d_p12 + turned);
      d_p11_[p] = d_p11;
    }
    p11_ = p11;
    slope_ = slope;
    rest_ = p22 - slope * p12;
  }

  HWY_INLINE void add(const Lanes* v, const Lanes (*minus_dv)[NP + 1], Lanes inv_s,
                      Sums<NP, Channels>& sums) const {
    Lanes scaled[Channels], relative[NP + 1];  // v / S, dS / S
    for (int c = 0; c < Channels; ++c) scaled[c] = v[c] * inv_s;
    for (int p = 0; p < NP; ++p) {
      relative[p] = d_p11_[p] * inv_s;
      sums.dlogdet[p] = sums.dlogdet[p] + relative[p];
    }
    int k = 0;
    for (int c = 0; c < Channels; ++c) {
      for (int d = 0; d <= c; ++d, ++k) {
        const Lanes vv = scaled[c] * v[d];
        sums.quad[k] = sums.quad[k] + vv;
        for (int p = 0; p < NP; ++p) {
          const Lanes cross = c == d ? (scaled[c] + scaled[c]) * minus_dv[c][p]
                                     : scaled[c] * minus_dv[d][p] + scaled[d] * minus_dv[c][p];
          sums.minus_dquad[k][p] = sums.minus_dquad[k][p] + (cross + vv * relative[p]);
        }
      }
    }
    k = 0;
    for (int p = 0; p < NP; ++p) {
      const Lanes dv = minus_dv[0][p] * inv_s, half = relative[p] * 0.5;
      for (int q = 0; q <= p; ++q, ++k)
        sums.information[k] = sums.information[k] + dv * minus_dv[0][q] + half * relative[q];
      if constexpr (Channels == 2) sums.with_one[p] = sums.with_one[p] - dv * v[1];
    }
  }

  Lanes m1_[Channels], m2_[Channels];
  Lanes d_m1_[Channels][NP + 1], d_m2_[Channels][NP + 1];
  Lanes p11_, slope_, rest_;
  Lanes d_p11_[NP + 1], d_slope_[NP + 1], d_rest_[NP + 1];
};
