// The stage ou-fit: fits an Ornstein-Uhlenbeck process (damped random walk) to light curves like
// ou-loo, but removes no epochs. It adds object columns "LABEL.GROUP.<result>".
#pragma once

#include "ou_stage.hpp"

namespace ou {

class OuFit final : public OuStage {
 public:
  OuFit() : OuStage({.usual = 10, .least = 4, .help = "epochs needed for a fit"}) {}

 private:
  void declare_curve(const qsohost::GroupInfo& group, const qsohost::Schema& before,
                     qsohost::Ports& ports) const override;
  void fit_curve(const qsohost::CurveToFit& curve, qsohost::Result& result) const override;
};

}  // namespace ou
