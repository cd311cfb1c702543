// A Fitter that looks at one light curve (one band of one object) at a time. This base class has
// what such fitters share: options for the light curves, their frame and their minimum length, the
// selection and order of epochs, and the names of common results, which `qsohost compare` reads.
// Results of light curve GROUP are object columns "LABEL.GROUP.<name>".
//
//   class Slope final : public qsohost::LightCurveFitter {
//    public:
//     Slope() : LightCurveFitter({.usual = 10, .least = 3, .help = "epochs needed for a fit"}) {}
//    protected:
//     void declare_curve(const qsohost::GroupInfo& group, const qsohost::Schema& before,
//                        qsohost::Ports& ports) const override;
//     void fit_curve(const qsohost::CurveToFit& curve, qsohost::Result& result) const override;
//   };
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/light_curve.hpp"
#include "qsohost/option.hpp"
#include "qsohost/port.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

// Bits of the column "flags" that all fitters share. A fitter's own are 1 << 4 to 1 << 16 and
// 1 << 24 to 1 << 29.
enum FitFlag : std::int32_t {
  kTooFewEpochs = 1,       // not fitted
  kBadRedshift = 2,        // not fitted, see below
  kEpochsWithoutPart = 4,  // some were left out: see usable_epochs()
  kFitFailed = 8,
  // What a careful person would not trust. Of the fit, by doubts():
  kShortBaseline = 1 << 17,      // below 10 tau
  kFasterThanCadence = 1 << 18,  // tau below the median cadence
  kConstantPreferred = 1 << 19,  // by the Bayesian criterion
  kErrorsTooSmall = 1 << 20,     // by the residuals
  // Of the light curve, by the base class:
  kErrorSentinels = 1 << 21,  // some were left out: see usable_epochs()
  kRoundedTimes = 1 << 22,
  kTwoSources = 1 << 23,
  kZeroRedshift = 1 << 30,
};

// Redshifts. With rest_frame = true a redshift must be above 0 and not above 20: catalogues write
// -999, -1, 99 or 999 for "none". An exact 0 mostly means "none" too, but may be meant: times stay
// as observed, the light curve is fitted and has kZeroRedshift. With rest_frame = false no redshift
// is read, and the column z is NaN.
//
// Rounded times. All times are 32-bit numbers of a magnitude where these are 0.001 d or more apart
// (0.004 d for MJD, 0.25 d for JD), one in ten or more has the last bit set, as rounding leaves it
// in half of them and a cadence of whole or half days in none, and they are not regular.
//
// Two sources. Times are equal and magnitudes differ by more than 5 standard deviations and 0.1 mag
// (0.1 of another unit) in at least two exposures and 2 % of all: 0.1 mag leaves room for the
// calibration of two detectors that see one source in one exposure, 2 % for outliers among such
// pairs. Not looked for where times are rounded.

// Whether it is a redshift by the rule above: above 0 and not above 20.
QSOHOST_API bool is_redshift(double value);

// Why a light curve with these flags has no results: "too few epochs"; "" if it should have some.
QSOHOST_API std::string_view failure_of(std::int32_t flags);

struct ResultColumn {
  std::string_view name;
  DType dtype;
  std::string_view unit;
  std::string_view help;
  bool framed = false;  // depends on the frame of the times, which add_result() appends to `help`
};

// Every such fitter declares those of kEveryCurve, in any order; the base class sets them. Fitters
// with a likelihood declare and set those of kEveryLikelihood.
namespace fit_column {
inline constexpr ResultColumn kZ{"z", DType::F64, "", "redshift used; NaN in the observed frame"};
inline constexpr ResultColumn kBand{"band", DType::String, "", "band of the light curve"};
inline constexpr ResultColumn kEpochs{"n_epochs", DType::I32, "", "epochs that took part"};
inline constexpr ResultColumn kBaseline{
    "baseline", DType::F64, "d", "time from the first to the last epoch that took part", true};
inline constexpr ResultColumn kCadence{"median_cadence", DType::F64, "d",
                                       "median time between epochs that took part", true};
inline constexpr ResultColumn kEveryCurve[] = {kZ, kBand, kEpochs, kBaseline, kCadence};

inline constexpr ResultColumn kParameters{"n_parameters", DType::I32, "",
                                          "parameters of the model, the mean among them"};
inline constexpr ResultColumn kLoglike{"loglike", DType::F64, "", "ln of the likelihood"};
inline constexpr ResultColumn kAic{"aic", DType::F64, "",
                                   "Akaike's criterion, 2 n_parameters - 2 loglike"};
inline constexpr ResultColumn kBic{"bic", DType::F64, "",
                                   "Bayesian criterion, n_parameters ln n_epochs - 2 loglike"};
inline constexpr ResultColumn kChi2{
    "chi2", DType::F64, "", "one-step residuals squared over their variances, summed over epochs"};
inline constexpr ResultColumn kEveryLikelihood[] = {kParameters, kLoglike, kAic, kBic, kChi2};
}  // namespace fit_column

