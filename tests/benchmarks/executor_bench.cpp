// 300 batches that wait 40 ms each, 16 at a time, and compute 4 ms: the waiting alone takes 0.75 s.
// Prints seconds, best and median of some runs; those on one thread cannot take less than 1.2 s.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string_view>
#include <vector>

#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"

namespace {

constexpr int kRuns = 9;
constexpr std::string_view kChain = R"(
[chain]
name = "executor"
batch_rows = 1
plugins = ["{}"]
[[stage]]
use = "numbers"
[[stage]]
use = "waits"
[[stage]]
use = "computes"
)";

double seconds_of_run(const std::filesystem::path& file, int threads) {
  qsohost::Plugins plugins;
  std::vector<qsohost::Problem> problems;
  auto chain = qsohost::Chain::load(file, {}, plugins, problems);
  if (!chain) {
    for (const auto& problem : problems) std::cerr << problem.text() << '\n';
    std::exit(2);
  }
  qsohost::RunOptions options;
  options.dry_run = true;  // without the ledger, whose commits wait for the disk
  options.threads = threads;
  return qsohost::run(*chain, options).seconds;
}

}  // namespace

int main() {
  const auto file = std::filesystem::temp_directory_path() / "qsohost-executor-bench.toml";
  std::ofstream(file) << fmt::format(kChain, STAGES);
  for (const int threads : {1, 2}) {
    std::vector<double> seconds;
    for (int i = 0; i < kRuns; ++i) seconds.push_back(seconds_of_run(file, threads));
    std::ranges::sort(seconds);
    std::cout << fmt::format("{} threads: {:.3f} s at best, median {:.3f} s\n", threads,
                             seconds.front(), seconds[kRuns / 2]);
  }
  std::filesystem::remove(file);
  return 0;
}
