#include <fmt/format.h>

#include "report/chain_history.hpp"
#include "report/sections.hpp"

namespace qsohost::cli {
Section provenance_section(const RunProducts& run) {
  Section out{.id = "provenance", .title = "Versions and chain"};
  const ChainHistory history = chain_history(run);
  if (history.stages.empty()) return out;
  out.paragraphs.push_back(fmt::format(
      "As the headers of the products tell it (HISTORY): {}. These options, with the same plugins "
      "and inputs, give the same products.",
      history.program.empty() ? "no version of the program is named" : history.program));
  ReportTable stages{.title = "Plugins", .names = {"stage", "plugin and version"}};
  ReportTable options{.title = "Options of the chain", .names = {"option", "value"}};
  for (const auto& [name, value] : history.settings) options.rows.push_back({name, value});
  for (const ChainHistory::Stage& stage : history.stages) {
    stages.rows.push_back({stage.label, stage.plugin});
    for (const auto& [name, value] : stage.options) {
      options.rows.push_back({stage.label + "." + name, value});
    }
  }
  options.is_folded = true;
  out.tables.push_back(std::move(stages));
  out.tables.push_back(std::move(options));
  return out;
}

}  // namespace qsohost::cli
