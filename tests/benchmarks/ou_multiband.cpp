// The likelihood of all bands: five bands, 560 epochs. Items are epochs times trials.
#include <benchmark/benchmark.h>

#include <cmath>
#include <vector>

#include "multiband_simulate.hpp"

namespace {

using ou::multiband::Incoherent;
using ou::multiband::Mean;
using ou::multiband::Parameters;
using ou::multiband::Series;
using ou::multiband::Want;

enum class Lags : std::uint8_t { None, Shared, Own };

Series series() {
  return simulate::series(simulate::bands(1), 5);
}

std::vector<Parameters> trials(std::int64_t count, Lags lags) {
  std::vector<Parameters> out;
  for (std::int64_t k = 0; k < count; ++k) {
    Parameters p = simulate::parameters({});
    p.ln_tau += 0.03 * static_cast<double>(k);
    if (lags != Lags::None) p.lag[1] = 1.5;
    if (lags == Lags::Own) p.lag[1] += 0.5 * static_cast<double>(k);
    out.push_back(p);
  }
  return out;
}

void set_items(benchmark::State& state, const Series& s) {
  const std::int64_t items = state.range(0) * static_cast<std::int64_t>(s.size());
  state.SetItemsProcessed(state.iterations() * items);
  state.counters["ns"] = benchmark::Counter(
      static_cast<double>(items) * 1e-9,
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}

void coherent(benchmark::State& state, Mean mean, Want want, Lags lags) {
  const Series s = series();
  const auto all = trials(state.range(0), lags);
  for (auto _ : state) benchmark::DoNotOptimize(evaluate_all(s, all, mean, want));
  set_items(state, s);
}

void partly_coherent(benchmark::State& state, Mean mean, Want want) {
  const Series s = series();
  const auto all = trials(state.range(0), Lags::None);
  Incoherent incoherent{std::log(20.0), {}};
  incoherent.ln_ratio.fill(std::log(0.3));
  const std::vector<Incoherent> more(all.size(), incoherent);
  for (auto _ : state) benchmark::DoNotOptimize(evaluate_all(s, all, more, mean, want));
  set_items(state, s);
}

void leave_one_out(benchmark::State& state, Mean mean) {
  const Series s = series();
  const Parameters p = trials(1, Lags::None)[0];
  for (auto _ : state) benchmark::DoNotOptimize(leave_one_out(s, p, mean));
  set_items(state, s);
}

#define FOR_MEANS(function, name, ...)                                                    \
  BENCHMARK_CAPTURE(function, given / name, Mean::Given __VA_OPT__(, ) __VA_ARGS__)       \
      ->Arg(1)                                                                            \
      ->Arg(8)                                                                            \
      ->Arg(16);                                                                          \
  BENCHMARK_CAPTURE(function, profiled / name, Mean::Profiled __VA_OPT__(, ) __VA_ARGS__) \
      ->Arg(1)                                                                            \
      ->Arg(8)                                                                            \
      ->Arg(16);                                                                          \
  BENCHMARK_CAPTURE(function, marginal / name, Mean::Marginal __VA_OPT__(, ) __VA_ARGS__) \
      ->Arg(1)                                                                            \
      ->Arg(8)                                                                            \
      ->Arg(16)

FOR_MEANS(coherent, value, Want::Value, Lags::None);
FOR_MEANS(coherent, gradient, Want::Gradient, Lags::None);
FOR_MEANS(coherent, one lag, Want::GradientWithLags, Lags::Shared);
FOR_MEANS(coherent, own lags, Want::Value, Lags::Own);
FOR_MEANS(partly_coherent, value, Want::Value);
FOR_MEANS(partly_coherent, gradient, Want::Gradient);
BENCHMARK_CAPTURE(leave_one_out, given, Mean::Given)->Arg(1);
BENCHMARK_CAPTURE(leave_one_out, profiled, Mean::Profiled)->Arg(1);

}  // namespace
