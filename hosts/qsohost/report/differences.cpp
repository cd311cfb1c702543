#include "report/differences.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <span>

#include "report/chain_history.hpp"
#include "report/object_columns.hpp"
#include "report/plot_parts.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

constexpr std::size_t kDifferenceBins = 41;  // odd, so that no difference is in the middle of one
constexpr double kShownScatters = 5;         // to either side
constexpr double kMadToSigma = 1.4826;       // of a normal distribution

// A fit and the one of the other run that stands in its place.
struct Pair {
  const Product* a;
  const Product* b;
  std::string name;  // of the light curve; of a joint fit that of its stage
};

// Of several products of one name, as catalogues before and after a filter, those in the same place
// belong together; a fit by another stage stands for that of the same light curve.
const Product* counterpart(const std::vector<const Product*>& products,
                           const std::vector<const Product*>& others, const Product& product) {
  const auto same_name = [&](const Product* p) { return p->extension == product.extension; };
  const auto place =
      std::ranges::count_if(products.begin(), std::ranges::find(products, &product), same_name);
  std::ptrdiff_t seen = 0;
  for (const Product* other : others) {
    if (same_name(other) && seen++ == place) return other;
  }
  if (seen > 0 || product.kind == ProductKind::Catalogue) return nullptr;
  const auto at = std::ranges::find(others, product.group, &Product::group);
  return at == others.end() ? nullptr : *at;
}

std::vector<Pair> pairs(const RunProducts& a, const RunProducts& b) {
  std::vector<Pair> out;
  for (const ProductKind kind : {ProductKind::Catalogue, ProductKind::Fit, ProductKind::JointFit}) {
    const std::vector<const Product*> products = a.of_kind(kind);
    const std::vector<const Product*> others = b.of_kind(kind);
    for (const Product* product : products) {
      const Product* other = counterpart(products, others, *product);
      if (other == nullptr) continue;
      out.push_back({product, other, product->group.empty() ? product->extension : product->group});
    }
  }
  return out;
}

// Columns of a pair that mean the same, by the name of the quantity.
struct Quantity {
  std::string name;
  std::string in_a, in_b;
};

std::vector<Quantity> quantities(const Pair& pair) {
  std::vector<Quantity> out;
  const auto add = [&](const std::string& name, std::initializer_list<std::string_view> names) {
    const auto in_a = first_column(*pair.a, names);
    const auto in_b = first_column(*pair.b, names);
    if (in_a && in_b) out.push_back({name, *in_a, *in_b});
  };
  add("ln tau", {"log_tau_post", "log_tau"});
  add("ln sigma", {"log_sigma_post", "log_sigma"});
  add("ln D", {"logD_post", "logD"});
  add("n_removed", {"n_removed"});
  return out;
}

// Of one quantity of one pair, b - a.
struct Differences {
  std::string name;  // of the light curve
  std::vector<double> values;
  double median = 0, scatter = 0;
};

double median_of(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

void summarise(Differences& d) {
  if (d.values.empty()) return;
  d.median = median_of(d.values);
  std::vector<double> deviations = d.values;
  for (double& value : deviations) value = std::abs(value - d.median);
  d.scatter = kMadToSigma * median_of(std::move(deviations));
}

std::vector<double> column(const Product& product, const std::string& name) {
  return std::move(read_numbers(product, std::span(&name, 1)).front());
}

Differences differences(const Pair& pair, const Quantity& quantity,
                        const std::vector<std::uint64_t>& rows_in_a) {
  const std::vector<double> a = column(*pair.a, quantity.in_a);
  const std::vector<double> b = column(*pair.b, quantity.in_b);
  Differences out{.name = pair.name, .values = {}};
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (rows_in_a[i] == IdIndex::kNone) continue;
    const double value = b[i] - a[rows_in_a[i]];
    if (std::isfinite(value)) out.values.push_back(value);
  }
  summarise(out);
  return out;
}

plot::Figure difference_histogram(const std::string& quantity,
                                  const std::vector<Differences>& all) {
  double reach = 0;
  for (const Differences& d : all) {
    reach = std::max(reach, std::abs(d.median) + kShownScatters * d.scatter);
  }
  if (reach == 0) reach = 1;
  plot::Figure figure{
      .id = id_of(quantity),
      .title = quantity + ", B − A",
      .alt = fmt::format("Histograms of the differences of {} between the two runs, "
                         "object by object, for each light curve.",
                         quantity)};
  figure.x = {.label = quantity + ", B − A", .min = -reach, .max = reach};
  figure.y = {.label = "objects", .min = 0};
  std::uint64_t outside = 0;
  for (const Differences& d : all) {
    plot::Steps steps{.label = d.name,
                      .edges = {},
                      .counts = std::vector<double>(kDifferenceBins),
                      .style = plot::style_of_band(d.name)};
    for (std::size_t i = 0; i <= kDifferenceBins; ++i) {
      steps.edges.push_back(reach * (2 * static_cast<double>(i) / kDifferenceBins - 1));
    }
    for (const double value : d.values) {
      const double bin = std::floor((value + reach) / (2 * reach) * kDifferenceBins);
      if (bin >= 0 && bin < static_cast<double>(kDifferenceBins)) {
        ++steps.counts[static_cast<std::size_t>(bin)];
      } else {
        ++outside;
      }
    }
    figure.layers.emplace_back(std::move(steps));
  }
  figure.caption = fmt::format("Objects that both runs have fitted; {} outside of the axis.",
                               outside == 0 ? "none" : count_text(outside));
  return figure;
}

