// Epochs a second whose times are converted, on one core. The first call for a date takes longer:
// the orbit of the Earth is computed once for each block of 128 days.
#include <benchmark/benchmark.h>

#include <random>
#include <vector>

#include <qsohost/time_converter.hpp>

namespace {

using qsohost::TimeSystem;

void convert(benchmark::State& state, const TimeSystem& from, const TimeSystem& to) {
  std::mt19937_64 random(1);
  // Ten years.
  std::uniform_real_distribution<double> date(57000, 60650);
  std::vector<double> times(100000);
  for (double& time : times) time = date(random) - (from.zero - qsohost::kMjdZero);
  for (auto _ : state) {
    benchmark::DoNotOptimize(qsohost::times_on(to, from, times, 150, 2));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(times.size()));
}

BENCHMARK_CAPTURE(convert, observatory_to_barycentre, qsohost::kMjdUtc, qsohost::kBjdTdb);
BENCHMARK_CAPTURE(convert, barycentre_to_observatory, qsohost::kBjdTdb, qsohost::kMjdUtc);
BENCHMARK_CAPTURE(convert, gaia_to_barycentre, qsohost::kGaiaTime, qsohost::kBjdTdb);

}  // namespace
