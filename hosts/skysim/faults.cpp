#include "faults.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <sstream>

#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"

namespace qsohost::skysim {

namespace {

constexpr auto kJob = static_cast<std::size_t>(Fault::JobError);

}  // namespace

Faults::Faults(const std::string& rates, std::uint64_t seed) : random_(seed, Stream::Field, {78}) {
  std::istringstream in(rates);
  for (std::string part; std::getline(in, part, ',');) {
    const std::size_t at = part.find('=');
    const std::string name = part.substr(0, at);
    const auto rate = parse_double(at == std::string::npos ? "" : part.substr(at + 1));
    const auto known = std::find(kFaultNames.begin() + 1, kFaultNames.end(), name);
    if ((known == kFaultNames.end() && name != "all") || !rate || !(*rate >= 0 && *rate <= 1)) {
      throw RunError(fmt::format(
          "--faults: '{}': NAME=RATE is wanted, RATE from 0 to 1, NAME all or one of {}", part,
          fmt::join(kFaultNames.begin() + 1, kFaultNames.end(), ", ")));
    }
    if (name == "all") {
      std::fill(rates_.begin() + 1, rates_.begin() + kJob, *rate);
    } else {
      rates_[static_cast<std::size_t>(known - kFaultNames.begin())] = *rate;
    }
  }
  const double sum = std::accumulate(rates_.begin(), rates_.begin() + kJob, 0.0);
  if (sum > 1) throw RunError(fmt::format("--faults: the rates sum up to {}, above 1", sum));
}

Fault Faults::next() {
  const std::lock_guard lock(mutex_);
  double draw = random_.uniform();
  for (std::size_t k = 1; k < kJob; ++k) {
    if (draw < rates_[k]) return static_cast<Fault>(k);
    draw -= rates_[k];
  }
  return Fault::None;
}

bool Faults::job_fails() {
  const std::lock_guard lock(mutex_);
  return random_.chance(rates_[kJob]);
}

double Faults::part() {
  const std::lock_guard lock(mutex_);
  return random_.uniform();
}

}  // namespace qsohost::skysim
