// The likelihood of all bands: five bands, 560 epochs; 1, 8 and 16 trials at once. `ns` is per
// epoch and trial. And whole fits of as many epochs, by the number of evaluations that they take.
#include <benchmark/benchmark.h>

#include <cmath>
#include <string>
#include <vector>

#include "multiband_fit.hpp"
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
  const auto all = trials(state.range(0), Lags::None);
  for (auto _ : state) {
    for (const Parameters& p : all) benchmark::DoNotOptimize(leave_one_out(s, p, mean));
  }
  set_items(state, s);
}

void fit(benchmark::State& state, Mean mean, bool jitter, bool own_processes) {
  const Series s = series();
  const ou::Box box = ou::standard_box();
  ou::multiband::Model model{jitter ? ou::with_jitter(box) : box, mean};
  model.incoherent = own_processes;
  int evaluations = 0;
  for (auto _ : state) evaluations = fit_global(s, model).evaluations;
  state.counters["evaluations"] = evaluations;
}

constexpr Mean kMeans[] = {Mean::Given, Mean::Profiled, Mean::Marginal};

void add_all() {
  const char* const names[] = {"given", "profiled", "marginal"};
  for (int k = 0; k < 3; ++k) {
    const Mean mean = kMeans[k];
    const auto add = [&](const char* what, const auto& function, auto... arguments) {
      benchmark::RegisterBenchmark((std::string(what) + "/" + names[k]).c_str(), function, mean,
                                   arguments...)
          ->Arg(1)
          ->Arg(8)
          ->Arg(16);
    };
    add("M/value", coherent, Want::Value, Lags::None);
    add("M/gradient", coherent, Want::Gradient, Lags::None);
    add("M/gradient_with_lags", coherent, Want::GradientWithLags, Lags::Shared);
    add("M/value_at_other_lags", coherent, Want::Value, Lags::Own);
    add("M2/value", partly_coherent, Want::Value);
    add("M2/gradient", partly_coherent, Want::Gradient);
    add("M/leave_one_out", leave_one_out);
    const auto add_fit = [&](const char* what, bool jitter, bool own_processes) {
      benchmark::RegisterBenchmark((std::string(what) + "/" + names[k]).c_str(), fit, mean, jitter,
                                   own_processes)
          ->Unit(benchmark::kMillisecond);
    };
    if (mean == Mean::Given) continue;
    add_fit("M/fit", false, false);
    add_fit("M/fit_with_jitter", true, false);
    add_fit("M2/fit", false, true);
  }
}

}  // namespace

int main(int argc, char** argv) {
  add_all();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
