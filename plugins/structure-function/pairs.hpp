// All pairs of epochs of a light curve, by bin of their lag.
#pragma once

#include <cstddef>
#include <functional>
#include <span>

namespace sf {

// Calls `add(bin, i, j, lag)` for each pair i < j with edges[bin] <= lag < edges[bin + 1]. Times
// ascend. False if `stop_requested`, which is polled at each epoch.
template <class Add>
bool for_each_pair(std::span<const double> time, std::span<const double> edges,
                   const std::function<bool()>& stop_requested, const Add& add) {
  const std::size_t bins = edges.size() - 1;
  for (std::size_t i = 0; i < time.size(); ++i) {
    if (stop_requested()) return false;
    std::size_t k = 0;  // lags ascend with j, and so do their bins
    for (std::size_t j = i + 1; j < time.size(); ++j) {
      const double lag = time[j] - time[i];
      if (lag < edges[0]) continue;
      while (k < bins && lag >= edges[k + 1]) ++k;
      if (k == bins) break;
      add(k, i, j, lag);
    }
  }
  return true;
}

}  // namespace sf
