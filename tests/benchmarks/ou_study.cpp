// What the fits and the rules of ou-loo achieve on simulated light curves: tables, not timings.
//   ou_study fits [CURVES]    evaluations per fit, and maxima missed against a dense grid of starts
//   ou_study jitter [CURVES]  the same with jitter fitted
//   ou_study rules [CURVES]   outliers found and epochs falsely removed, by rule
//   ou_study modes [CURVES]   epochs removed in mode screened and in mode exact
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "loo_clean.hpp"
#include "ou_surface.hpp"
#include "predictive_rule.hpp"
#include "simulate.hpp"

namespace {

constexpr std::size_t kSizes[] = {12, 30, 60, 300, 1000, 2500};
constexpr double kContaminations[] = {0, 0.003, 0.01, 0.03};

ou::Curve draw(std::size_t n, double contamination, std::uint64_t seed,
               std::vector<std::size_t>* moved = nullptr, simulate::Truth* truth = nullptr) {
  simulate::Random random(seed * 7919 + n);
  const simulate::Truth t = simulate::any_truth(random);
  ou::Curve c = simulate::curve(n, seed, t);
  const auto at = simulate::add_outliers(c, contamination, random);
  if (moved != nullptr) *moved = at;
  if (truth != nullptr) *truth = t;
  return c;
}

double quantile(std::vector<double> v, double q) {
  std::sort(v.begin(), v.end());
  return v[static_cast<std::size_t>(q * static_cast<double>(v.size() - 1))];
}

template <int D>
double densest(const ou::Series& series, const ou::Box& box) {
  std::vector<ou::Start> starts;
  for (double ln_tau = box.ln_tau_min + 0.1; ln_tau < box.ln_tau_max; ln_tau += 1) {
    for (double ln_sigma = std::log(0.01); ln_sigma < std::log(3.0); ln_sigma += 0.7) {
      if (D == 2) starts.push_back({{ln_sigma, ln_tau}});
      if (D == 3)
        for (const double jitter : {1e-4, 0.005, 0.03, 0.15})
          starts.push_back({{ln_sigma, ln_tau, std::log(jitter)}});
    }
  }
  double best = -1e300;
  for (const auto& s : ou::climb_all<D>(series, box, ou::Mean::Fixed, starts, 1e-3))
    best = std::max(best, s.best.value.loglike);
  return best;
}

// Two parameters, of curves with outliers; or three, of curves with jitter.
template <int D>
void fits(std::size_t curves) {
  fmt::print("   N  curves  median  95 %  largest  missed by 0.1, by 0.001  not converged\n");
  const ou::Box box = D == 3 ? ou::with_jitter(ou::standard_box()) : ou::standard_box();
  const auto per_cent = [&](std::size_t some) {
    return 100.0 * static_cast<double>(some) / static_cast<double>(curves);
  };
  for (const std::size_t n : kSizes) {
    std::vector<double> evaluations;
    std::size_t missed = 0, just_missed = 0, failed = 0;
    for (std::size_t k = 0; k < curves; ++k) {
      const ou::Series s = ou::series_of(D == 3 ? simulate::jittered_curve(n, k)
                                                : draw(n, kContaminations[k % 4], k));
      const ou::Ridge ridge = ou::look_along_tau(s, box, ou::Mean::Fixed);
      const ou::Fit fit = ou::fit_global(s, box, ou::Mean::Fixed, ridge);
      evaluations.push_back(fit.evaluations);
      failed += !fit.converged;
      const double gained = densest<D>(s, box) - fit.loglike;
      missed += gained > 0.1;
      just_missed += gained > 1e-3;
    }
    fmt::print("{:5d} {:6d} {:7.0f} {:6.0f} {:8.0f} {:13.2f}% {:8.2f}% {:14d}\n", n, curves,
               quantile(evaluations, 0.5), quantile(evaluations, 0.95), quantile(evaluations, 1),
               per_cent(missed), per_cent(just_missed), failed);
  }
}

std::string text(const ou::Cleaned& c) {
  return fmt::format("removed {} ending {} ln D {:.4f}", fmt::join(c.removed, " "),
                     static_cast<int>(c.ending), c.post.ln_d());
}

void modes(std::size_t curves) {
  fmt::print("   N  curves  removed  curves that differ\n");
  for (const std::size_t n : kSizes) {
    const std::size_t here = n > 500 ? std::max<std::size_t>(curves / 4, 1) : curves;
    std::size_t removed = 0, differ = 0;
    std::string how;
    for (std::size_t k = 0; k < here; ++k) {
      const ou::Curve c = draw(n, kContaminations[k % 4], k);
      ou::Rule rule;
      const ou::Cleaned screened = ou::clean(c, rule);
      rule.mode = ou::Mode::Exact;
      const ou::Cleaned exact = ou::clean(c, rule);
      removed += exact.removed.size();
      if (screened.removed == exact.removed && screened.ending == exact.ending) continue;
      ++differ;
      how += fmt::format("      curve {}: screened {}; exact {}\n", k, text(screened), text(exact));
    }
    fmt::print("{:5d} {:6d} {:8d} {:7d}\n{}", n, here, removed, differ, how);
  }
}

// What a rule did: of injected outliers beyond 5 sigma of what the good epochs predict at the true
// parameters, and of all others.
struct Score {
  std::size_t curves = 0, outliers = 0, found = 0, small = 0, found_small = 0, falsely = 0;
  void add(const ou::Curve& c, const std::vector<std::size_t>& moved, const simulate::Truth& truth,
           std::vector<std::size_t> removed) {
    std::vector<std::uint8_t> is_moved(c.size());
    for (const std::size_t i : moved) is_moved[i] = 1;
    const auto z =
        ou::residuals_at(ou::make_series(c.time, c.mag, c.mag_err, truth.mean),
                         {std::log(truth.sigma), std::log(truth.tau)}, ou::Mean::Fixed, is_moved);
    ++curves;
    std::sort(removed.begin(), removed.end());
    for (std::size_t i = 0; i < c.size(); ++i) {
      const bool gone = std::binary_search(removed.begin(), removed.end(), i);
      if (is_moved[i] == 0) {
        falsely += gone;
      } else if (std::abs(z[i]) > 5) {
        ++outliers;
        found += gone;
      } else {
        ++small;
        found_small += gone;
      }
    }
  }
};

void rules(std::size_t curves) {
  fmt::print(
      "                        predictive                          influence\n"
      "   N  outliers  curves  beyond 5 sigma  found  false/curve  found  false/curve\n");
  for (const std::size_t n : {60, 300, 1000, 2500}) {
    const std::size_t here = n > 500 ? std::max<std::size_t>(curves / 4, 1) : curves;
    for (const double contamination : kContaminations) {
      Score p, i;
      for (std::size_t k = 0; k < here; ++k) {
        std::vector<std::size_t> moved;
        simulate::Truth truth;
        const ou::Curve c = draw(n, contamination, k, &moved, &truth);
        p.add(c, moved, truth, ou::clean_by_prediction(c, {}).removed);
        i.add(c, moved, truth, ou::clean(c, {}).removed);
      }
      const auto part = [](std::size_t a, std::size_t b) {
        return b == 0 ? 0.0 : 100.0 * static_cast<double>(a) / static_cast<double>(b);
      };
      const auto all = static_cast<double>(here);
      fmt::print("{:5d} {:7.1f}% {:7d} {:14d} {:6.1f}% {:11.3f} {:6.1f}% {:11.3f}\n", n,
                 100 * contamination, here, p.outliers, part(p.found, p.outliers),
                 static_cast<double>(p.falsely) / all, part(i.found, i.outliers),
                 static_cast<double>(i.falsely) / all);
    }
  }
}

}  // namespace

int main(int count, char** arguments) {
  const std::string_view what = count > 1 ? arguments[1] : "";
  const std::size_t curves = count > 2 ? std::strtoul(arguments[2], nullptr, 10) : 200;
  if (what == "fits") {
    fits<2>(curves);
    return 0;
  }
  if (what == "jitter") {
    fits<3>(curves);
    return 0;
  }
  if (what == "rules") {
    rules(curves);
    return 0;
  }
  if (what == "modes") {
    modes(curves);
    return 0;
  }
  fmt::print(stderr, "usage: ou_study fits|jitter|modes|rules [CURVES]\n");
  return 2;
}
