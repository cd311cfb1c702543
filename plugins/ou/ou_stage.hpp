// What ou-fit and ou-loo share: the options of the model, and the columns of posteriors, of
// predictions of every epoch, and of the fitted curve.
#pragma once

#include <cstdint>
#include <qsohost/plugin.hpp>
#include <span>
#include <string_view>
#include <vector>

#include "fit_summary.hpp"
#include "ou_posterior.hpp"

namespace ou {

// Flags numbered alike in both stages; in addition to those of qsohost::FitFlag.
enum SharedFlag : std::int32_t {
  kNoErrors = 1 << 14,
  kJitterAtBound = 1 << 16,
};
inline constexpr int kInBox = kSigmaLow | kSigmaHigh | kTauLow | kTauHigh;  // 4 flags a fit

class OuStage : public qsohost::LightCurveFitter {
 public:
  void validate() const override;

 protected:
  using LightCurveFitter::LightCurveFitter;

  Mean mean() const { return *mean_; }
  Box box() const;
  bool fits_jitter() const { return *jitter_; }

  // `which` is "post" in "log_tau_post_q16"; "" for "log_tau_q16".
  void declare_shared(const qsohost::GroupInfo& group, std::string_view which,
                      qsohost::Ports& ports) const;

  // A fit and what it was made of.
  struct Fitted {
    const Series& all;                       // epochs of the curve
    const Series& kept;                      // those fitted
    const std::vector<std::size_t> removed;  // in `all`, in any order
    const Summary& summary;
  };
  void set_shared(const qsohost::CurveToFit& curve, const Fitted& fitted, std::string_view which,
                  qsohost::Result& result) const;
  // Only the predictions of the epochs.
  void set_epochs(const qsohost::CurveToFit& curve, const Fitted& fitted,
                  qsohost::Result& result) const;
  // Of the fit: qsohost::doubts(), kNoErrors, kJitterAtBound.
  std::int32_t flags_of(const qsohost::CurveToFit& curve, const Fitted& fitted) const;

 private:
  void set_posterior(const qsohost::CurveToFit& curve, const Fitted& fitted, std::string_view which,
                     qsohost::Result& result) const;
  void set_predicted(const qsohost::CurveToFit& curve, const Fitted& fitted,
                     qsohost::Result& result) const;

  qsohost::Choice<Mean> mean_{
      this,
      "mean",
      Mean::Fixed,
      {{"median", Mean::Fixed}, {"profiled", Mean::Profiled}, {"marginal", Mean::Marginal}},
      "mean of the process: the median of the magnitudes of all epochs that take part, taken "
      "once, before the first fit; the value that maximises the likelihood; or integrated over "
      "with equal density (1 per mag)"};
  qsohost::Choice<bool> jitter_{
      this,
      "jitter",
      false,
      {{"none", false}, {"fit", true}},
      "white noise besides mag_err, mag: none, or a third parameter, 1e-6 or more"};
  qsohost::Option<std::vector<double>> sigma_bounds_{this,
                                                     "sigma_bounds",
                                                     {0.001, 100},
                                                     "sigma is fitted between these",
                                                     {.unit = "mag", .length = 2}};
  qsohost::Option<std::vector<double>> tau_bounds_{
      this,
      "tau_bounds",
      {0.1, 1e4},
      "tau is fitted between these, in the frame of the fit",
      {.unit = "d", .length = 2}};
  qsohost::Choice<bool> posterior_{
      this,
      "posterior",
      false,
      {{"none", false}, {"quadrature", true}},
      "quadrature: quantiles of sigma, tau and D inside their bounds, with the mean integrated "
      "over and jitter as fitted; and 64 nodes at most with their weights"};
  qsohost::Choice<Prior> prior_{
      this,
      "prior",
      Prior::LogUniform,
      {{"log-uniform", Prior::LogUniform}, {"uniform", Prior::Uniform}},
      "of the posterior: equal density of ln sigma and ln tau (1 / (sigma tau)), or of sigma and "
      "tau"};
  qsohost::Option<std::int64_t> predict_{
      this,
      "predict",
      0,
      "length of a grid of times, from the first epoch to the last, on which the fitted curve is "
      "given; 0: none",
      {.min = 0, .max = 100000}};
};

}  // namespace ou
