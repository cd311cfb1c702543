#include "qsohost/host/chain.hpp"
#include "qsohost/names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "base/caught.hpp"
#include "base/fnv.hpp"
#include "chain/chain_file.hpp"
#include "chain/overrides.hpp"
#include "chain/port_check.hpp"
#include "chain/stage_call.hpp"
#include "chain/stage_options.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

// The settings of [chain], declared like any stage's options.
struct Settings : OptionOwner {
  Option<std::string> name{this, "name", required, "products are called after it"};
  Option<std::int64_t> batch_rows{
      this, "batch_rows", 500, "objects in a batch", {.min = 1, .max = 1000000}};
  Option<std::int64_t> batch_megabytes{this,
                                       "batch_megabytes",
                                       64,
                                       "size of a batch as the source gives it",
                                       {.min = 1, .max = 65536}};
  Option<std::vector<Path>> plugins{this, "plugins", {}, "plugin files to load first"};
};

// Parses the lines of Chain::effective(): "chain.name = mine", "stage raw = fits-sink (...)",
// "raw.what = \"ztf\"".
RawChain raw_chain_of(const std::vector<std::string>& lines) {
  RawChain raw;
  for (const std::string& line : lines) {
    const std::size_t equals = std::min(line.find(" = "), line.size());
    const std::string left = line.substr(0, equals);
    const std::string right = line.substr(std::min(equals + 3, line.size()));
    const Place place{line, 0, 0};
    if (left.starts_with("stage ")) {
      RawStage& stage = raw.stages.emplace_back();
      stage.label = left.substr(6);
      stage.use = right.substr(0, right.find(" ("));
      stage.place = stage.use_place = place;
      continue;
    }
    auto& options = raw.stages.empty() ? raw.settings : raw.stages.back().options;
    options.push_back({left.substr(left.rfind('.') + 1), place, parse_option_value(right), false});
  }
  return raw;
}

// The lines do not tell which options were set, and a stage may ask that (OptionBase::is_set()). An
// option with the value that it has anyway counts as not set.
void leave_out_defaults(RawStage& raw, Plugins& plugins) {
  if (plugins.find(raw.use) == nullptr) return;
  const StagePtr fresh = plugins.create(raw.use);
  std::erase_if(raw.options, [&](const RawOption& given) {
    const auto it = std::ranges::find(fresh->options(), given.name, &OptionBase::name);
    return it != fresh->options().end() && !(*it)->is_required() && given.value &&
           to_toml((*it)->value()) == to_toml(*given.value);
  });
}

bool has_errors(const std::vector<Problem>& problems) {
  return std::ranges::any_of(problems, [](const Problem& p) { return !p.is_warning; });
}

void read_settings(const RawChain& raw, const std::filesystem::path& folder, Settings& settings,
                   std::vector<Problem>& problems) {
  set_options(settings, {"chain", raw.place, raw.settings, folder},
              [&](const Place& place, std::string message) {
                problems.push_back({place, std::move(message), false});
              });
  const auto plain = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.';
  };
  if (!settings.name.is_set()) return;
  if (settings.name->empty() || !std::ranges::all_of(*settings.name, plain) ||
      settings.name->front() == '.') {
    problems.push_back({raw.place,
                        "chain.name becomes part of file names: it must be of letters, digits, "
                        "'_', '-' and '.' only",
                        false});
  }
}

void add_plugins(const Settings& settings, const RawChain& raw, Plugins& plugins,
                 std::vector<Problem>& problems) {
  const auto it = std::ranges::find(raw.settings, "plugins", &RawOption::name);
  const Place place = it == raw.settings.end() ? raw.place : it->place;
  for (const Path& path : *settings.plugins) {
    const std::size_t before = plugins.refusals().size();
    plugins.add_file(path.text);
    for (std::size_t i = before; i < plugins.refusals().size(); ++i) {
      const Refusal& refusal = plugins.refusals()[i];
      problems.push_back(
          {place, fmt::format("{}: {}", refusal.file.string(), refusal.reason), true});
    }
  }
  plugins.add_standard_folders();
}

