// Vectors of doubles with the operators of a number, for the recursions: one lane per trial.
// Included once per instruction set, inside that set's namespace, with hn for Highway's.

using Doubles = hn::ScalableTag<double>;
constexpr std::size_t kLanes = HWY_LANES(double);

// A vector of doubles with the operators of a number.
struct Lanes {
  static constexpr std::size_t kCount = kLanes;
  hn::Vec<Doubles> v;
  HWY_INLINE Lanes() : v(hn::Zero(Doubles())) {}
  HWY_INLINE Lanes(double x) : v(hn::Set(Doubles(), x)) {}
  HWY_INLINE explicit Lanes(const double* x) : v(hn::LoadU(Doubles(), x)) {}
  HWY_INLINE void store(double* x) const { hn::StoreU(v, Doubles(), x); }
  static HWY_INLINE Lanes of(hn::Vec<Doubles> v) {
    Lanes out;
    out.v = v;
    return out;
  }
};
using LaneMask = hn::Mask<Doubles>;
// clang-format off
HWY_INLINE Lanes operator+(Lanes a, Lanes b) { return Lanes::of(hn::Add(a.v, b.v)); }
HWY_INLINE Lanes operator-(Lanes a, Lanes b) { return Lanes::of(hn::Sub(a.v, b.v)); }
HWY_INLINE Lanes operator*(Lanes a, Lanes b) { return Lanes::of(hn::Mul(a.v, b.v)); }
HWY_INLINE Lanes operator/(Lanes a, Lanes b) { return Lanes::of(hn::Div(a.v, b.v)); }
HWY_INLINE Lanes min(Lanes a, Lanes b) { return Lanes::of(hn::Min(a.v, b.v)); }
HWY_INLINE Lanes max(Lanes a, Lanes b) { return Lanes::of(hn::Max(a.v, b.v)); }
HWY_INLINE Lanes log(Lanes a) { return Lanes::of(hn::Log(Doubles(), a.v)); }
HWY_INLINE LaneMask less(Lanes a, Lanes b) { return hn::Lt(a.v, b.v); }
HWY_INLINE LaneMask equal(Lanes a, Lanes b) { return hn::Eq(a.v, b.v); }
HWY_INLINE LaneMask either(LaneMask a, LaneMask b) { return hn::Or(a, b); }
HWY_INLINE Lanes select(LaneMask m, Lanes a, Lanes b) { return Lanes::of(hn::IfThenElse(m, a.v, b.v)); }
HWY_INLINE double log(double a) { return std::log(a); }  // the same for one double
// clang-format on

// exp(-x) - 1 for x from 0 to kForgotten, to 2 units in the last place: -x = n ln 2 + r, and the
// series of exp(r) - 1 serves all n. Takes half the time of Highway's Expm1, which covers all
// arguments.
HWY_INLINE Lanes expm1_of_minus(Lanes x) {
  constexpr double kInvLn2 = 1.4426950408889634074;
  constexpr double kLn2High = 0x1.62e42fee00000p-1, kLn2Low = 0x1.a39ef35793c76p-33;
  constexpr double kShift = 0x1.8p52;  // adding it rounds to an integer, kept in the lowest bits
  const hn::RebindToUnsigned<Doubles> bits;
  const Lanes shifted = Lanes(kShift) - x * kInvLn2;
  const Lanes n = shifted - kShift;
  const Lanes r = Lanes(0.0) - n * kLn2Low - (x + n * kLn2High);
  const Lanes power =
      Lanes::of(hn::BitCast(Doubles(), hn::Add(hn::ShiftLeft<52>(hn::BitCast(bits, shifted.v)),
                                               hn::Set(bits, std::uint64_t{0x3ff} << 52))));
  // r + r^2 (1 / 2! + r / 3! + ... + r^11 / 13!), in pairs: half as many steps wait for another.
  const Lanes r2 = r * r, r4 = r2 * r2;
  const auto four = [&](double c0, double c1, double c2, double c3) {
    return (r * c1 + c0) + r2 * (r * c3 + c2);
  };
  const Lanes low = four(0.5, 1.0 / 6, 1.0 / 24, 1.0 / 120);
  const Lanes middle = four(1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880);
  const Lanes high = four(1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800);
  const Lanes p = r2 * (low + r4 * (middle + r4 * high)) + r;
  return power * p + (power - 1.0);
}

