#include "chain/overrides.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace qsohost::inline v1 {

namespace {

bool is_fitter(const RawStage& stage, const Plugins& plugins) {
  const StageOffer* offer = plugins.find(stage.use);
  return offer != nullptr && offer->role == Role::Fitter;
}

// The fitter that the line-up replaces; reports an error unless there is exactly one.
const RawStage* place_of(const RawChain& raw, const FitterComparison& line_up,
                         const Plugins& plugins, std::vector<Problem>& problems) {
  std::vector<const RawStage*> found;
  std::vector<std::string> fitters;
  for (const RawStage& stage : raw.stages) {
    if (!is_fitter(stage, plugins)) continue;
    fitters.push_back(stage.label);
    if (line_up.label.empty() || stage.label == line_up.label) found.push_back(&stage);
  }
  if (found.size() == 1) return found.front();
  const auto is_unknown = [&](const RawStage& s) { return plugins.find(s.use) == nullptr; };
  if (std::ranges::any_of(raw.stages, is_unknown)) return nullptr;  // reported elsewhere
  std::string message;
  if (fitters.empty()) {
    message = "the chain has no fitter whose place others could take; add one";
  } else if (line_up.label.empty()) {
    message = fmt::format("the chain has several fitters; say whose place to take: --label {}",
                          fmt::join(fitters, " or --label "));
  } else {
    message = fmt::format("--label: no fitter is called '{}'{}", line_up.label,
                          did_you_mean(line_up.label, fitters));
  }
  problems.push_back({raw.place, message, false});
  return nullptr;
}

void check_fitters(const FitterComparison& line_up, const std::vector<RawStage>& before,
                   Plugins& plugins, std::vector<Problem>& problems) {
  const Place place{fmt::format("--fitters {}", fmt::join(line_up.fitters, ",")), 0, 0};
  const auto complain = [&](std::string message) {
    problems.push_back({place, std::move(message), false});
  };
  for (auto it = line_up.fitters.begin(); it != line_up.fitters.end(); ++it) {
    const StageOffer* offer = plugins.find(*it);
    if (offer != nullptr && offer->role != Role::Fitter)
      complain(fmt::format("'{}' is a {}, not a Fitter; name fitters (see 'qsohost list')", *it,
                           name_of(offer->role)));
    if (std::find(line_up.fitters.begin(), it, *it) != it)
      complain(fmt::format("'{}' is named twice; name each fitter once", *it));
    if (std::ranges::find(before, *it, &RawStage::label) != before.end())
      complain(
          fmt::format("another stage of the chain is called '{}'; give it another label", *it));
  }
}

}  // namespace

void apply_set(RawChain& raw, const std::string& where, const std::string& value,
               std::vector<Problem>& problems) {
  // Without the value, which may be a misplaced secret.
  const Place place{fmt::format("--set {}", where), 0, 0};
  const std::size_t dot = where.find('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == where.size()) {
    problems.push_back({place, "write --set label.option=value", false});
    return;
  }
  const std::string label = where.substr(0, dot);
  RawOption option{where.substr(dot + 1), place, parse_option_value(value), true};
  std::vector<RawOption>* options = nullptr;
  std::vector<std::string> labels{"chain"};
  if (label == "chain") options = &raw.settings;
  for (RawStage& stage : raw.stages) {
    labels.push_back(stage.label);
    if (stage.label == label) options = &stage.options;
  }
  if (options == nullptr) {
    problems.push_back(
        {place, fmt::format("no stage is called '{}'{}", label, did_you_mean(label, labels)),
         false});
    return;
  }
  std::erase_if(*options, [&](const RawOption& o) { return o.name == option.name; });
  options->push_back(std::move(option));
}

void apply_swap(RawChain& raw, const std::string& label, const std::string& use, Plugins& plugins,
                std::vector<Problem>& problems) {
  const Place place{fmt::format("--swap {}={}", label, use), 0, 0};
  std::vector<std::string> labels;
  for (RawStage& stage : raw.stages) {
    labels.push_back(stage.label);
    if (stage.label != label) continue;
    const StageOffer* old_one = plugins.find(stage.use);
    const StageOffer* new_one = plugins.find(use);
    if (old_one != nullptr && new_one != nullptr && old_one->role != new_one->role) {
      problems.push_back({place,
                          fmt::format("'{}' is a {} and cannot take the place of a {}", use,
                                      name_of(new_one->role), name_of(old_one->role)),
                          false});
    }
    if (stage.use != use) stage.swapped_from = stage.use;
    stage.use = use;
    stage.use_place = place;
    return;
  }
  problems.push_back(
      {place, fmt::format("no stage is called '{}'{}", label, did_you_mean(label, labels)), false});
}

void line_up_fitters(RawChain& raw, const FitterComparison& line_up,
                     std::vector<std::pair<std::string, std::string>>& set, Plugins& plugins,
                     std::vector<Problem>& problems) {
  const RawStage* found = place_of(raw, line_up, plugins, problems);
  if (found == nullptr) return;
  const std::string label = found->label;
  if (std::ranges::find(line_up.fitters, label) == line_up.fitters.end()) {
    std::erase_if(set, [&](const auto& given) {
      if (!given.first.starts_with(label + ".")) return false;
      apply_set(raw, given.first, given.second, problems);
      return true;
    });
  }
  RawStage place = *found;
  for (RawOption& option : place.options) option.from_command_line = false;
  raw.stages.erase(raw.stages.begin() + (found - raw.stages.data()), raw.stages.end());
  std::erase_if(raw.stages, [&](const RawStage& stage) {
    const StageOffer* offer = plugins.find(stage.use);
    return offer != nullptr && offer->role == Role::Sink;
  });
  check_fitters(line_up, raw.stages, plugins, problems);
  for (const std::string& fitter : line_up.fitters) {
    RawStage& stage = raw.stages.emplace_back(place);
    stage.label = fitter;
    stage.use = fitter;
    stage.use_place = {fmt::format("--fitters {}", fmt::join(line_up.fitters, ",")), 0, 0};
    if (place.use != fitter) stage.swapped_from = place.use;
    stage.in_line_up = true;
  }
}

}  // namespace qsohost::inline v1
