#include "report/light_curves_products.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace qsohost::cli {
namespace {

bool has_equal_times(const Product& a, const Product& b) {
  return std::ranges::all_of(a.epochs.groups, [&](const GroupInfo& group) {
    return std::ranges::all_of(b.epochs.groups, [&](const GroupInfo& other) {
      return group.name != other.name || group.time_system == other.time_system;
    });
  });
}

void keep_comparable(SurveyCurves& survey) {
  const Product& last = *survey.products.back();
  std::erase_if(survey.products, [&](const Product* product) {
    const bool is_of_chain = is_earlier_in_chain(*product, last);
    if (is_of_chain && has_equal_times(*product, last)) return false;
    survey.notes.push_back(
        fmt::format("{} is not compared with {}: {}", product->file.filename().string(),
                    last.file.filename().string(),
                    is_of_chain ? "its times are of another system" : "another chain wrote it"));
    return true;
  });
}

}  // namespace

std::vector<HistoryStage> stages_of(const Product& product) {
  std::vector<HistoryStage> stages;
  for (const std::string& line : product.history) {
    const std::size_t equals = line.find(" = ");
    if (!line.starts_with("stage ") || equals == std::string::npos) continue;
    const std::size_t use = equals + 3;
    stages.push_back({line.substr(6, equals - 6), line.substr(use, line.find(" (", use) - use)});
  }
  return stages;
}

bool has_one_value(const Product& product, std::string_view column) {
  return std::ranges::any_of(product.columns, [&](const InputColumn& c) {
    return c.info.name == column && !c.is_array && c.info.width == 1;
  });
}

bool is_earlier_in_chain(const Product& earlier, const Product& later) {
  return earlier.history.size() <= later.history.size() &&
         std::equal(earlier.history.begin(), earlier.history.end(), later.history.begin());
}

std::vector<SurveyCurves> curves_by_survey(const RunProducts& run) {
  std::vector<SurveyCurves> surveys;
  for (const Product* product : run.of_kind(ProductKind::LightCurves)) {
    if (product->rows == 0) continue;
    const std::string& name = product->epochs.groups.front().survey;
    auto at = std::ranges::find(surveys, name, &SurveyCurves::survey);
    if (at == surveys.end()) at = surveys.insert(at, {name, {}});
    at->products.push_back(product);
  }
  for (SurveyCurves& survey : surveys) {
    std::ranges::stable_sort(survey.products, {},
                             [](const Product* p) { return p->history.size(); });
    keep_comparable(survey);
  }
  return surveys;
}

SampledRows::SampledRows(const Product& product, const std::set<std::string>& ids)
    : product_(&product), table_(product.file) {
  if (!has_one_value(product, "source_id")) return;
  const std::array<std::string, 1> columns{"source_id"};
  each_block(product, columns, [&](const Rows& rows) {
    const std::vector<std::string> texts = rows.texts(0);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (ids.contains(texts[i])) rows_.emplace(texts[i], rows.first + i);
    }
  });
}

std::vector<Cells> SampledRows::read(const std::string& id,
                                     const std::vector<std::string>& columns) {
  const std::vector<std::string> names = table_.column_names();
  std::vector<std::size_t> positions;
  for (const std::string& column : columns) {
    const auto at = std::ranges::find(names, column);
    positions.push_back(static_cast<std::size_t>(at - names.begin()));
  }
  const std::array<std::uint64_t, 1> row{rows_.at(id)};
  return table_.read(row, positions);
}

}  // namespace qsohost::cli
