// The stage ou-multiband: one Ornstein-Uhlenbeck process (damped random walk) seen in all bands of
// an object, fitted at once. Results are object columns "LABEL.<result>" and, for each light curve
// GROUP, "LABEL.GROUP.<result>".
#pragma once

#include <cstdint>
#include <qsohost/plugin.hpp>
#include <string>
#include <vector>

#include "multiband_clean.hpp"
#include "multiband_columns.hpp"
#include "multiband_posterior.hpp"

namespace ou::multiband {

class OuMultiband final : public qsohost::Fitter {
 public:
  void validate() const override;
  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override;
  void open(qsohost::Context& context) override { context_ = &context; }
  void fit(const qsohost::Object& object, qsohost::Result& result) const override;

 private:
  // All epochs of an object that can be fitted, and where they come from.
  struct Curves {
    std::vector<double> time, mag, mag_err;  // time: d since the first, in the frame of the fit
    std::vector<std::uint8_t> band;
    std::vector<std::size_t> origin;  // place in the group
    PerBand<std::size_t> epochs{};    // usable ones, of bands that take no part too
    PerBand<double> median{};
    std::vector<Lagged> lagged;  // bands that can have a lag
    double first = 0, last = 0;  // d, on the common scale
    std::int32_t flags = 0;
    bool takes_part(std::size_t band, std::size_t least) const { return epochs[band] >= least; }
  };
  struct Fitted;

  void declare_results(qsohost::Ports& ports) const;
  void declare_group(const std::string& group, const qsohost::Schema& before,
                     std::vector<qsohost::GroupInfo>& infos, qsohost::Ports& ports) const;
  Curves gather(const qsohost::Object& object, double stretch) const;
  void store(const Fitted& fitted, qsohost::Result& result) const;
  void store_band(const Fitted& fitted, std::size_t band, qsohost::Result& result) const;
  void store_epochs(const Fitted& fitted, qsohost::Result& result) const;
  void store_posterior(const Posterior& posterior, const Fit& fit, qsohost::Result& result) const;
  void store_predicted(const Fitted& fitted, qsohost::Result& result) const;
  std::int32_t flags_of(const Fitted& fitted) const;
  std::string name(std::string_view result) const;
  std::string name(std::size_t band, std::string_view result) const;
  bool is_wanted(const BandColumn& column) const;
  Model model(const Curves& curves) const;
  Rule rule() const;
  double number(const qsohost::Object& object, const std::string& column) const;

  qsohost::Context* context_ = nullptr;
  qsohost::Option<std::vector<std::string>> groups_{
      this, "groups", qsohost::required,
      "light curves to fit together, the reference band first, e.g. [\"ztf.g\", \"ztf.r\"]"};
  qsohost::Option<std::string> redshift_{
      this, "redshift", "z", "object column with the redshift; only used if rest_frame = true"};
  qsohost::Option<bool> rest_frame_{this, "rest_frame", true,
                                    "times in rest-frame days, t / (1 + z)"};
  qsohost::Option<std::string> ra_{this, "ra", "ra",
                                   "object column, deg; where times need the light travel time"};
  qsohost::Option<std::string> dec_{this, "dec", "dec",
                                    "object column, deg; where times need the light travel time"};
  qsohost::Option<std::int64_t> min_points_{
      this, "min_points", 10, "epochs of all bands needed for a fit", {.min = 4}};
  qsohost::Option<std::int64_t> min_points_band_{
      this,
      "min_points_band",
      5,
      "epochs that a band needs to take part, and keeps in a cleaning",
      {.min = 2}};
  qsohost::Choice<Mean> mean_{
      this,
      "mean",
      Mean::Marginal,
      {{"profiled", Mean::Profiled}, {"marginal", Mean::Marginal}},
      "mean of each band: the value that maximises the likelihood, or integrated over with equal "
      "density (1 per mag), which halves the bias of tau"};
  qsohost::Choice<bool> jitter_{this,
                                "jitter",
                                false,
                                {{"none", false}, {"fit", true}},
                                "white noise besides mag_err, mag: none, or a parameter a band, "
                                "1e-6 or more"};
  qsohost::Choice<bool> lags_{
      this,
      "lags",
      false,
      {{"none", false}, {"fit", true}},
      "lags between the bands of one survey, against the first that takes part: 0, or found by a "
      "scan; those between surveys are 0"};
  qsohost::Option<std::vector<double>> lag_bounds_{
      this,
      "lag_bounds",
      {-20, 20},
      "lags are searched between these, in the frame of the fit; 0 is among them",
      {.unit = "d", .length = 2}};
  qsohost::Choice<bool> incoherent_{
      this,
      "incoherent",
      false,
      {{"none", false}, {"fit", true}},
      "fit: also the model in which every band has a process of its own besides the common one; "
      "the Bayesian criterion says which is preferred"};
  qsohost::Choice<bool> posterior_{
      this,
      "posterior",
      false,
      {{"none", false}, {"quadrature", true}},
      "quadrature: quantiles of tau and of each band's sigma and D, for equal density of ln tau "
      "and "
      "every ln sigma inside the bounds, with means as the option says, jitter and lags as fitted"};
  qsohost::Choice<bool> rule_{
      this,
      "rule",
      false,
      {{"none", false}, {"predictive", true}},
      "predictive: epochs that all others, of all bands, do not predict are removed"};
  qsohost::Option<double> false_alarms_{
      this,
      "false_alarms_per_curve",
      0.03,
      "of rule predictive: good epochs lost per light curve, on average",
      {.min = 1e-6, .max = 10}};
  qsohost::Option<double> max_removed_{
      this,
      "max_removed_fraction",
      0.1,
      "an object is given up, and nothing removed, if more of a band's epochs would go",
      {.min = 0, .max = 1}};
  qsohost::Option<std::vector<double>> sigma_bounds_{this,
                                                     "sigma_bounds",
                                                     {0.001, 100},
                                                     "every sigma is fitted between these",
                                                     {.unit = "mag", .length = 2}};
  qsohost::Option<std::vector<double>> tau_bounds_{
      this,
      "tau_bounds",
      {0.1, 1e4},
      "tau is fitted between these, in the frame of the fit",
      {.unit = "d", .length = 2}};
  qsohost::Option<std::int64_t> predict_{
      this,
      "predict",
      0,
      "length of a grid of times, from the first epoch to the last of all bands, on which the "
      "fitted curve of every band is given; 0: none",
      {.min = 0, .max = 100000}};
};

}  // namespace ou::multiband
