// The stage ou-fit: fits an Ornstein-Uhlenbeck process (damped random walk) to light curves like
// ou-loo, but removes no epochs. It adds object columns "LABEL.GROUP.<result>".
#pragma once

#include <qsohost/plugin.hpp>

#include "ou_likelihood.hpp"

namespace ou {

class OuFit final : public qsohost::LightCurveFitter {
 public:
  OuFit() : LightCurveFitter({.usual = 10, .least = 4, .help = "epochs needed for a fit"}) {}

 private:
  void declare_curve(const qsohost::GroupInfo& group, const qsohost::Schema& before,
                     qsohost::Ports& ports) const override;
  void fit_curve(const qsohost::CurveToFit& curve, qsohost::Result& result) const override;

  qsohost::Choice<Mean> mean_{
      this,
      "mean",
      Mean::Fixed,
      {{"median", Mean::Fixed}, {"profiled", Mean::Profiled}},
      "mean of the process: the median of the magnitudes, or the value that maximises the "
      "likelihood"};
};

}  // namespace ou
