// Time of one likelihood and one gradient (of many side by side in SIMD lanes) and of one fit of
// the damped harmonic oscillator with a profiled mean, by instruction set and number of epochs;
// fits go round eight light curves.
#include <benchmark/benchmark.h>
#include <hwy/targets.h>

#include <string>

#include "dho_fit.hpp"
#include "simulate.hpp"

namespace {

const dho::Parameters kTruth = simulate::logs(0.2, 0.01, 3, 5);

dho::Series series_of(const benchmark::State& state, std::uint64_t seed) {
  return simulate::series(static_cast<std::size_t>(state.range(0)), seed, kTruth);
}

void evaluate(benchmark::State& state, dho::Want want) {
  constexpr std::size_t kTrials = 64;
  const dho::Series series = series_of(state, 1);
  const std::vector<dho::Trial> trials(kTrials, dho::Trial{kTruth});
  for (auto _ : state)
    benchmark::DoNotOptimize(evaluate_all(series, trials, dho::Mean::Profiled, want));
  state.counters["ns_per_epoch"] = benchmark::Counter(
      1e-9 * kTrials * static_cast<double>(series.size()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
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

template <class Run>
void add(const std::string& name, std::int64_t target, const Run& run) {
  const auto on_target = [=](benchmark::State& state) {
    hwy::SetSupportedTargetsForTest(target);
    run(state);
    hwy::SetSupportedTargetsForTest(0);
  };
  benchmark::RegisterBenchmark((name + "/" + hwy::TargetName(target)).c_str(), on_target)
      ->Arg(100)
      ->Arg(300)
      ->Arg(1000)
      ->Unit(benchmark::kMillisecond);
}

}  // namespace

int main(int count, char** arguments) {
  for (const auto target : hwy::SupportedAndGeneratedTargets()) {
    add("value", target, [](auto& state) { evaluate(state, dho::Want::Value); });
    add("gradient", target, [](auto& state) { evaluate(state, dho::Want::Gradient); });
    add("fit", target, fit);
  }
  benchmark::Initialize(&count, arguments);
  benchmark::RunSpecifiedBenchmarks();
}
