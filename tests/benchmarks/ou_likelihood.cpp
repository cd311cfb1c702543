// The likelihood: a plain scalar recursion, one trial after another with vectorised exponentials,
// and trials side by side in SIMD lanes. Items are epochs times trials: rates can be compared
// directly.
#include <benchmark/benchmark.h>

#include <hwy/base.h>
#include <algorithm>
#include <cmath>
#include <vector>

#include "loo_clean.hpp"
#include "simulate.hpp"

namespace {

using ou::Mean;
using ou::Want;

ou::Series series(const benchmark::State& state) {
  return ou::series_of(simulate::curve(static_cast<std::size_t>(state.range(0)), 1));
}

std::vector<ou::Trial> trials() {
  std::vector<ou::Trial> out;
  for (int k = 0; k < 16; ++k) out.push_back({{std::log(0.1) + 0.02 * k, std::log(90) - 0.03 * k}});
  return out;
}

void set_items(benchmark::State& state, std::size_t trials) {
  state.SetItemsProcessed(state.iterations() * state.range(0) * static_cast<std::int64_t>(trials));
}

// The recursion of the library with nothing vectorised.
namespace plain {
using std::log;
double min(double a, double b) {
  return std::min(a, b);
}
double widened(double x) {
  return x;
}
double expm1_of_minus(double x) {
  return std::expm1(-x);
}
#include "ou_recursion-inl.hpp"

template <int NP>
double evaluate(const ou::Series& s, const ou::Parameters& p) {
  Filter<double, NP, 1> filter(std::exp(2 * p.ln_sigma), 0);
  Sums<double, NP, 1> sums;
  const double inv_tau = std::exp(-p.ln_tau);
  for (std::size_t i = 0; i < s.size(); ++i)
    filter.template take<false>(step_over(s.dt[i], inv_tau), s.y[i], s.var[i], false, 0.0, sums);
  return sums.quad[0] + sums.minus_dquad[0][0] + sums.dlogdet[0] + sums.information[0] +
         sums.logdet.total();
}
}  // namespace plain

template <int NP>
void plain_scalar(benchmark::State& state) {
  const ou::Series s = series(state);
  const auto all = trials();
  for (auto _ : state) {
    for (const ou::Trial& t : all) benchmark::DoNotOptimize(plain::evaluate<NP>(s, t.at));
  }
  set_items(state, all.size());
}

void one_by_one(benchmark::State& state, Want want) {
  const ou::Series s = series(state);
  const auto all = trials();
  for (auto _ : state) {
    for (const ou::Trial& t : all)
      benchmark::DoNotOptimize(ou::evaluate(s, t.at, Mean::Fixed, want));
  }
  set_items(state, all.size());
}

void in_lanes(benchmark::State& state, Want want) {
  const ou::Series s = series(state);
  const auto all = trials();
  for (auto _ : state) benchmark::DoNotOptimize(ou::evaluate_all(s, all, Mean::Fixed, want));
  set_items(state, all.size());
}

void leave_one_out(benchmark::State& state) {
  const ou::Series s = series(state);
  std::vector<ou::Parameters> all;
  for (const ou::Trial& t : trials()) all.push_back(t.at);
  ou::LooTable table;
  for (auto _ : state) {
    ou::leave_one_out_all(s, all, Mean::Fixed, ou::LooWant::All, table);
    benchmark::DoNotOptimize(table.logpdf.data());
  }
  set_items(state, all.size());
}

BENCHMARK(plain_scalar<0>)->Name("plain_scalar/value")->Arg(300)->Arg(1000);
BENCHMARK(plain_scalar<2>)->Name("plain_scalar/gradient")->Arg(300)->Arg(1000);
BENCHMARK_CAPTURE(one_by_one, value, Want::Value)->Arg(60)->Arg(300)->Arg(1000)->Arg(2500);
BENCHMARK_CAPTURE(one_by_one, gradient, Want::Gradient)->Arg(60)->Arg(300)->Arg(1000)->Arg(2500);
BENCHMARK_CAPTURE(in_lanes, value, Want::Value)->Arg(60)->Arg(300)->Arg(1000)->Arg(2500);
BENCHMARK_CAPTURE(in_lanes, gradient, Want::Gradient)->Arg(60)->Arg(300)->Arg(1000)->Arg(2500);
BENCHMARK(leave_one_out)->Arg(60)->Arg(300)->Arg(1000)->Arg(2500);

}  // namespace
