// A vector of doubles with the operators of a number, and the functions of it that the recursion
// needs. Included once per instruction set, inside that set's namespace.

using Doubles = hn::ScalableTag<double>;
constexpr std::size_t kLanes = HWY_LANES(double);

// Constructors are written out, because generated ones are not compiled for the instruction set.
struct Lanes {
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
HWY_INLINE Lanes log(Lanes a) { return Lanes::of(hn::Log(Doubles(), a.v)); }
HWY_INLINE LaneMask less(Lanes a, Lanes b) { return hn::Lt(a.v, b.v); }
HWY_INLINE Lanes select(LaneMask m, Lanes a, Lanes b) { return Lanes::of(hn::IfThenElse(m, a.v, b.v)); }
// clang-format on

// c0 + c1 x + c2 x^2 + ..., from the highest coefficient down.
template <std::size_t size>
HWY_INLINE Lanes polynomial(Lanes x, const double (&from_highest)[size]) {
  Lanes p(from_highest[0]);
  for (std::size_t i = 1; i < size; ++i) p = p * x + from_highest[i];
  return p;
}

// Adding it to a double rounds to an integer, kept in the lowest bits.
constexpr double kShift = 0x1.8p52;

// exp(-x) - 1 for x from 0 to 700, to 2 units in the last place: -x = n ln 2 + r, and the series of
// exp(r) - 1 serves all n. Takes half the time of Highway's Expm1, which covers all arguments.
HWY_INLINE Lanes expm1_of_minus(Lanes x) {
  constexpr double kInvLn2 = 1.4426950408889634074;
  constexpr double kLn2High = 0x1.62e42fee00000p-1, kLn2Low = 0x1.a39ef35793c76p-33;
  const hn::RebindToUnsigned<Doubles> bits;
  const Lanes shifted = Lanes(kShift) - x * kInvLn2;
  const Lanes n = shifted - kShift;
  const Lanes r = Lanes(0.0) - n * kLn2Low - (x + n * kLn2High);
  const Lanes power =
      Lanes::of(hn::BitCast(Doubles(), hn::Add(hn::ShiftLeft<52>(hn::BitCast(bits, shifted.v)),
                                               hn::Set(bits, std::uint64_t{0x3ff} << 52))));
  const Lanes p =  // from 1 / 13! to 1 / 2!
      polynomial(r, {1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880,
                     1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 0.5}) *
          (r * r) +
      r;
  return power * p + (power - 1.0);
}

// For x from 0 to 1e5: x = n pi / 2 + r, and the series at |r| <= pi / 4.
HWY_INLINE void sine_and_cosine(Lanes x, Lanes& sine, Lanes& cosine) {
  constexpr double kTwoOverPi = 0.63661977236758134308;
  // pi / 2 in parts of 33 bits, so that their products with n are exact.
  constexpr double kHigh = 0x1.921fb544p+0, kMiddle = 0x1.0b4611a6p-34,
                   kLow = 0x1.3198a2e037073p-69;
  const hn::RebindToUnsigned<Doubles> bits;
  const Lanes shifted = x * kTwoOverPi + kShift;
  const Lanes n = shifted - kShift;
  const Lanes r = ((x - n * kHigh) - n * kMiddle) - n * kLow, rr = r * r;
  const Lanes s = r + r * rr *
                          polynomial(rr, {-1.0 / 1307674368000, 1.0 / 6227020800, -1.0 / 39916800,
                                          1.0 / 362880, -1.0 / 5040, 1.0 / 120, -1.0 / 6});
  const Lanes c = polynomial(rr, {1.0 / 20922789888000, -1.0 / 87178291200, 1.0 / 479001600,
                                  -1.0 / 3628800, 1.0 / 40320, -1.0 / 720, 1.0 / 24, -0.5, 1.0});
  // Odd n exchange the two; the second lowest bit of n and of n + 1 is the sign.
  const auto quadrant = hn::BitCast(bits, shifted.v);
  const auto one = hn::Set(bits, std::uint64_t{1});
  const LaneMask odd =
      hn::MaskFromVec(hn::BitCast(Doubles(), hn::Sub(hn::Zero(bits), hn::And(quadrant, one))));
  const auto sign_of = [&](auto turn) {
    return hn::BitCast(Doubles(),
                       hn::ShiftLeft<62>(hn::And(turn, hn::Set(bits, std::uint64_t{2}))));
  };
  sine = Lanes::of(hn::Xor(select(odd, c, s).v, sign_of(quadrant)));
  cosine = Lanes::of(hn::Xor(select(odd, s, c).v, sign_of(hn::Add(quadrant, one))));
}

// Sum of logarithms: factors between 1e-38 and 1e38 are multiplied, eight per logarithm.
class LogSum {
 public:
  HWY_INLINE LogSum() : product_(1.0), sum_(0.0) {}
  HWY_INLINE void add(Lanes value) {
    product_ = product_ * value;
    if (++count_ == 8) flush();
  }
  HWY_INLINE Lanes total() {
    flush();
    return sum_;
  }

 private:
  HWY_INLINE void flush() {
    sum_ = sum_ + log(product_);
    product_ = Lanes(1.0);
    count_ = 0;
  }
  Lanes product_, sum_;
  int count_ = 0;
};
