// Cleaning one light curve: a fit and one pass, screened or exact; and with as many passes as
// needed.
#include <benchmark/benchmark.h>

#include "loo_clean.hpp"
#include "ou_posterior.hpp"
#include "predictive_rule.hpp"
#include "simulate.hpp"

namespace {

ou::Curve curve(const benchmark::State& state, int k, double contamination) {
  simulate::Random random(static_cast<std::uint64_t>(k));
  ou::Curve c = simulate::curve(static_cast<std::size_t>(state.range(0)),
                                static_cast<std::uint64_t>(k), simulate::any_truth(random));
  simulate::add_outliers(c, contamination, random);
  return c;
}

void fit(benchmark::State& state) {
  std::vector<ou::Series> all;
  for (int k = 0; k < 8; ++k) all.push_back(ou::series_of(curve(state, k, 0.003)));
  const ou::Box box = ou::standard_box();
  for (auto _ : state) {
    for (const ou::Series& s : all)
      benchmark::DoNotOptimize(
          ou::fit_global(s, box, ou::Mean::Fixed, ou::look_along_tau(s, box, ou::Mean::Fixed)));
  }
  state.SetItemsProcessed(state.iterations() * 8);
}

void posterior(benchmark::State& state) {
  std::vector<ou::Series> all;
  for (int k = 0; k < 8; ++k) all.push_back(ou::series_of(curve(state, k, 0)));
  const ou::Box box = ou::standard_box();
  for (auto _ : state) {
    for (const ou::Series& s : all)
      benchmark::DoNotOptimize(
          ou::posterior_of(s, box, ou::Prior::LogUniform, ou::Parameters{}.ln_jitter));
  }
  state.SetItemsProcessed(state.iterations() * 8);
}

template <class Rule>
void clean_all(benchmark::State& state, const Rule& clean) {
  std::vector<ou::Curve> all;
  for (int k = 0; k < 8; ++k) all.push_back(curve(state, k, 0.003));
  for (auto _ : state) {
    for (const ou::Curve& c : all) benchmark::DoNotOptimize(clean(c));
  }
  state.SetItemsProcessed(state.iterations() * 8);  // light curves
}

void clean(benchmark::State& state, ou::Mode mode) {
  ou::Rule rule;
  rule.mode = mode;
  clean_all(state, [&](const ou::Curve& c) { return ou::clean(c, rule); });
}

void clean_by_prediction(benchmark::State& state) {
  clean_all(state, [](const ou::Curve& c) { return ou::clean_by_prediction(c, {}); });
}

// From the fit of all epochs to the epoch that goes, if any.
void one_pass(benchmark::State& state, ou::Mode mode) {
  ou::Rule rule;
  rule.mode = mode;
  std::vector<ou::Series> all;
  std::vector<ou::Ridge> ridges;
  std::vector<ou::Fit> fits;
  for (int k = 0; k < 8; ++k) {
    all.push_back(ou::series_of(curve(state, k, 0.003)));
    ridges.push_back(ou::look_along_tau(all.back(), rule.box, rule.mean));
    fits.push_back(ou::fit_global(all.back(), rule.box, rule.mean, ridges.back()));
  }
  for (auto _ : state) {
    for (std::size_t k = 0; k < all.size(); ++k) {
      const ou::Refits refits(all[k], fits[k], ridges[k], rule.box, rule.mean);
      benchmark::DoNotOptimize(ou::make_pass(refits, fits[k], all[k].size(), rule));
    }
  }
  state.SetItemsProcessed(state.iterations() * 8);
}

BENCHMARK(posterior)->Arg(60)->Arg(300)->Arg(1000);
BENCHMARK(fit)->Arg(60)->Arg(300)->Arg(1000)->Arg(2500);
BENCHMARK_CAPTURE(one_pass, screened, ou::Mode::Screened)->Arg(60)->Arg(300)->Arg(1000);
BENCHMARK_CAPTURE(one_pass, exact, ou::Mode::Exact)->Arg(60)->Arg(300)->Arg(1000);
BENCHMARK_CAPTURE(clean, influence_screened, ou::Mode::Screened)
    ->Arg(60)
    ->Arg(300)
    ->Arg(1000)
    ->Arg(2500);
BENCHMARK_CAPTURE(clean, influence_exact, ou::Mode::Exact)->Arg(60)->Arg(300);
BENCHMARK(clean_by_prediction)->Arg(60)->Arg(300)->Arg(1000)->Arg(2500);

}  // namespace
