#include "ou_likelihood.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace ou {

Series make_series(std::span<const double> time, std::span<const double> mag,
                   std::span<const double> mag_err, double reference) {
  Series s;
  s.reference = reference;
  s.dt.resize(time.size());
  s.y.resize(time.size());
  s.var.resize(time.size());
  for (std::size_t i = 0; i < time.size(); ++i) {
    s.dt[i] = i == 0 ? 0.0 : time[i] - time[i - 1];
    s.y[i] = mag[i] - reference;
    s.var[i] = mag_err[i] * mag_err[i];
  }
  return s;
}

Series without(const Series& series, std::vector<std::size_t> removed) {
  std::sort(removed.begin(), removed.end());
  Series s;
  s.reference = series.reference;
  double since = 0;  // the last epoch kept
  auto next = removed.begin();
  for (std::size_t i = 0; i < series.size(); ++i) {
    since += series.dt[i];
    if (next != removed.end() && *next == i) {
      ++next;
      continue;
    }
    s.dt.push_back(s.dt.empty() ? 0.0 : since);
    s.y.push_back(series.y[i]);
    s.var.push_back(series.var[i]);
    since = 0;
  }
  return s;
}

LeaveOneOut leave_one_out(const Series& series, const Parameters& parameters, Mean mean,
                          std::span<const std::uint8_t> ignored) {
  thread_local LooTable table;  // large, so reused between calls
  leave_one_out_all(series, std::array{parameters}, mean, LooWant::All, table, ignored);
  const std::size_t n = series.size();
  LeaveOneOut out{table.loglike[0], std::vector<double>(n), std::vector<double>(n),
                  std::vector<double>(n)};
  for (std::size_t i = 0; i < n; ++i) {
    out.mean[i] = series.reference + series.y[i] - table.residual[i * table.stride];
    out.var[i] = table.var[i * table.stride];
    out.logpdf[i] = table.logpdf[i * table.stride];
  }
  return out;
}

Predicted predict_at(const Series& series, std::span<const std::uint8_t> ignored,
                     std::span<const double> times, const Parameters& parameters, Mean mean) {
  // The times take part as epochs that are predicted, but not used.
  Series merged;
  merged.reference = series.reference;
  std::vector<std::uint8_t> unused;
  std::vector<std::size_t> places;
  double last = 0;
  const auto add = [&](double time, double y, double var, bool is_used) {
    merged.dt.push_back(merged.dt.empty() ? 0 : time - last);
    merged.y.push_back(y);
    merged.var.push_back(var);
    unused.push_back(is_used ? 0 : 1);
    last = time;
  };
  double time = 0;
  auto next = times.begin();
  for (std::size_t i = 0; i < series.size(); ++i) {
    time += series.dt[i];
    for (; next != times.end() && *next < time; ++next) {
      places.push_back(merged.size());
      add(*next, 0, 0, false);
    }
    add(time, series.y[i], series.var[i], ignored[i] == 0);
  }
  for (; next != times.end(); ++next) {
    places.push_back(merged.size());
    add(*next, 0, 0, false);
  }
  const LeaveOneOut loo = leave_one_out(merged, parameters, mean, unused);
  Predicted out;
  for (const std::size_t k : places) {
    out.mean.push_back(loo.mean[k]);
    out.var.push_back(std::max(loo.var[k] - std::exp(2 * parameters.ln_jitter), 0.0));
  }
  return out;
}

}  // namespace ou