// A vector of floats, read from and stored to doubles.
template <class V>
struct Two;
#if HWY_TARGET == HWY_SCALAR
using FloatLanes = Lanes;  // no halves of vectors
#else
using Floats = hn::ScalableTag<float>;
struct FloatLanes {
  using Half = hn::Half<Floats>;
  static constexpr std::size_t kCount = HWY_LANES(float);
  hn::Vec<Floats> v;
  HWY_INLINE FloatLanes() : v(hn::Zero(Floats())) {}
  HWY_INLINE FloatLanes(double x) : v(hn::Set(Floats(), static_cast<float>(x))) {}
  HWY_INLINE FloatLanes(Lanes low, Lanes high)
      : v(hn::Combine(Floats(), hn::DemoteTo(Half(), high.v), hn::DemoteTo(Half(), low.v))) {}
  HWY_INLINE explicit FloatLanes(const double* x) : FloatLanes(Lanes(x), Lanes(x + kLanes)) {}
  HWY_INLINE explicit FloatLanes(Two<Lanes> x);
  HWY_INLINE Lanes low() const {
    return Lanes::of(hn::PromoteTo(Doubles(), hn::LowerHalf(Half(), v)));
  }
  HWY_INLINE Lanes high() const {
    return Lanes::of(hn::PromoteTo(Doubles(), hn::UpperHalf(Half(), v)));
  }
  HWY_INLINE void store(double* x) const {
    low().store(x);
    high().store(x + kLanes);
  }
  static HWY_INLINE FloatLanes of(hn::Vec<Floats> v) {
    FloatLanes out;
    out.v = v;
    return out;
  }
};
using FloatMask = hn::Mask<Floats>;
// clang-format off
HWY_INLINE FloatLanes operator+(FloatLanes a, FloatLanes b) { return FloatLanes::of(hn::Add(a.v, b.v)); }
HWY_INLINE FloatLanes operator-(FloatLanes a, FloatLanes b) { return FloatLanes::of(hn::Sub(a.v, b.v)); }
HWY_INLINE FloatLanes operator*(FloatLanes a, FloatLanes b) { return FloatLanes::of(hn::Mul(a.v, b.v)); }
HWY_INLINE FloatLanes operator/(FloatLanes a, FloatLanes b) { return FloatLanes::of(hn::Div(a.v, b.v)); }
HWY_INLINE FloatLanes min(FloatLanes a, FloatLanes b) { return FloatLanes::of(hn::Min(a.v, b.v)); }
HWY_INLINE FloatLanes log(FloatLanes a) { return FloatLanes::of(hn::Log(Floats(), a.v)); }
HWY_INLINE FloatMask less(FloatLanes a, FloatLanes b) { return hn::Lt(a.v, b.v); }
HWY_INLINE FloatMask equal(FloatLanes a, FloatLanes b) { return hn::Eq(a.v, b.v); }
HWY_INLINE FloatMask either(FloatMask a, FloatMask b) { return hn::Or(a, b); }
HWY_INLINE FloatLanes select(FloatMask m, FloatLanes a, FloatLanes b) { return FloatLanes::of(hn::IfThenElse(m, a.v, b.v)); }
// clang-format on

