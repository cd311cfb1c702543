#include <fmt/format.h>

#include <algorithm>

#include "qsohost/error.hpp"
#include "qsohost/host/chain.hpp"

namespace qsohost::inline v1 {

namespace {

// "adds ztf.g, ztf.r; 2 columns": what is new after a stage, for the arrows of a drawing.
std::string change(const ChainStage& stage) {
  std::string out;
  const auto part = [&](const std::string& text) { out += (out.empty() ? "" : "; ") + text; };
  std::string groups;
  for (const GroupInfo& g : stage.ports.added_groups()) {
    groups += (groups.empty() ? "" : ", ") + g.name;
  }
  if (!groups.empty()) part("+ " + groups);
  const auto columns = std::ranges::count_if(stage.ports.added(), [&](const Port& p) {
    return std::ranges::find(stage.ports.added_groups(), p.group, &GroupInfo::name) ==
           stage.ports.added_groups().end();
  });
  if (columns > 0) part(fmt::format("+ {} column{}", columns, columns == 1 ? "" : "s"));
  if (stage.ports.has_unknown()) part("+ columns of its file");
  std::string dropped;
  for (const std::string& g : stage.ports.dropped_groups()) {
    dropped += (dropped.empty() ? "" : ", ") + g;
  }
  for (const Port& p : stage.ports.read()) {
    if (!p.used_up) continue;
    dropped += fmt::format("{}{} of {}", dropped.empty() ? "" : ", ", p.name, p.group);
  }
  if (!dropped.empty()) part("- " + dropped);
  return out;
}

std::string title(const ChainStage& stage, std::string_view line_break) {
  std::string out = stage.label == stage.use ? stage.use : stage.label + ": " + stage.use;
  return fmt::format("{}{}{}", out, line_break, name_of(stage.offer.role));
}

std::string dot(const Chain& chain) {
  std::string out =
      fmt::format("digraph \"{}\" {{\n  rankdir=TB;\n  node [shape=box];\n", chain.settings().name);
  const auto& stages = chain.stages();
  for (std::size_t i = 0; i < stages.size(); ++i) {
    out += fmt::format("  s{} [label=\"{}\"];\n", i, title(stages[i], "\\n"));
  }
  for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
    out += fmt::format("  s{} -> s{} [label=\"{}\"];\n", i, i + 1, change(stages[i]));
  }
  return out + "}\n";
}

std::string mermaid(const Chain& chain) {
  std::string out = "flowchart TD\n";
  const auto& stages = chain.stages();
  for (std::size_t i = 0; i < stages.size(); ++i) {
    out += fmt::format("  s{}[\"{}\"]\n", i, title(stages[i], "<br/>"));
  }
  for (std::size_t i = 0; i + 1 < stages.size(); ++i) {
    const std::string label = change(stages[i]);
    out += label.empty() ? fmt::format("  s{} --> s{}\n", i, i + 1)
                         : fmt::format("  s{} -->|\"{}\"| s{}\n", i, label, i + 1);
  }
  return out;
}

std::string text(const Chain& chain) {
  std::string out = chain.settings().name + "\n";
  for (const ChainStage& stage : chain.stages()) {
    out += fmt::format("  {:<8} {:<16} {:<16} {}\n", name_of(stage.offer.role), stage.label,
                       stage.use, change(stage));
  }
  return out;
}

}  // namespace

std::string draw(const Chain& chain, std::string_view format) {
  if (format == "dot") return dot(chain);
  if (format == "mermaid") return mermaid(chain);
  if (format == "text") return text(chain);
  throw UsageError(fmt::format("a graph must be dot, mermaid or text, not '{}'", format));
}

}  // namespace qsohost::inline v1
