#include "list.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "json_text.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

// In their order in a chain, then by name.
std::vector<StageOffer> sorted_offers(const Plugins& plugins) {
  std::vector<StageOffer> offers = plugins.offers();
  std::sort(offers.begin(), offers.end(), [](const StageOffer& a, const StageOffer& b) {
    return std::tie(a.role, a.stage) < std::tie(b.role, b.stage);
  });
  return offers;
}

}  // namespace

std::string refusal_text(const Refusal& refusal) {
  std::string reason = refusal.reason;
  while (!reason.empty() && reason.back() == '\n') reason.pop_back();
  for (std::size_t at = 0; (at = reason.find('\n', at)) != std::string::npos; at += 3)
    reason.insert(at + 1, "  ");
  return fmt::format("{}: refused: {}\n", refusal.file.string(), reason);
}

std::string list_as_text(const Plugins& plugins) {
  Table table({{"stage"}, {"role"}, {"plugin"}, {"version"}, {"summary"}, {"file"}});
  for (const StageOffer& offer : sorted_offers(plugins)) {
    table.add({offer.stage, std::string(name_of(offer.role)), offer.plugin, offer.version,
               offer.summary, offer.file.string()});
  }
  std::string out = table.empty() ? "No plugins found.\n" : table.text();
  if (table.empty()) {
    out += "Searched:\n";
    for (const auto& folder : plugins.searched()) out += "  " + folder.string() + "\n";
    out += "Name plugins by --plugin FILE, or their folders in QSOHOST_PLUGIN_PATH.\n";
  }
  if (!plugins.refusals().empty()) out += "\nRefused\n";
  for (const Refusal& refusal : plugins.refusals()) out += refusal_text(refusal);
  if (!plugins.hidden().empty()) out += "\nNot taken, since another of the name comes first\n";
  for (const HiddenPlugin& h : plugins.hidden()) {
    out += fmt::format("{} ({}), for {}\n", h.file.string(), h.version, h.taken.string());
  }
  return out;
}

std::string list_as_json(const Plugins& plugins) {
  nlohmann::ordered_json out;
  out["stages"] = nlohmann::ordered_json::array();
  for (const StageOffer& offer : sorted_offers(plugins)) {
    out["stages"].push_back({{"stage", offer.stage},
                             {"role", name_of(offer.role)},
                             {"plugin", offer.plugin},
                             {"version", offer.version},
                             {"summary", offer.summary},
                             {"file", offer.file.string()}});
  }
  out["refused"] = nlohmann::ordered_json::array();
  for (const Refusal& refusal : plugins.refusals())
    out["refused"].push_back({{"file", refusal.file.string()}, {"reason", refusal.reason}});
  out["hidden"] = nlohmann::ordered_json::array();
  for (const HiddenPlugin& h : plugins.hidden()) {
    out["hidden"].push_back(
        {{"file", h.file.string()}, {"version", h.version}, {"taken", h.taken.string()}});
  }
  out["searched"] = nlohmann::ordered_json::array();
  for (const auto& folder : plugins.searched()) out["searched"].push_back(folder.string());
  return to_json_text(out) + "\n";
}

}  // namespace qsohost::cli
