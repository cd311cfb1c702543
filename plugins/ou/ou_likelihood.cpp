#include "ou_likelihood.hpp"

#include <algorithm>
#include <array>

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

LeaveOneOut leave_one_out(const Series& series, const Parameters& parameters, Mean mean) {
  LooTable table;
  leave_one_out_all(series, std::array{parameters}, mean, LooWant::All, table);
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

}  // namespace ou
