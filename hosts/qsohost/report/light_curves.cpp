#include "report/light_curves.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "qsohost/error.hpp"
#include "report/light_curves_json.hpp"
#include "report/light_curves_sample.hpp"
#include "report/sections.hpp"

namespace qsohost::cli {
namespace {

using Json = nlohmann::ordered_json;

// Of a page of 5 MB. What is beyond is objects, not epochs of one.
constexpr std::size_t kMostBytes = 2'400'000;

// JSON that may stand in a <script> element whatever its texts hold.
std::string script_text(const Json& json) {
  std::string out;
  for (const char c : json.dump(-1, ' ', false, Json::error_handler_t::replace)) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

// The epochs and fits of a sample, object by object.
class Reader {
 public:
  Reader(const RunProducts& run, const std::vector<SurveyCurves>& surveys,
         const std::set<std::string>& ids)
      : fits_(run, ids) {
    for (const SurveyCurves& survey : surveys) curves_.emplace_back(survey, ids);
    const auto last = std::ranges::max_element(
        curves_, {}, [](const CurvesOfSurvey& c) { return c.last().history.size(); });
    rules_ = std::make_unique<RemovalRules>(last->last());
    for (const CurvesOfSurvey& survey : curves_) {
      has_rules_.push_back(is_earlier_in_chain(survey.last(), last->last()));
    }
  }

  ObjectCurves read(const ChosenObject& chosen) {
    ObjectCurves object{.id = chosen.id, .why = chosen.why, .bands = {}, .fits = {}, .notes = {}};
    std::vector<BandEpochs> of_other_chains;
    for (std::size_t i = 0; i < curves_.size(); ++i) {
      try {
        std::ranges::move(curves_[i].read(chosen.id, object.notes),
                          std::back_inserter(has_rules_[i] ? object.bands : of_other_chains));
      } catch (const RunError& error) {
        object.notes.emplace_back(error.what());
      }
    }
    name_rules(object.bands, *rules_);
    std::ranges::move(of_other_chains, std::back_inserter(object.bands));
    try {
      object.fits = fits_.read(chosen.id);
    } catch (const RunError& error) {
      object.notes.emplace_back(error.what());
    }
    for (BandEpochs& band : object.bands) {
      for (const CurveFit& fit : object.fits) {
        if (fit.group == band.info.name) mark_removed(band, fit);
      }
    }
    return object;
  }
  const std::string& problem() const { return rules_->problem(); }

 private:
  std::vector<CurvesOfSurvey> curves_;
  FitsOfRun fits_;
  std::unique_ptr<RemovalRules> rules_;
  std::vector<bool> has_rules_;
};

// Controls and an empty panel, which the script fills; what it writes are texts, not markup.
std::string markup(const std::string& prefix, const std::string& json) {
  const auto button = [&](std::string_view name, std::string_view label) {
    return fmt::format(R"(<button type="button" id="{0}lc-{1}" data-lc="{1}">{2}</button>)", prefix,
                       name, label);
  };
  std::string out = fmt::format(R"(<div class="lc-panel" id="{0}lc-panel">
<div class="lc-controls">
<label>Object <select id="{0}lc-list" data-lc="list"></select></label>
<label>Find <input id="{0}lc-search" data-lc="search" type="search" autocomplete="off" spellcheck="false" placeholder="source_id or its beginning"></label>
)",
                                prefix);
  out += button("previous", "Previous") + button("next", "Next") +
         button("worst", "Worst &#967;&#178;") + button("removed", "Most removed") +
         button("flagged", "Flagged") + button("reset", "Whole range") + button("csv", "CSV") +
         button("png", "PNG");
  out += fmt::format(R"(
</div>
<p class="lc-status" id="{0}lc-status" data-lc="status" role="status"></p>
<p class="lc-status" id="{0}lc-reading" data-lc="reading"></p>
<div class="lc-legend" id="{0}lc-legend" data-lc="legend"></div>
<div class="lc-plot" id="{0}lc-plot" data-lc="plot" role="img"></div>
<div class="lc-plot" id="{0}lc-residuals" data-lc="residuals" role="img"></div>
<div class="lc-facts" id="{0}lc-facts" data-lc="facts"></div>
<noscript><p>The light curves are drawn by a script, which this browser does not run.</p></noscript>
<script type="application/json" id="{0}lc-data" data-lc="data">{1}</script>
</div>
)",
                     prefix, json);
  return out;
}

std::string sample_text(const std::vector<ChosenObject>& shown, std::size_t chosen,
                        std::uint64_t most_rows, std::uint64_t seed) {
  std::vector<std::pair<std::string, std::size_t>> counts;
  for (const ChosenObject& object : shown) {
    auto at = std::ranges::find(counts, object.why, &std::pair<std::string, std::size_t>::first);
    if (at == counts.end()) at = counts.insert(at, {object.why, 0});
    ++at->second;
  }
  std::string kinds;
  for (const auto& [why, n] : counts) {
    kinds += fmt::format("{}{} {}", kinds.empty() ? "" : ", ", why, n);
  }
  std::string text = fmt::format(
      "{} of {} objects, taken in turn from each outcome at random (seed {}) and from the extremes "
      "of the fits: {}.",
      shown.size(), most_rows, seed, kinds);
  if (shown.size() < chosen) {
    text += fmt::format(" {} more were chosen and left out to keep the page small.",
                        chosen - shown.size());
  }
  return text;
}

std::uint64_t most_rows(const std::vector<SurveyCurves>& surveys) {
  std::uint64_t rows = 0;
  for (const SurveyCurves& survey : surveys) {
    rows = std::max(rows, survey.products.front()->rows);
  }
  return rows;
}

}  // namespace

