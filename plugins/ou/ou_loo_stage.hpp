// The stage ou-loo: fits an Ornstein-Uhlenbeck process (damped random walk) to light curves and
// marks the epochs that leave-one-out cleaning removes. For a group G and the stage's label L it
// adds object columns "L.G.<result>", the arrays of group "L.G", and the epoch column "keep" of G.
#pragma once

#include <qsohost/plugin.hpp>
#include <span>
#include <string>

#include "loo_clean.hpp"
#include "ou_stage.hpp"

namespace ou {

enum class RuleName : std::uint8_t { Influence, Predictive };

class OuLoo final : public OuStage {
 public:
  OuLoo()
      : OuStage(
            {.usual = 10, .least = 4, .help = "epochs needed for a fit, and left by a removal"}) {}
  void open(qsohost::Context& context) override { context_ = &context; }

 private:
  void declare_curve(const qsohost::GroupInfo& group, const qsohost::Schema& before,
                     qsohost::Ports& ports) const override;
  void declare_results(const qsohost::GroupInfo& group, qsohost::Ports& ports) const;
  void fit_curve(const qsohost::CurveToFit& curve, qsohost::Result& result) const override;
  void store(const qsohost::CurveToFit& curve, const Series& fitted, const Cleaned& cleaned,
             qsohost::Result& result) const;
  void store_removed(const qsohost::CurveToFit& curve, std::span<const std::size_t> removed,
                     qsohost::Result& result) const;
  Rule rule() const;

  qsohost::Context* context_ = nullptr;
  qsohost::Choice<RuleName> rule_{
      this,
      "rule",
      RuleName::Influence,
      {{"influence", RuleName::Influence}, {"predictive", RuleName::Predictive}},
      "influence: the epoch whose absence changes ln D most goes, one a pass; predictive: all "
      "epochs that the others do not predict go (finds far more outliers in long light curves)"};
  qsohost::Choice<Mode> mode_{
      this,
      "mode",
      Mode::Screened,
      {{"screened", Mode::Screened}, {"exact", Mode::Exact}},
      "of rule influence: refit without every epoch, or only without those that may matter most "
      "(where a light curve hardly determines D, as of objects that do not vary: all)"};
  qsohost::Option<double> false_alarms_{
      this,
      "false_alarms_per_curve",
      0.03,
      "of rule predictive: good epochs lost per light curve, on average",
      {.min = 1e-6, .max = 10}};
  qsohost::Option<std::int64_t> max_passes_{
      this,
      "max_passes",
      10,
      "of rule influence: at most so many epochs are removed; of rule predictive: refits",
      {.min = 0}};
  qsohost::Option<double> min_delta_{this,
                                     "min_abs_delta_logD",
                                     0.5,
                                     "an epoch is removed if that changes ln D by at least this",
                                     {.min = 0}};
  qsohost::Option<bool> only_decreases_{
      this, "only_if_D_decreases", true,
      "stop when the epoch that matters most would make D larger by its absence"};
  qsohost::Option<double> max_failed_{this,
                                      "max_failed_fraction",
                                      0.1,
                                      "an object is given up when more of a pass's refits fail",
                                      {.min = 0, .max = 1}};
  qsohost::Option<double> max_removed_{
      this,
      "max_removed_fraction",
      0.1,
      "an object is given up, and nothing removed, when more of its epochs would go: it may be two "
      "sources in one light curve",
      {.min = 0, .max = 1}};
};

}  // namespace ou
