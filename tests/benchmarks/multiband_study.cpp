// What fits of all bands achieve on simulated quasars with ZTF g, r and Gaia G, BP, RP: tables, not
// timings.
//   multiband_study bias [OBJECTS]        fit - truth, by mean and by number of bands
//   multiband_study maxima [OBJECTS]      maxima missed against 40 more starts
//   multiband_study jitter [OBJECTS]      jitter found, by true jitter
//   multiband_study incoherent [OBJECTS]  which model the Bayesian criterion prefers
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "multiband_clean.hpp"
#include "multiband_simulate.hpp"

namespace {

using namespace ou::multiband;

constexpr std::size_t kBands = 5;
constexpr const char* kNames[] = {"g", "r", "G", "BP", "RP"};
constexpr double kContaminations[] = {0.003, 0.01, 0.03};

// In the observed frame. The fits are in the rest frame, and so is what they are compared with.
struct Quasar {
  simulate::BandsTruth truth;
  double z = 0;
  simulate::Bands epochs;
  double ln_tau() const { return std::log(truth.tau / (1 + z)); }
  double ln_d(std::size_t band) const { return 2 * std::log(truth.sigma[band]) - ln_tau(); }
};

Quasar draw(std::uint64_t seed) {
  simulate::Random random(seed * 7919 + 5);
  const auto between = [&](double low, double high) {
    return low * std::exp(random.uniform() * std::log(high / low));
  };
  Quasar q;
  q.z = 0.5 + 2 * random.uniform();
  q.truth.tau = between(30, 500) * (1 + q.z);
  const double amplitude = between(0.4, 1.6);
  for (double& sigma : q.truth.sigma) sigma *= amplitude;
  const auto transits = static_cast<std::size_t>(between(20, 60));
  q.truth.epochs = {static_cast<std::size_t>(between(60, 400)),
                    static_cast<std::size_t>(between(60, 400)), transits, transits, transits};
  q.epochs = simulate::bands(seed, q.truth);
  return q;
}

Quasar draw_raw(std::uint64_t seed) {
  Quasar q = draw(seed);
  simulate::Random random(seed * 104729 + 1);
  simulate::add_outliers(q.epochs, kContaminations[seed % 3], random);
  return q;
}

// The first `bands` bands.
Series series_of(const Quasar& q, std::size_t bands) {
  simulate::Bands part;
  for (std::size_t i = 0; i < q.epochs.time.size(); ++i) {
    if (q.epochs.band[i] >= bands) continue;
    part.time.push_back(q.epochs.time[i] / (1 + q.z));
    part.band.push_back(q.epochs.band[i]);
    part.mag.push_back(q.epochs.mag[i]);
    part.mag_err.push_back(q.epochs.mag_err[i]);
  }
  return simulate::series(part, bands);
}

double median_of(std::vector<double> v) {
  if (v.empty()) return std::nan("");
  std::sort(v.begin(), v.end());
  return 0.5 * (v[(v.size() - 1) / 2] + v[v.size() / 2]);
}

// Median +- 1.4826 x the median distance from it.
std::string spread(const std::vector<double>& v) {
  const double middle = median_of(v);
  std::vector<double> distances;
  for (const double x : v) distances.push_back(std::abs(x - middle));
  return fmt::format("{:+.2f} +- {:.2f}", middle, 1.4826 * median_of(distances));
}

double per_cent(std::size_t some, std::size_t all) {
  return 100.0 * static_cast<double>(some) / static_cast<double>(all);
}

void bias(std::size_t objects) {
  fmt::print("curves       bands  mean      ln tau          ln D of each band\n");
  for (const bool raw : {false, true}) {
    for (const std::size_t bands : {std::size_t{1}, std::size_t{2}, kBands}) {
      for (const Mean mean : {Mean::Profiled, Mean::Marginal}) {
        std::vector<double> ln_tau;
        std::vector<std::vector<double>> ln_d(bands);
        for (std::size_t k = 0; k < objects; ++k) {
          const Quasar q = raw ? draw_raw(k) : draw(k);
          const Series s = series_of(q, bands);
          const Model model{ou::standard_box(), mean};
          ou::Rule rule;
          rule.min_points = 5;
          const Fit fit = raw ? clean_by_prediction(s, model, rule).fit : fit_global(s, model);
          ln_tau.push_back(fit.at.ln_tau - q.ln_tau());
          for (std::size_t b = 0; b < bands; ++b)
            ln_d[b].push_back(2 * fit.at.ln_sigma[b] - fit.at.ln_tau - q.ln_d(b));
        }
        fmt::print("{:<12} {:>5}  {:<8}  {}  ", raw ? "raw, cleaned" : "clean", bands,
                   mean == Mean::Profiled ? "profiled" : "marginal", spread(ln_tau));
        for (std::size_t b = 0; b < bands; ++b) fmt::print("  {} {}", kNames[b], spread(ln_d[b]));
        fmt::print("\n");
        std::fflush(stdout);
      }
    }
  }
}

std::vector<Parameters> starts(std::uint64_t seed, const ou::Box& box) {
  simulate::Random random(seed * 31337 + 3);
  std::vector<Parameters> out(40);
  for (std::size_t k = 0; k < out.size(); ++k) {
    const double part = (static_cast<double>(k) + random.uniform()) / 40;
    out[k].ln_tau = box.ln_tau_min + part * (box.ln_tau_max - box.ln_tau_min);
    const double level = std::log(0.02) + random.uniform() * std::log(50);
    for (std::size_t b = 0; b < kBands; ++b) {
      out[k].ln_sigma[b] = level + random.normal() * 0.3;
      out[k].ln_jitter[b] = std::log(0.001) + random.uniform() * std::log(100);
    }
  }
  return out;
}

void maxima(std::size_t objects) {
  fmt::print("curves  mean      jitter  missed by 0.1, by 0.001  not converged\n");
  for (const bool raw : {false, true}) {
    for (const Mean mean : {Mean::Profiled, Mean::Marginal}) {
      for (const bool jitter : {false, true}) {
        std::size_t missed = 0, just_missed = 0, failed = 0;
        for (std::size_t k = 0; k < objects; ++k) {
          const Series s = series_of(raw ? draw_raw(k) : draw(k), kBands);
          const ou::Box box = ou::standard_box();
          const Model model{jitter ? ou::with_jitter(box) : box, mean};
          const Fit fit = fit_global(s, model);
          const Fit more = fit_global(s, model, starts(k, box));
          const double gained = more.value.loglike - fit.value.loglike;
          failed += !fit.converged;
          missed += gained > 0.1;
          just_missed += gained > 1e-3;
          if (gained > 1e-3)
            fmt::print(stderr, "raw {} jitter {} seed {}: {:.3f}, tau {:.3g} for {:.3g}\n", raw,
                       jitter, k, gained, std::exp(fit.at.ln_tau), std::exp(more.at.ln_tau));
        }
        fmt::print("{:<6}  {:<8}  {:<6} {:13.2f}% {:8.2f}% {:14}\n", raw ? "raw" : "clean",
                   mean == Mean::Profiled ? "profiled" : "marginal", jitter ? "fit" : "none",
                   per_cent(missed, objects), per_cent(just_missed, objects), failed);
        std::fflush(stdout);
      }
    }
  }
}

// All bands have the same jitter in units of their errors.
void jitter(std::size_t objects) {
  fmt::print("true jitter / error  band  ln jitter, fit - truth  at the bound  ln tau\n");
  for (const double share : {0.0, 0.5, 1.0, 2.0}) {
    std::vector<std::vector<double>> found(kBands);
    std::vector<double> ln_tau;
    std::size_t at_bound[kBands] = {};
    for (std::size_t k = 0; k < objects; ++k) {
      Quasar q = draw(k);
      std::vector<double> sd;
      for (const double error : q.truth.error) sd.push_back(share * error);
      simulate::Random random(k * 15485863 + 7);
      simulate::add_noise(q.epochs, sd, random);
      const Fit fit =
          fit_global(series_of(q, kBands), {ou::with_jitter(ou::standard_box()), Mean::Marginal});
      ln_tau.push_back(fit.at.ln_tau - q.ln_tau());
      for (std::size_t b = 0; b < kBands; ++b) {
        const bool none = (fit.bounds[b] & ou::kJitterLow) != 0;
        at_bound[b] += none;
        if (!none) found[b].push_back(fit.at.ln_jitter[b] - std::log(share * q.truth.error[b]));
      }
    }
    for (std::size_t b = 0; b < kBands; ++b)
      fmt::print("{:19} {:>5}  {:<22} {:12.1f}%  {}\n", share, kNames[b],
                 share > 0 ? spread(found[b]) : "-", per_cent(at_bound[b], objects),
                 b == 0 ? spread(ln_tau) : "");
    std::fflush(stdout);
  }
}

void incoherent(std::size_t objects) {
  fmt::print("processes of the bands' own  M2 preferred  gain in ln L: median, 95 %\n");
  for (const double ratio : {0.0, 0.1, 0.3, 0.6}) {
    std::size_t preferred = 0;
    std::vector<double> gains;
    for (std::size_t k = 0; k < objects; ++k) {
      Quasar q = draw(k);
      simulate::Random random(k * 32452843 + 9);
      simulate::add_own_processes(q.epochs, q.truth, ratio, q.truth.tau / 8, random);
      const Series s = series_of(q, kBands);
      Model model{ou::standard_box(), Mean::Marginal};
      const Fit m = fit_global(s, model);
      model.incoherent = true;
      const Fit m2 = fit_global(s, model);
      preferred += bic(m2, s.size()) < bic(m, s.size());
      gains.push_back(m2.value.loglike - m.value.loglike);
    }
    std::sort(gains.begin(), gains.end());
    fmt::print("r = {:3.1f}, tau_2 = tau / 8      {:11.1f}%  {:.1f}, {:.1f}\n", ratio,
               per_cent(preferred, objects), median_of(gains), gains[gains.size() * 95 / 100]);
    std::fflush(stdout);
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view what = count > 1 ? arguments[1] : "";
  const std::size_t objects = count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 300;
  for (const auto& [name, study] :
       {std::pair{"bias", &bias}, std::pair{"maxima", &maxima}, std::pair{"jitter", &jitter},
        std::pair{"incoherent", &incoherent}}) {
    if (what != name) continue;
    study(objects);
    return 0;
  }
  fmt::print(stderr, "usage: multiband_study bias|maxima|jitter|incoherent [OBJECTS]\n");
  return 2;
}