// Warns which of two versions of a plugin is used.
void warn_of_hidden(const StageOffer& offer, const Place& place, const Plugins& plugins,
                    std::vector<Problem>& problems) {
  for (const HiddenPlugin& other : plugins.hidden()) {
    if (other.taken != offer.file || other.version == offer.version) continue;
    std::string text =
        fmt::format("version {} of plugin {} is used ({}), not version {} of {}", offer.version,
                    offer.plugin, offer.file.string(), other.version, other.file.string());
    const auto is_same = [&](const Problem& p) { return p.message == text; };
    if (std::ranges::none_of(problems, is_same)) problems.push_back({place, std::move(text), true});
  }
}

ChainStage make_stage(const RawStage& raw, const std::filesystem::path& folder, Plugins& plugins,
                      std::vector<Problem>& problems) {
  ChainStage stage;
  stage.label = raw.label;
  stage.use = raw.use;
  stage.place = raw.place;
  if (raw.use.empty()) return stage;
  try {
    if (plugins.find(raw.use) == nullptr) throw UsageError(plugins.no_stage(raw.use));
    stage.stage = plugins.create(raw.use);
    stage.offer = *plugins.find(raw.use);
    warn_of_hidden(stage.offer, raw.use_place, plugins, problems);
    const AtWork at_work(place_of(stage, nullptr));
    stage.is_whole = apply_options(*stage.stage, raw, folder, problems);
    if (!raw.in_line_up && plugins.find(raw.swapped_from) != nullptr) {
      stage.original = plugins.create(raw.swapped_from);
      std::vector<Problem> of_no_interest;
      apply_options(*stage.original, raw, folder, of_no_interest);
    }
  } catch (const Error& e) {
    problems.push_back({raw.use_place, e.what(), false});
  }
  return stage;
}

void check_order(const std::vector<ChainStage>& stages, std::vector<Problem>& problems) {
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const ChainStage& stage = stages[i];
    if (!stage.stage) continue;
    const bool is_source = stage.offer.role == Role::Source;
    if (i == 0 && !is_source) {
      problems.push_back({stage.place,
                          fmt::format("{} is a {}; a chain begins with a Source: put one before it",
                                      stage.label, name_of(stage.offer.role)),
                          false});
    }
    if (i > 0 && is_source) {
      problems.push_back(
          {stage.place,
           fmt::format("{} is a Source; only the first stage of a chain can be one: take it out",
                       stage.label),
           false});
    }
  }
}

void check_for_sink(const std::vector<ChainStage>& stages, std::vector<Problem>& problems) {
  const auto is_sink = [](const ChainStage& s) { return s.stage && s.offer.role == Role::Sink; };
  if (!stages.empty() && std::ranges::none_of(stages, is_sink)) {
    problems.push_back(
        {stages.back().place, "the chain has no Sink: nothing will be written", true});
  }
}

// A file may be spelled in several ways; those that depend on the run directory are detected when
// the run opens it.
void check_products(const std::vector<ChainStage>& stages, const std::string& chain_name,
                    std::vector<Problem>& problems) {
  std::map<std::filesystem::path, std::string> writers;
  for (const ChainStage& stage : stages) {
    for (const std::string& product : stage.ports.products()) {
      const std::filesystem::path path = product_path(product, chain_name);
      const auto [it, is_first] = writers.try_emplace(path, stage.label);
      if (is_first) continue;
      problems.push_back({stage.place,
                          fmt::format("{} writes {}, as {} does; give one of them another path",
                                      stage.label, path.string(), it->second),
                          false});
    }
  }
}

