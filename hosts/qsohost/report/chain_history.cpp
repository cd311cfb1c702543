#include "report/chain_history.hpp"

#include <algorithm>
#include <string_view>

namespace qsohost::cli {
namespace {

constexpr std::string_view kStage = "stage ";
constexpr std::string_view kIs = " = ";

void add_line(const std::string& line, ChainHistory& out) {
  const std::size_t at = line.find(kIs);
  if (at == std::string::npos) {
    if (line.starts_with("qsohost ")) out.program = line;
    return;
  }
  const std::string name = line.substr(0, at);
  const std::string value = line.substr(at + kIs.size());
  if (name.starts_with(kStage)) {
    out.stages.push_back({name.substr(kStage.size()), value, {}});
  } else if (!out.stages.empty() && name.starts_with(out.stages.back().label + ".")) {
    out.stages.back().options.emplace_back(name.substr(out.stages.back().label.size() + 1), value);
  } else if (name.starts_with("chain.")) {
    out.settings.emplace_back(name, value);
  }
}

}  // namespace

ChainHistory chain_history(const RunProducts& run) {
  ChainHistory out;
  const auto& products = run.products();
  const auto last = std::ranges::max_element(
      products, {}, [](const Product& product) { return product.history.size(); });
  if (last == products.end()) return out;
  for (const std::string& line : last->history) add_line(line, out);
  return out;
}

}  // namespace qsohost::cli