// Which epochs can be fitted, and flags: those of which time or mag is not finite, or mag_err not
// finite, not positive, or below 1e-15 of the median, are left out with kEpochsWithoutPart. Those
// whose mag_err stands for "none" are left out with kErrorSentinels: mag_err is at least 1000 times
// the median, or at least 20 times and made of nines (9.9, 9.999, 99, 99.99 ... 999999; also as a
// 32-bit number). The median is that of the mag_err not made of nines. No limit is in mag: a light
// curve may hold fluxes.
struct UsableEpochs {
  std::vector<std::uint8_t> take;  // one a fetched epoch
  std::int32_t flags;
};
QSOHOST_API UsableEpochs usable_epochs(const LightCurve& fetched);

// One light curve, ready for a fit: entry k of each vector is the same epoch. In time order, only
// usable_epochs().
struct CurveToFit {
  const Object& object;
  const std::string& group;
  const LightCurve& fetched;      // all epochs, as fetched
  const TimeOrder& order;         // which of these take part
  double redshift = 0;            // NaN in the observed frame
  std::int32_t flags = 0;         // so far: of the light curve
  std::vector<double> time{};     // d since the first; in the rest frame if rest_frame is set
  std::vector<double> mag{};      // mag
  std::vector<double> mag_err{};  // mag
  double baseline = 0;            // d, from first to last
  double median_cadence = 0;      // d
  std::size_t size() const { return time.size(); }
};

// What doubts() judges a fit by; NaN for what a fitter does not have.
struct FitQuality {
  double tau;        // d, in the frame of CurveToFit
  double chi2;       // one-step residuals squared over their variances, summed over epochs
  double degrees;    // epochs fitted - fitted parameters
  double bic;        // of the fit
  double bic_const;  // of a constant
  // Of a damped random walk, mag; NaN for other processes, and where jitter is fitted.
  double sigma = std::numeric_limits<double>::quiet_NaN();
};
// kShortBaseline, kFasterThanCadence, kConstantPreferred, kErrorsTooSmall, or 0. Errors are too
// small if chi2 is more than 3 standard deviations above its degrees of freedom, or that of the
// differences of epochs closer than 0.1 tau is above what 1 % of good fits reach (with the variance
// of the process for such lags). Outliers have the same effect; after a fit to some of the epochs
// `curve` must hold those alone.
QSOHOST_API std::int32_t doubts(const CurveToFit& curve, const FitQuality& fit);

class QSOHOST_API LightCurveFitter : public Fitter {
 public:
  ~LightCurveFitter() override;
  void validate() const override;
  void declare(const Schema& before, Ports& ports) const final;
  void fit(const Object& object, Result& result) const final;

 protected:
  struct MinPoints {
    std::int64_t usual;
    double least;
    std::string help;
  };
  explicit LightCurveFitter(MinPoints min_points);

  // Declares results and whatever else is read or added for one light curve. `group` has only a
  // name while nothing more is known of it.
  virtual void declare_curve(const GroupInfo& group, const Schema& before, Ports& ports) const = 0;
  // Called for light curves of at least min_points epochs.
  virtual void fit_curve(const CurveToFit& curve, Result& result) const = 0;

  std::string prefix(std::string_view group) const;  // "LABEL.GROUP"
  // `help` and the frame of the times.
  std::string framed(std::string_view help) const;
  void add_result(const GroupInfo& group, const ResultColumn& column, Ports& ports) const;
  template <class T>
  void set(const CurveToFit& curve, std::string_view name, T value, Result& result) const {
    result.set<T>(prefix(curve.group) + "." + std::string(name), value);
  }
  void set_likelihood(const CurveToFit& curve, std::int32_t n_parameters, double loglike,
                      double chi2, Result& result) const;
  // Adds the column "flags"; its description has the shared bits, and `own`, e.g. "16 tau at its
  // bound".
  void add_flags(const GroupInfo& group, std::string_view own, Ports& ports) const;

  std::size_t min_points() const { return static_cast<std::size_t>(*min_points_); }
  bool in_rest_frame() const { return *rest_frame_; }

 private:
  void declare_group(const std::string& name, const Schema& before, Ports& ports) const;
  void fit_group(const Object& object, const std::string& group, double redshift,
                 Result& result) const;
  void fill(CurveToFit& curve) const;

  Option<std::vector<std::string>> groups_{this, "groups", required,
                                           "light curves to fit, e.g. [\"ztf.g\", \"ztf.r\"]"};
  Option<std::string> redshift_{this, "redshift", "z",
                                "object column with the redshift; only used if rest_frame = true"};
  Option<bool> rest_frame_{this, "rest_frame", true, "times in rest-frame days, t / (1 + z)"};
  Option<std::int64_t> min_points_;
};

}  // namespace qsohost::inline v1