// Products stay row-aligned only if their sinks write the same rows in the same order.
void check_alignment(const std::vector<ChainStage>& stages, std::vector<Problem>& problems) {
  const ChainStage* first = nullptr;
  for (const ChainStage& stage : stages) {
    const std::string& key = stage.ports.row_key();
    if (key.empty()) continue;
    if (first == nullptr) first = &stage;
    if (key == first->ports.row_key()) continue;
    problems.push_back({stage.place,
                        fmt::format("{} writes its rows with {}, but {} with {}: their products "
                                    "will not be row-aligned",
                                    stage.label, key, first->label, first->ports.row_key()),
                        true});
  }
}

}  // namespace

std::filesystem::path product_path(const std::string& pattern, const std::string& chain_name) {
  constexpr std::string_view kName = "{name}";
  std::string out = pattern;
  for (std::size_t at = out.find(kName); at != std::string::npos;
       at = out.find(kName, at + chain_name.size())) {
    out.replace(at, kName.size(), chain_name);
  }
  return std::filesystem::path(out).lexically_normal();
}

std::string Problem::text() const {
  const std::string where =
      place.line == 0 ? place.file : fmt::format("{}:{}:{}", place.file, place.line, place.column);
  return fmt::format("{}: {}{}", where, is_warning ? "warning: " : "", message);
}

std::optional<Chain> Chain::load(const std::filesystem::path& file, const Overrides& overrides,
                                 Plugins& plugins, std::vector<Problem>& problems) {
  return load(file, overrides, nullptr, plugins, problems);
}

std::optional<Chain> Chain::load(const std::filesystem::path& file, const Overrides& overrides,
                                 const FitterComparison& line_up, Plugins& plugins,
                                 std::vector<Problem>& problems) {
  return load(file, overrides, &line_up, plugins, problems);
}

std::optional<Chain> Chain::load(const std::filesystem::path& file, const Overrides& overrides,
                                 const FitterComparison* line_up, Plugins& plugins,
                                 std::vector<Problem>& problems) {
  std::optional<RawChain> raw = read_chain_file(file, problems);
  if (!raw) return std::nullopt;
  return make(*std::move(raw), file, std::filesystem::absolute(file).parent_path(), overrides,
              line_up, plugins, problems);
}

std::optional<Chain> Chain::parse(std::string_view text, const std::string& name,
                                  const std::filesystem::path& folder, const Overrides& overrides,
                                  Plugins& plugins, std::vector<Problem>& problems) {
  std::optional<RawChain> raw = read_chain_text(text, name, problems);
  if (!raw) return std::nullopt;
  return make(*std::move(raw), name, folder, overrides, nullptr, plugins, problems);
}

std::optional<Chain> Chain::make(RawChain raw, const std::filesystem::path& file,
                                 const std::filesystem::path& folder, const Overrides& overrides,
                                 const FitterComparison* line_up, Plugins& plugins,
                                 std::vector<Problem>& problems) {
  Settings settings;
  std::vector<std::pair<std::string, std::string>> set = overrides.set;
  std::erase_if(set, [&](const auto& given) {
    if (!given.first.starts_with("chain.")) return false;
    apply_set(raw, given.first, given.second, problems);
    return true;
  });
  read_settings(raw, folder, settings, problems);
  add_plugins(settings, raw, plugins, problems);
  if (line_up != nullptr) line_up_fitters(raw, *line_up, set, plugins, problems);
  for (const auto& [where, value] : set) apply_set(raw, where, value, problems);
  for (const auto& [label, use] : overrides.swap) apply_swap(raw, label, use, plugins, problems);

  Chain chain;
  chain.file_ = file;
  chain.settings_ = {*settings.name, *settings.batch_rows, *settings.batch_megabytes};
  chain.build(raw, folder, plugins, problems);
  if (line_up == nullptr) check_for_sink(chain.stages_, problems);
  if (has_errors(problems)) return std::nullopt;
  return chain;
}

