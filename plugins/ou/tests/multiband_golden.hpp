// Reference numbers of the multi-band likelihood.
#pragma once

#include "golden.hpp"
#include "multiband_likelihood.hpp"

namespace golden {

inline std::vector<Json> multiband_cases() {
  return cases(OU_MULTIBAND_GOLDEN_FILE, "ou_multiband_golden.json");
}

// A case as passed to the sweeps, relative to `reference` (of each band; one for all if empty).
struct BandsCase {
  BandsCase(const Json& c, const std::vector<double>& reference) {
    const double stretch = 1 + c.at("z").get<double>();
    const std::size_t bands = c.at("bands").size();
    std::vector<double> time = numbers(c.at("t"));
    for (double& t : time) t /= stretch;
    ou::multiband::PerBand<double> references{};
    std::copy(reference.begin(), reference.end(), references.begin());
    sorted = ou::multiband::make_series(bands, time, c.at("band").get<std::vector<std::uint8_t>>(),
                                        numbers(c.at("y")), numbers(c.at("err")), references);
    const Json& p = c.at("params");
    const auto logs = [&](const char* name, ou::multiband::PerBand<double>& out) {
      for (std::size_t b = 0; b < bands; ++b) out[b] = std::log(p.at(name)[b].get<double>());
    };
    at.ln_tau = std::log(p.at("tau").get<double>());
    logs("sigma", at.ln_sigma);
    logs("jitter", at.ln_jitter);
    for (std::size_t b = 0; b < bands; ++b) at.lag[b] = p.at("lag")[b];
    if (c.at("model") == "M2") {
      is_m2 = true;
      incoherent.ln_tau = std::log(p.at("tau2").get<double>());
      logs("r", incoherent.ln_ratio);
    }
  }
  const ou::multiband::Series& series() const { return sorted.series; }
  std::size_t bands() const { return sorted.series.bands; }

  // Of model M or M2, as the case says.
  ou::multiband::Evaluation evaluate(ou::multiband::Mean mean, ou::multiband::Want want) const {
    return is_m2 ? ou::multiband::evaluate(series(), at, incoherent, mean, want)
                 : ou::multiband::evaluate(series(), at, mean, want);
  }
  ou::multiband::LeaveOneOut leave_one_out(ou::multiband::Mean mean) const {
    return is_m2 ? ou::multiband::leave_one_out(series(), at, incoherent, mean)
                 : ou::multiband::leave_one_out(series(), at, mean);
  }

  ou::multiband::SortedSeries sorted;
  ou::multiband::Parameters at;
  ou::multiband::Incoherent incoherent;
  bool is_m2 = false;
};

}  // namespace golden