// As for doubles, to 2 units in the last place.
HWY_INLINE FloatLanes expm1_of_minus(FloatLanes x) {
  constexpr double kInvLn2 = 1.4426950408889634074;
  constexpr double kLn2High = 0x1.62e4p-1, kLn2Low = 0x1.7f7d1cf79abcap-20;
  constexpr double kShift = 0x1.8p23;
  const hn::RebindToUnsigned<Floats> bits;
  const FloatLanes shifted = FloatLanes(kShift) - x * kInvLn2;
  const FloatLanes n = shifted - kShift;
  const FloatLanes r = FloatLanes(0.0) - n * kLn2Low - (x + n * kLn2High);
  const FloatLanes power =
      FloatLanes::of(hn::BitCast(Floats(), hn::Add(hn::ShiftLeft<23>(hn::BitCast(bits, shifted.v)),
                                                   hn::Set(bits, std::uint32_t{127} << 23))));
  const FloatLanes r2 = r * r;
  const FloatLanes low = (r * (1.0 / 6) + 0.5) + r2 * (r * (1.0 / 120) + 1.0 / 24);
  const FloatLanes p = r2 * (low + r2 * r2 * (r * (1.0 / 5040) + 1.0 / 720)) + r;
  return power * p + (power - 1.0);
}
#endif

// Two vectors side by side, with the same operators: a step of a recursion waits for the results of
// the one before it, and the second vector fills the wait.
template <class Mask>
struct TwoMasks {
  Mask a, b;
  friend HWY_INLINE TwoMasks either(TwoMasks x, TwoMasks y) {
    return {either(x.a, y.a), either(x.b, y.b)};
  }
};
template <class V>
struct Two {
  static constexpr std::size_t kCount = 2 * V::kCount;
  V a, b;
  HWY_INLINE Two() {}
  HWY_INLINE Two(double x) : a(x), b(x) {}
  HWY_INLINE Two(V a_, V b_) : a(a_), b(b_) {}
  HWY_INLINE explicit Two(const double* x) : a(x), b(x + V::kCount) {}
  template <class Wide>
  HWY_INLINE explicit Two(Two<Wide> x) : a(V(x.a)), b(V(x.b)) {}
  HWY_INLINE void store(double* x) const {
    a.store(x);
    b.store(x + V::kCount);
  }
  // clang-format off
  using Masks = TwoMasks<decltype(less(V(), V()))>;
  friend HWY_INLINE Two operator+(Two x, Two y) { return {x.a + y.a, x.b + y.b}; }
  friend HWY_INLINE Two operator-(Two x, Two y) { return {x.a - y.a, x.b - y.b}; }
  friend HWY_INLINE Two operator*(Two x, Two y) { return {x.a * y.a, x.b * y.b}; }
  friend HWY_INLINE Two operator/(Two x, Two y) { return {x.a / y.a, x.b / y.b}; }
  friend HWY_INLINE Two min(Two x, Two y) { return {min(x.a, y.a), min(x.b, y.b)}; }
  friend HWY_INLINE Two log(Two x) { return {log(x.a), log(x.b)}; }
  friend HWY_INLINE Two expm1_of_minus(Two x) { return {expm1_of_minus(x.a), expm1_of_minus(x.b)}; }
  friend HWY_INLINE Masks less(Two x, Two y) { return {less(x.a, y.a), less(x.b, y.b)}; }
  friend HWY_INLINE Masks equal(Two x, Two y) { return {equal(x.a, y.a), equal(x.b, y.b)}; }
  friend HWY_INLINE Two select(Masks m, Two x, Two y) { return {select(m.a, x.a, y.a), select(m.b, x.b, y.b)}; }
  // clang-format on
};
using TwoLanes = Two<Lanes>;

// In double precision: the range of floats is too small for products.
HWY_INLINE double widened(double x) {
  return x;
}
HWY_INLINE Lanes widened(Lanes x) {
  return x;
}
HWY_INLINE TwoLanes widened(TwoLanes x) {
  return x;
}
#if HWY_TARGET != HWY_SCALAR
HWY_INLINE FloatLanes::FloatLanes(TwoLanes x) : FloatLanes(x.a, x.b) {}
HWY_INLINE TwoLanes widened(FloatLanes x) {
  return {x.low(), x.high()};
}
HWY_INLINE Two<TwoLanes> widened(Two<FloatLanes> x) {
  return {widened(x.a), widened(x.b)};
}
#endif