std::uint64_t not_found(const std::vector<std::uint64_t>& rows) {
  return static_cast<std::uint64_t>(std::ranges::count(rows, IdIndex::kNone));
}

void add_objects(const Pair& pair, const std::vector<std::uint64_t>& rows_in_a, ReportTable& out) {
  const std::uint64_t only_b = not_found(rows_in_a);
  const std::uint64_t only_a = not_found(ObjectIndex(*pair.b).rows_of(*pair.a));
  out.rows.push_back({pair.a->extension, pair.b->extension, count_text(rows_in_a.size() - only_b),
                      count_text(only_a), count_text(only_b)});
}

// Lines of the histories by "stage.option".
std::vector<std::pair<std::string, std::string>> lines(const ChainHistory& history) {
  std::vector<std::pair<std::string, std::string>> out{{"program", history.program}};
  out.insert(out.end(), history.settings.begin(), history.settings.end());
  for (const ChainHistory::Stage& stage : history.stages) {
    out.emplace_back("stage " + stage.label, stage.plugin);
    for (const auto& [name, value] : stage.options) {
      out.emplace_back(stage.label + "." + name, value);
    }
  }
  return out;
}

void add_chains(const RunProducts& a, const RunProducts& b, Section& out) {
  const auto in_a = lines(chain_history(a));
  const auto in_b = lines(chain_history(b));
  const std::map<std::string, std::string> values_b(in_b.begin(), in_b.end());
  std::set<std::string> seen;
  ReportTable table{.title = "Chains", .names = {"option", "A", "B"}};
  for (const auto& [name, value] : in_a) {
    seen.insert(name);
    const auto other = values_b.find(name);
    if (other == values_b.end()) {
      table.rows.push_back({name, value, "–"});
    } else if (other->second != value) {
      table.rows.push_back({name, value, other->second});
    }
  }
  for (const auto& [name, value] : in_b) {
    if (!seen.contains(name)) table.rows.push_back({name, "–", value});
  }
  if (table.rows.empty()) {
    out.paragraphs.emplace_back("The headers of the products tell the same chain and options.");
    return;
  }
  out.tables.push_back(std::move(table));
}

}  // namespace

Section differences_section(const RunProducts& a, const RunProducts& b) {
  Section out{.id = "differences", .title = "Differences"};
  ReportTable objects{.title = "Objects, found by source_id",
                      .names = {"of A", "of B", "in both", "only in A", "only in B"}};
  ReportTable numbers{
      .title = "Results of the same light curves, B − A",
      .names = {"quantity", "light curve", "objects", "median", "scatter", "largest"}};
  std::vector<std::string> order;
  std::map<std::string, std::vector<Differences>> by_quantity;
  for (const Pair& pair : pairs(a, b)) {
    const std::vector<std::uint64_t> rows_in_a = ObjectIndex(*pair.a).rows_of(*pair.b);
    add_objects(pair, rows_in_a, objects);
    if (pair.a->kind == ProductKind::Catalogue) continue;
    for (const Quantity& quantity : quantities(pair)) {
      if (!by_quantity.contains(quantity.name)) order.push_back(quantity.name);
      by_quantity[quantity.name].push_back(differences(pair, quantity, rows_in_a));
    }
  }
  for (const std::string& quantity : order) {
    const std::vector<Differences>& all = by_quantity[quantity];
    for (const Differences& d : all) {
      double largest = 0;
      for (const double value : d.values) largest = std::max(largest, std::abs(value));
      const auto number = [&](double v) {
        return d.values.empty() ? "" : fmt::format("{:.3g}", v);
      };
      numbers.rows.push_back({quantity, d.name, count_text(d.values.size()), number(d.median),
                              number(d.scatter), number(largest)});
    }
    out.figures.push_back(difference_histogram(quantity, all));
  }
  out.paragraphs.emplace_back(
      "Scatter is 1.4826 times the median absolute deviation from the median. Of cleaned fits the "
      "values after cleaning are compared.");
  add_chains(a, b, out);
  if (!objects.rows.empty()) out.tables.push_back(std::move(objects));
  if (!numbers.rows.empty()) out.tables.push_back(std::move(numbers));
  return out;
}

}  // namespace qsohost::cli