Section light_curves_section(const RunProducts& run, const ReportOptions& options) {
  Section section{.id = "light-curves", .title = "Light curves"};
  const std::vector<SurveyCurves> surveys = curves_by_survey(run);
  if (surveys.empty() || options.light_curves == 0) return section;
  const std::vector<ChosenObject> chosen =
      choose_objects(run, surveys, options.light_curves, options.seed);
  std::set<std::string> ids;
  for (const ChosenObject& object : chosen) ids.insert(object.id);

  Reader reader(run, surveys, ids);
  RuleNames rules;
  std::vector<ChosenObject> shown;
  std::string objects;
  for (const ChosenObject& object : chosen) {
    ObjectCurves curves = reader.read(object);
    const std::string text = script_text(json_of(curves, rules));
    if (objects.size() + text.size() > kMostBytes && !shown.empty()) break;
    objects += (objects.empty() ? "" : ",\n") + text;
    shown.push_back(object);
  }
  section.markup =
      markup(options.id_prefix, fmt::format(R"({{"zero":{},"rules":{},"objects":[{}]}})", kTimeZero,
                                            script_text(rules.names()), objects));

  section.paragraphs.push_back(sample_text(shown, chosen.size(), most_rows(surveys), options.seed));
  section.paragraphs.emplace_back(
      "Drag to zoom, double-click for the whole range. Removed epochs are marked by the stage and "
      "rule that removed them; one that fails several rules counts for the first. Lines are the "
      "mean of the fitted damped random walk, shades its one and two standard deviations, without "
      "noise. Below: of each epoch, magnitude minus its prediction from all other epochs fitted, "
      "over the standard deviation of the difference; removed epochs beyond the axis are at its "
      "edge.");
  section.paragraphs.emplace_back(
      "Times of all surveys are shown as MJD by their zero points alone: scale and light travel, "
      "up to 10 minutes, are not corrected here.");
  if (!reader.problem().empty()) {
    section.paragraphs.push_back(
        fmt::format("Removed epochs are told by stages, not by rules: {}", reader.problem()));
  }
  for (const SurveyCurves& survey : surveys) {
    std::ranges::copy(survey.notes, std::back_inserter(section.paragraphs));
  }
  return section;
}

}  // namespace qsohost::cli