std::optional<Chain> Chain::restore(const std::vector<std::string>& effective, Plugins& plugins,
                                    std::vector<Problem>& problems) {
  RawChain raw = raw_chain_of(effective);
  for (RawStage& stage : raw.stages) leave_out_defaults(stage, plugins);
  Settings settings;
  read_settings(raw, {}, settings, problems);
  Chain chain;
  chain.settings_ = {*settings.name, *settings.batch_rows, *settings.batch_megabytes};
  chain.build(raw, {}, plugins, problems);
  if (has_errors(problems)) return std::nullopt;
  return chain;
}

void Chain::build(const RawChain& raw, const std::filesystem::path& folder, Plugins& plugins,
                  std::vector<Problem>& problems) {
  bool all_known = true;
  for (const RawStage& raw_stage : raw.stages) {
    stages_.push_back(make_stage(raw_stage, folder, plugins, problems));
    all_known &= raw_stage.use.empty() || plugins.find(raw_stage.use) != nullptr;
  }
  check_order(stages_, problems);
  check_ports(problems);
  check_products(stages_, settings_.name, problems);
  check_alignment(stages_, problems);
  std::ranges::stable_sort(
      problems, {}, [](const Problem& p) { return std::tuple(p.place.line, p.place.column); });
  // Once for all unknown stages.
  if (!all_known) {
    const Place place{file_.string(), 0, 0};
    problems.push_back(
        {place, "stages are looked for in plugins:" + plugins.where_looked(), false});
  }
}

void Chain::check_ports(std::vector<Problem>& problems) {
  Schema schema;
  Schema as_written;  // with the chain file's stages in place of those from --swap
  bool is_swapped = false;
  for (ChainStage& stage : stages_) {
    stage.before = schema;
    if (!stage.stage || !stage.is_whole) {
      // Its columns are not known; errors reported for later stages would be guesses.
      schema.set_open(true);
      as_written.set_open(true);
      continue;
    }
    const auto complain = [&](const std::string& message) {
      problems.push_back({stage.place, fmt::format("{} {}", stage.label, message), false});
    };
    try {
      const AtWork at_work(place_of(stage, nullptr));
      stage.ports = ports_of(*stage.stage, schema);
      std::vector<std::string> messages;
      if (is_swapped) messages = misfits_by_swap(stage, schema, as_written);
      if (messages.empty()) messages = misfits(stage.offer.role, schema, stage.ports);
      for (const std::string& m : messages) complain(m);
      is_swapped |= stage.original != nullptr;
      const Stage& written = stage.original ? *stage.original : *stage.stage;
      const Ports written_ports = ports_of(written, as_written);
      if (stage.offer.role == Role::Source) {
        schema.set_open(false);
        as_written.set_open(false);
      }
      schema = after(stage.offer.role, schema, stage.ports, stage.label);
      as_written = after(stage.offer.role, as_written, written_ports, stage.label);
    } catch (...) {
      complain(fmt::format("cannot say what it reads and adds: {}", current_exception_message()));
      schema.set_open(true);
      as_written.set_open(true);
    }
  }
}

std::vector<std::string> Chain::effective() const {
  std::vector<std::string> lines{
      fmt::format("chain.name = {}", settings_.name),
      fmt::format("chain.batch_rows = {}", settings_.batch_rows),
      fmt::format("chain.batch_megabytes = {}", settings_.batch_megabytes)};
  for (const ChainStage& stage : stages_) {
    lines.push_back(fmt::format("stage {} = {} ({} {})", stage.label, stage.use, stage.offer.plugin,
                                stage.offer.version));
    for (const OptionBase* option : stage.stage->options()) {
      if (!option->limits().affects_results) continue;
      lines.push_back(
          fmt::format("{}.{} = {}", stage.label, option->name(), to_toml(option->value())));
    }
  }
  return lines;
}

std::string Chain::hash() const {
  std::uint64_t hash = kFnvBegin;
  for (const std::string& line : effective()) hash = fnv1a(line + '\n', hash);
  return fmt::format("{:016x}", hash);
}

}  // namespace qsohost::inline v1
