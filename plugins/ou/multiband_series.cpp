#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "multiband_likelihood.hpp"
#include "multiband_order.hpp"

namespace ou::multiband {
namespace {

void append(Series& to, double time, std::uint8_t band, double y, double var) {
  to.time.push_back(time);
  to.band.push_back(band);
  to.y.push_back(y);
  to.var.push_back(var);
}

// A prediction of the observation less the noise that the observation would have.
template <class LeaveOut>
Predicted predict_with(const Series& series, std::span<const std::uint8_t> ignored,
                       std::span<const double> times, std::size_t band, double ln_jitter,
                       const LeaveOut& leave_out) {
  // The times take part as epochs that are predicted, but not used.
  Series merged = series;
  std::vector<std::uint8_t> unused(ignored.begin(), ignored.end());
  unused.resize(series.size(), 0);
  for (const double time : times) append(merged, time, static_cast<std::uint8_t>(band), 0, 0);
  unused.resize(merged.size(), 1);
  const LeaveOneOut loo = leave_out(merged, unused);
  const double jitter2 = std::exp(2 * ln_jitter);
  Predicted out;
  for (std::size_t k = series.size(); k < merged.size(); ++k) {
    out.mean.push_back(loo.mean[k]);
    out.var.push_back(std::max(loo.var[k] - jitter2, 0.0));
  }
  return out;
}

}  // namespace

SortedSeries make_series(std::size_t bands, std::span<const double> time,
                         std::span<const std::uint8_t> band, std::span<const double> mag,
                         std::span<const double> mag_err, const PerBand<double>& reference) {
  SortedSeries out;
  out.order.resize(time.size());
  std::iota(out.order.begin(), out.order.end(), std::size_t{0});
  const auto key = [&](std::size_t i) { return std::tuple(time[i], band[i], mag[i], mag_err[i]); };
  std::stable_sort(out.order.begin(), out.order.end(),
                   [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  out.series.bands = bands;
  out.series.reference = reference;
  for (const std::size_t i : out.order)
    append(out.series, time[i], band[i], mag[i] - reference[band[i]], mag_err[i] * mag_err[i]);
  return out;
}

Series without(const Series& series, std::span<const std::uint8_t> ignored) {
  Series out;
  out.bands = series.bands;
  out.reference = series.reference;
  for (std::size_t i = 0; i < series.size(); ++i) {
    if (ignored[i] == 0) append(out, series.time[i], series.band[i], series.y[i], series.var[i]);
  }
  return out;
}

Ordered in_order(const Series& series, const PerBand<double>& lag, Ties ties,
                 std::span<const std::uint8_t> ignored) {
  struct Key {
    double time;
    int band;  // as it ranks at ties
    std::size_t place;
    bool operator<(const Key& other) const {
      return time != other.time ? time < other.time : band < other.band;
    }
  };
  const std::size_t n = series.size();
  std::vector<Key> keys(n);
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint8_t band = series.band[i];
    keys[i] = {series.time[i] - lag[band], ties == Ties::FirstBand ? band : -band, i};
  }
  if (!std::is_sorted(keys.begin(), keys.end())) std::stable_sort(keys.begin(), keys.end());
  Ordered out;
  out.place.resize(n);
  out.dt.resize(n);
  out.y.resize(n);
  out.var.resize(n);
  out.band.resize(n);
  out.ignored.resize(ignored.size());
  for (std::size_t i = 0; i < n; ++i) {
    const std::size_t k = keys[i].place;
    out.place[i] = k;
    out.dt[i] = i == 0 ? 0 : keys[i].time - keys[i - 1].time;
    out.y[i] = series.y[k];
    out.var[i] = series.var[k];
    out.band[i] = series.band[k];
    if (!ignored.empty()) out.ignored[i] = ignored[k];
    if (i > 0 && out.dt[i] == 0 && out.band[i] != out.band[i - 1]) out.has_ties = true;
  }
  return out;
}

Predicted predict_at(const Series& series, std::span<const std::uint8_t> ignored,
                     std::span<const double> times, std::size_t band, const Parameters& parameters,
                     Mean mean) {
  return predict_with(series, ignored, times, band, parameters.ln_jitter[band],
                      [&](const Series& merged, std::span<const std::uint8_t> unused) {
                        return leave_one_out(merged, parameters, mean, unused);
                      });
}

Predicted predict_at(const Series& series, std::span<const std::uint8_t> ignored,
                     std::span<const double> times, std::size_t band, const Parameters& parameters,
                     const Incoherent& incoherent, Mean mean) {
  return predict_with(series, ignored, times, band, parameters.ln_jitter[band],
                      [&](const Series& merged, std::span<const std::uint8_t> unused) {
                        return leave_one_out(merged, parameters, incoherent, mean, unused);
                      });
}

}  // namespace ou::multiband
