// Time of one likelihood, one gradient and one fit of the damped harmonic oscillator, by number of
// epochs; fits go round eight light curves.
#include <benchmark/benchmark.h>

#include <cmath>

#include "dho_fit.hpp"
#include "simulate.hpp"

namespace {

const dho::Parameters kTruth{std::log(0.2), std::log(0.01), std::log(3), std::log(5)};

dho::Series series_of(const benchmark::State& state, std::uint64_t seed) {
  return simulate::series(static_cast<std::size_t>(state.range(0)), seed, kTruth);
}

void value(benchmark::State& state) {
  const dho::Series series = series_of(state, 1);
  for (auto _ : state) benchmark::DoNotOptimize(value_at(series, kTruth, dho::Mean::Profiled));
}

void gradient(benchmark::State& state) {
  const dho::Series series = series_of(state, 1);
  for (auto _ : state) benchmark::DoNotOptimize(gradient_at(series, kTruth, dho::Mean::Profiled));
}

void fit(benchmark::State& state) {
  std::vector<dho::Series> curves;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) curves.push_back(series_of(state, seed));
  std::size_t next = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(fit_global(curves[next], dho::standard_box(), dho::Mean::Profiled));
    next = (next + 1) % curves.size();
  }
}

BENCHMARK(value)->Arg(100)->Arg(300)->Arg(1000);
BENCHMARK(gradient)->Arg(100)->Arg(300)->Arg(1000);
BENCHMARK(fit)->Arg(100)->Arg(300)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace
