#include "ou_likelihood.hpp"

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

Series without(const Series& series, std::size_t j, double reference) {
  Series s = series;
  const auto at = static_cast<std::ptrdiff_t>(j);
  if (j + 1 < s.size()) s.dt[j + 1] = j == 0 ? 0.0 : s.dt[j] + s.dt[j + 1];
  s.dt.erase(s.dt.begin() + at);
  s.y.erase(s.y.begin() + at);
  s.var.erase(s.var.begin() + at);
  const double shift = series.reference - reference;
  for (double& y : s.y) y += shift;
  s.reference = reference;
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
