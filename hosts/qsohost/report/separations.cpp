// Separations of cross-matched pairs, beside what chance would give.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "qsohost/io/text.hpp"
#include "report/object_columns.hpp"
#include "report/plot_parts.hpp"
#include "report/sections.hpp"

namespace qsohost::cli {
namespace {

constexpr std::size_t kSeparationBins = 40;

struct Match {
  const Product* product;
  std::string separation;
  std::optional<std::string> n_matches;
};

// The product with most pairs.
std::optional<Match> find_match(const RunProducts& run) {
  std::optional<Match> best;
  for (const Product& product : run.products()) {
    const auto separation = number_column(product, {"match_separation"});
    if (!separation || (best && best->product->rows >= product.rows)) continue;
    best = Match{&product, *separation, number_column(product, {"n_matches"})};
  }
  return best;
}

// Pairs by chance grow linearly with the separation, as the area of a ring. The pairs beyond half
// of the radius of the match are taken to be of that kind: c such pairs mean that the slope of the
// number of pairs per arcsec is c / (integral of r over that range).
struct Chance {
  double slope = 0;  // pairs per arcsec^2: a ring at r of width dr holds slope r dr
  double far_pairs = 0;
  double below(double radius) const { return slope * radius * radius / 2; }
};

Chance chance_of(const std::vector<double>& separations, double radius) {
  Chance chance;
  for (const double r : separations) chance.far_pairs += r > radius / 2 && r <= radius ? 1 : 0;
  chance.slope = chance.far_pairs / (radius * radius * 3 / 8);
  return chance;
}

// The largest separation that the cross-match allowed, by the chain in the header; or else the
// largest there is.
double radius_of(const Match& match, const std::vector<double>& separations) {
  std::string option;
  for (const std::string& line : match.product->history) {
    const std::size_t equals = line.find(" = ");
    if (equals == std::string::npos) continue;
    if (line.starts_with("stage ") && line.find("crossmatch (", equals) != std::string::npos) {
      option = line.substr(6, equals - 6) + ".radius_arcsec";
    } else if (!option.empty() && line.substr(0, equals) == option) {
      const auto radius = parse_double(line.substr(equals + 3));
      if (radius && *radius >= std::ranges::max(separations)) return *radius;
    }
  }
  return std::ranges::max(separations);
}

std::string unit_of(const Match& match) {
  const auto column = std::ranges::find(match.product->columns, match.separation,
                                        [](const InputColumn& c) { return c.info.name; });
  return column->info.unit.empty() ? "arcsec" : column->info.unit;
}

std::string ambiguity(const Match& match) {
  if (!match.n_matches) return "";
  const std::vector<double> n = read_numbers(*match.product, std::span(&*match.n_matches, 1))[0];
  const auto several = std::ranges::count_if(n, [](double v) { return v > 1; });
  return fmt::format(
      " {} pairs are ambiguous: their object has several partners within the radius.", several);
}

}  // namespace

Section separations_section(const RunProducts& run) {
  Section section{.id = "separations", .title = "Separations of matched pairs"};
  const auto match = find_match(run);
  if (!match) return section;
  std::vector<double> separations =
      read_numbers(*match->product, std::span(&match->separation, 1))[0];
  const std::size_t all = separations.size();
  std::erase_if(separations, [](double r) { return !(std::isfinite(r) && r >= 0); });
  if (separations.empty()) return section;
  const double radius = radius_of(*match, separations);
  if (!(radius > 0)) return section;

  const Chance chance = chance_of(separations, radius);
  const std::vector<double> edges = equal_bins(0, radius, kSeparationBins);
  const double width = radius / kSeparationBins;
  plot::Line random{
      "by chance", {0, radius}, {0, chance.slope * radius * width}, {.colour = 6, .dash = 1}};
  plot::Figure figure{
      .id = "separations",
      .title = match->product->file.filename().string(),
      .alt = "Histogram of the separations of matched pairs, with the number expected by chance.",
      .x = {.label = fmt::format("separation ({})", unit_of(*match))},
      .y = {.label = "pairs", .min = 0},
      .layers = {plot::Steps{.label = "pairs",
                             .edges = edges,
                             .counts = histogram(separations, edges),
                             .style = {},
                             .is_filled = true},
                 std::move(random)}};
  figure.caption = fmt::format(
      "{} pairs within {:.3g}, {} without a separation; median {:.3g}. By chance: a linear growth "
      "through the {} pairs beyond half of the radius, an upper limit as some of those may be "
      "true: "
      "{:.3g} of all pairs, {:.3g} of those closer than half.{}",
      separations.size(), radius, all - separations.size(), median(separations), chance.far_pairs,
      chance.below(radius), chance.below(radius / 2), ambiguity(*match));
  section.figures.push_back(std::move(figure));
  return section;
}

}  // namespace qsohost::cli
