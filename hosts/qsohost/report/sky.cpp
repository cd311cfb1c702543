// Where the objects are.
#include <fmt/format.h>

#include <algorithm>

#include "plot/sky_map.hpp"
#include "report/object_columns.hpp"
#include "report/plot_parts.hpp"
#include "report/sections.hpp"

namespace qsohost::cli {
namespace {

struct Positions {
  const Product* product;
  std::vector<std::string> columns;  // ra, dec
};

// Of the catalogue, or else of the light curves, with most rows.
std::optional<Positions> find_positions(const RunProducts& run) {
  for (const ProductKind kind : {ProductKind::Catalogue, ProductKind::LightCurves}) {
    std::vector<const Product*> products = run.of_kind(kind);
    std::ranges::stable_sort(products, std::ranges::greater(),
                             [](const Product* p) { return p->rows; });
    for (const Product* product : products) {
      const auto ra = number_column(*product, {"ra"}), dec = number_column(*product, {"dec"});
      if (ra && dec && product->rows > 0) return Positions{product, {*ra, *dec}};
    }
  }
  return std::nullopt;
}

}  // namespace

Section sky_section(const RunProducts& run) {
  Section section{.id = "sky", .title = "Sky"};
  const auto positions = find_positions(run);
  if (!positions) return section;
  plot::SkyCounts counts;
  each_block(*positions->product, positions->columns, [&](const Rows& rows) {
    const std::vector<double> ra = rows.numbers(0), dec = rows.numbers(1);
    for (std::size_t i = 0; i < ra.size(); ++i) counts.add(ra[i], dec[i]);
  });
  if (counts.counted() == 0) return section;
  plot::Figure figure = sky_map("sky-map", "Objects on the sky", counts);
  figure.caption +=
      fmt::format("{}{} of {} without a position left out.", figure.caption.empty() ? "" : " ",
                  of_objects(counts.left_out(), positions->product->rows),
                  positions->product->file.filename().string());
  section.figures.push_back(std::move(figure));
  return section;
}

}  // namespace qsohost::cli
