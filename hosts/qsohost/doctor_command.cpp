#include "doctor_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "interrupts.hpp"
#include "json_text.hpp"
#include "output.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/examine.hpp"

namespace qsohost::cli {
namespace {

std::string speed(const std::vector<double>& seconds) {
  if (seconds.empty()) return "nothing was asked";
  const auto [least, most] = std::ranges::minmax(seconds);
  if (seconds.size() == 1) return fmt::format("1 request, {:.2f} s", least);
  return fmt::format("{} requests, {:.2f} to {:.2f} s each", seconds.size(), least, most);
}

std::string as_text(const ExaminedArchive& a) {
  std::string out = a.label;
  if (a.use != a.label) out += fmt::format(" ({})", a.use);
  out += fmt::format(": {}, {}\n", a.archive, a.url);
  const auto line = [&](std::string_view what, const std::string& text) {
    out += fmt::format("  {:<9} {}\n", what, text);
  };
  if (!a.release.empty()) line("release", a.release);
  for (const std::string& note : a.notes) line("", note);
  line("speed", speed(a.seconds));
  for (const std::string& change : a.changes) line("CHANGE", change);
  if (a.changes.empty()) line("", "nothing to change");
  return out;
}

nlohmann::ordered_json as_json(const ExaminedArchive& a) {
  return {{"label", a.label},     {"stage", a.use},       {"archive", a.archive},
          {"url", a.url},         {"release", a.release}, {"notes", a.notes},
          {"changes", a.changes}, {"seconds", a.seconds}};
}

// `--set` without a chain: all of them are the stage's own.
std::vector<std::pair<std::string, std::string>> own_options(const Arguments& arguments) {
  std::vector<std::pair<std::string, std::string>> own;
  for (const auto& [name, value] : arguments.overrides.set) {
    const std::string prefix = arguments.archives.front() + ".";
    own.emplace_back(name.starts_with(prefix) ? name.substr(prefix.size()) : name, value);
  }
  return own;
}

std::optional<std::vector<ExaminedArchive>> examine_wanted(Plugins& plugins,
                                                           const Arguments& arguments,
                                                           const ExamineOptions& options) {
  if (arguments.chain.empty()) {
    return examine(plugins, arguments.archives.front(), own_options(arguments), options);
  }
  std::vector<Problem> problems;
  std::optional<Chain> chain = Chain::load(arguments.chain, arguments.overrides, plugins, problems);
  for (const Problem& problem : problems) complain("{}\n", problem.text());
  if (!chain) return std::nullopt;
  return examine(*chain, options);
}

}  // namespace

int examine_archives(Plugins& plugins, const Arguments& arguments) {
  std::optional<InterruptHandler> signals;
  ExamineOptions options;
  options.interrupts = arguments.run.interrupts;
  if (options.interrupts == nullptr) {
    signals.emplace();
    options.interrupts = &InterruptHandler::count();
  }
  options.log = [](LogLevel level, const std::string& text) {
    if (level >= LogLevel::Warning) complain("warning: {}\n", text);
  };
  if (!arguments.chain.empty()) options.only = arguments.archives;
  const auto archives = examine_wanted(plugins, arguments, options);
  if (!archives) return kUsage;
  std::string text;
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (const ExaminedArchive& archive : *archives) {
    text += (text.empty() ? "" : "\n") + as_text(archive);
    json.push_back(as_json(archive));
  }
  if (archives->empty()) text = "No stage here asks an archive over HTTP.\n";
  write_text(Stream::Out, arguments.json ? to_json_text(json) + "\n" : text);
  const bool is_good = std::ranges::all_of(
      *archives, [](const ExaminedArchive& archive) { return archive.changes.empty(); });
  return unless_output_is_lost(is_good ? kDone : kRunFailed);
}

}  // namespace qsohost::cli
