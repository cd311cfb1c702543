#include "report/curve_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <ranges>

#include "qsohost/error.hpp"
#include "qsohost/light_curve_fitter.hpp"

namespace qsohost::cli {
namespace {

constexpr std::uint64_t kBlock = 100;  // rows read at a time

// Columns of the table; `error` belongs to magnitudes, or to fluxes if `flux` is set.
struct CurveColumns {
  std::string time, mag, error;
  std::optional<std::string> flux;
};

std::optional<std::string> column_of(const Product& product, const std::string& group,
                                     std::string_view name) {
  for (const FitsEpochColumn& column : product.epochs.columns) {
    if (column.group != group || column.name != name) continue;
    if (first_column(product, {column.column})) return column.column;
  }
  return std::nullopt;
}

std::optional<CurveColumns> columns_of(const Product& product, const std::string& group) {
  const auto& groups = product.epochs.groups;
  const auto info = std::ranges::find(groups, group, &GroupInfo::name);
  if (info == groups.end()) return std::nullopt;
  const auto time = column_of(product, group, info->time);
  const auto mag = column_of(product, group, info->mag);
  if (!time || !mag) return std::nullopt;
  if (const auto error = column_of(product, group, info->mag_err)) {
    return CurveColumns{*time, *mag, *error, std::nullopt};
  }
  const auto flux = column_of(product, group, "flux");
  const auto error = column_of(product, group, "flux_error");
  if (!flux || !error) return std::nullopt;
  return CurveColumns{*time, *mag, *error, flux};
}

// All columns of a row must have as many epochs; a column of single numbers has one.
void check_lengths(std::vector<Cells>& cells, const InputTable& table,
                   std::span<const std::uint64_t> rows) {
  for (Cells& c : cells) {
    if (c.lengths.empty()) c.lengths.assign(rows.size(), 1);
    const auto [at, other] = std::ranges::mismatch(c.lengths, cells[0].lengths);
    if (at == c.lengths.end()) continue;
    throw RunError(fmt::format(
        "{}: {}: column '{}' has {} epochs, but '{}' has {}; write the product again", table.name(),
        table.place(rows[static_cast<std::size_t>(at - c.lengths.begin())]), c.values.name(), *at,
        cells[0].values.name(), *other));
  }
}

LightCurve curve_at(const std::vector<Cells>& cells, std::size_t first, std::size_t count) {
  LightCurve curve;
  const auto take = [&](const Cells& from, std::vector<double>& to) {
    for (std::size_t i = first; i < first + count; ++i) to.push_back(from.values.number(i));
  };
  take(cells[0], curve.time);
  take(cells[1], curve.mag);
  take(cells[2], curve.mag_err);
  if (cells.size() < 4) return curve;
  for (std::size_t i = 0; i < count; ++i) {
    curve.mag_err[i] *= kMagPerRelativeFlux / cells[3].values.number(first + i);
  }
  return curve;
}

}  // namespace

bool has_curve(const Product& product, const std::string& group) {
  return columns_of(product, group).has_value();
}

void each_curve(const Product& product, const std::string& group,
                std::span<const std::uint64_t> rows,
                const std::function<void(std::size_t, const LightCurve&)>& visit) {
  const auto columns = columns_of(product, group);
  if (!columns) {
    throw RunError(
        fmt::format("{}: light curve '{}' has no columns of times, magnitudes and errors; make the "
                    "product again",
                    product.file.string(), group));
  }
  InputTable table(product.file);
  const std::vector<std::string> names = table.column_names();
  std::vector<std::size_t> positions;
  for (const std::string& name : {columns->time, columns->mag, columns->error}) {
    positions.push_back(static_cast<std::size_t>(std::ranges::find(names, name) - names.begin()));
  }
  if (columns->flux) {
    positions.push_back(
        static_cast<std::size_t>(std::ranges::find(names, *columns->flux) - names.begin()));
  }
  for (std::size_t at = 0; at < rows.size(); at += kBlock) {
    const auto block = rows.subspan(at, std::min<std::size_t>(kBlock, rows.size() - at));
    std::vector<Cells> cells = table.read(block, positions);
    fixed_to_arrays(cells);
    check_lengths(cells, table, block);
    std::size_t first = 0;
    for (std::size_t k = 0; k < block.size(); ++k) {
      const std::uint64_t count = cells[0].lengths[k];
      visit(at + k, curve_at(cells, first, count));
      first += count;
    }
  }
}

std::vector<const Product*> curve_products(const RunProducts& run, const std::string& group) {
  std::vector<const Product*> products = run.of_kind(ProductKind::LightCurves);
  std::erase_if(products, [&](const Product* p) { return !has_curve(*p, group); });
  std::ranges::stable_sort(products, std::ranges::greater(),
                           [](const Product* p) { return p->history.size(); });
  return products;
}

std::vector<std::string> curve_groups(const RunProducts& run) {
  std::vector<std::string> names;
  for (const Product* product : run.of_kind(ProductKind::LightCurves)) {
    for (const GroupInfo& group : product->epochs.groups) {
      if (std::ranges::find(names, group.name) == names.end()) names.push_back(group.name);
    }
  }
  return names;
}

LightCurve usable(const LightCurve& fetched) {
  const UsableEpochs epochs = usable_epochs(fetched);
  const TimeOrder order(fetched.time, epochs.take);
  return {order.gather(fetched.time), order.gather(fetched.mag), order.gather(fetched.mag_err)};
}

}  // namespace qsohost::cli
