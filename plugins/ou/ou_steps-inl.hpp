// The steps of the process between the epochs of a light curve, with one value of tau a lane.
// Included once per instruction set, inside that set's namespace, after ou_recursion-inl.hpp.

// The steps between epochs, for any values of tau.
template <class Real>
struct Steps {
  const Series& series;
  Real inv_tau;
  HWY_INLINE Step<Real> operator[](std::size_t i) { return step_over(series.dt[i], inv_tau); }
};

// The same for two values of tau. Where these are all, one vector holds the exponentials of one of
// them for several epochs.
class StepsOfTwo {
 public:
  HWY_INLINE StepsOfTwo(const Series& series, const double* inv_tau)
      : series_(series), inv_tau_(inv_tau), first_(inv_tau[0]), other_(inv_tau[0]) {
    for (std::size_t l = 0; l < kLanes; ++l)
      if (inv_tau[l] != first_) other_ = inv_tau[l];
    is_first_ = equal(inv_tau_, Lanes(first_));
  }
  static bool suit(const double* inv_tau) {
    const double* other =
        std::find_if(inv_tau, inv_tau + kLanes, [&](double t) { return t != inv_tau[0]; });
    return std::all_of(other, inv_tau + kLanes,
                       [&](double t) { return t == inv_tau[0] || t == *other; });
  }
  // Ascending i, from 0.
  HWY_INLINE Step<Lanes> operator[](std::size_t i) {
    const std::size_t k = i % kLanes;
    if (k == 0) compute(i);
    return {time_in_tau(series_.dt[i], inv_tau_),
            select(is_first_, Lanes(of_first_[k]), Lanes(of_other_[k]))};
  }

 private:
  HWY_INLINE void compute(std::size_t from) {
    double dt[kLanes];
    for (std::size_t k = 0; k < kLanes; ++k)
      dt[k] = series_.dt[std::min(from + k, series_.size() - 1)];
    const Lanes steps(dt);
    expm1_of_minus(min(steps * first_, kForgotten)).store(of_first_);
    expm1_of_minus(min(steps * other_, kForgotten)).store(of_other_);
  }
  const Series& series_;
  Lanes inv_tau_;
  double first_, other_;
  LaneMask is_first_;
  double of_first_[kLanes], of_other_[kLanes];
};
