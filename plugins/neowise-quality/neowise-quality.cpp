// Keeps the good exposures of NEOWISE light curves: one source, no artefact, a good frame, away
// from the Moon and the South Atlantic Anomaly.
#include <qsohost/plugin.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <tuple>

namespace {

using qsohost::Column;
using qsohost::DType;
using qsohost::Group;

constexpr std::array<std::string_view, 2> kBands{"w1", "w2"};

struct Judged {
  const char* column;
  DType dtype;
  const char* help;
};

constexpr std::array kJudged{
    Judged{"nb", DType::I32, "components of the profile fit"},
    Judged{"na", DType::I32, "1: split into components"},
    Judged{"cc_flags", DType::String, "artefacts"},
    Judged{"qi_fact", DType::F64, "image quality"},
    Judged{"qual_frame", DType::I32, "quality of the frame"},
    Judged{"saa_sep", DType::F64, "distance from the South Atlantic Anomaly"},
    Judged{"moon_masked", DType::String, "frames masked near the Moon"},
    Judged{"ph_qual", DType::String, "A, B, C or U for each band"},
    Judged{"sat", DType::F64, "part of saturated pixels"},
    Judged{"rchi2", DType::F64, "reduced chi-squared of the profile fit"},
};

// The verdict on an epoch, by its index in the group.
struct Rule {
  std::string column;
  std::function<bool(std::size_t)> is_good;
};

// NaN and null fail.
Rule at_most(const Group& group, const char* name, double limit) {
  const Column& column = group.at(name);
  return {name, [&column, limit](std::size_t i) { return column.number(i) <= limit; }};
}

Rule at_least(const Group& group, const char* name, double limit) {
  const Column& column = group.at(name);
  return {name, [&column, limit](std::size_t i) { return column.number(i) >= limit; }};
}

Rule begins(const Group& group, const char* name, const std::string& with) {
  const Column& column = group.at(name);
  return {name, [&column, &with](std::size_t i) { return column.strings()[i].starts_with(with); }};
}

Rule graded(const Group& group, std::size_t band, const std::vector<std::string>& grades) {
  const Column& column = group.at("ph_qual");
  return {"ph_qual", [&column, &grades, band](std::size_t i) {
            const std::string_view text = column.strings()[i];
            return text.size() > band &&
                   std::ranges::find(grades, text.substr(band, 1)) != grades.end();
          }};
}

class NeowiseQuality final : public qsohost::Filter {
 public:
  qsohost::Option<std::vector<std::string>> bands{this,
                                                  "bands",
                                                  std::vector<std::string>{"w1", "w2"},
                                                  "bands whose epochs are judged",
                                                  {.choices = {"w1", "w2"}}};
  qsohost::Option<bool> drop_other_bands{this, "drop_other_bands", true,
                                         "the group of the other band is dropped"};
  qsohost::Option<std::int64_t> max_nb{this, "max_nb", 1, "kept: nb <= this", {.min = 1}};
  qsohost::Option<std::int64_t> max_na{this, "max_na", 0, "kept: na <= this", {.min = 0, .max = 1}};
  qsohost::Option<std::string> cc_flags{
      this, "cc_flags", "00",
      "kept: cc_flags begins like this, a character for each band from W1; empty: not judged"};
  qsohost::Option<double> min_qi_fact{
      this, "min_qi_fact", 1, "kept: qi_fact >= this", {.min = 0, .max = 1}};
  qsohost::Option<std::int64_t> min_qual_frame{
      this, "min_qual_frame", 1, "kept: qual_frame >= this", {.min = 0, .max = 10}};
  qsohost::Option<double> min_saa_sep{
      this, "min_saa_sep", 5, "kept: saa_sep >= this", {.unit = "deg", .min = -180, .max = 180}};
  qsohost::Option<std::string> moon_masked{
      this, "moon_masked", "00",
      "kept: moon_masked begins like this, a character for each band; empty: not judged"};
  qsohost::Option<std::vector<std::string>> ph_qual{
      this,
      "ph_qual",
      std::vector<std::string>{},
      "kept: the band's character of ph_qual is one of these, such as [\"A\", \"B\"]; empty: not "
      "judged. To keep bright epochs only biases averages of faint sources",
      {.choices = {"A", "B", "C", "U", "X"}}};
  qsohost::Option<double> max_sat{
      this, "max_sat", 1, "kept: sat <= this, e.g. 0; 1: not judged", {.min = 0, .max = 1}};
  qsohost::Option<double> max_rchi2{
      this, "max_rchi2", 0, "kept: rchi2 <= this; 0: not judged", {.min = 0}};

  void validate() const override {
    if (bands->empty()) throw qsohost::UsageError("bands: names no band; name one at least");
  }

  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override {
    for (const std::string& band : *bands) {
      for (const Judged& judged : kJudged) {
        ports.reads({group_name(band), judged.column, judged.dtype, "", judged.help});
      }
    }
    for (const auto& entry : before.groups()) {
      if (is_other_band(entry.info)) ports.drops_group(entry.info.name);
    }
  }

  void apply(qsohost::Batch& batch, qsohost::Counts& counts) const override {
    for (std::size_t band = 0; band < kBands.size(); ++band) {
      const std::string name = group_name(kBands[band]);
      if (std::ranges::find(*bands, kBands[band]) != bands->end()) {
        filter(batch.group(name), band, counts);
      } else if (const Group* other = batch.find_group(name); other && *drop_other_bands) {
        batch.drop_group(name);
      }
    }
  }

 private:
  static std::string group_name(std::string_view band) { return fmt::format("neowise.{}", band); }

  bool is_other_band(const qsohost::GroupInfo& info) const {
    return *drop_other_bands && info.survey == "neowise" &&
           std::ranges::find(*bands, info.band) == bands->end();
  }

  std::vector<Rule> rules(const Group& group, std::size_t band) const {
    std::vector<Rule> rules{at_most(group, "nb", static_cast<double>(*max_nb)),
                            at_most(group, "na", static_cast<double>(*max_na)),
                            begins(group, "cc_flags", *cc_flags),
                            at_least(group, "qi_fact", *min_qi_fact),
                            at_least(group, "qual_frame", static_cast<double>(*min_qual_frame)),
                            at_least(group, "saa_sep", *min_saa_sep),
                            begins(group, "moon_masked", *moon_masked)};
    if (!ph_qual->empty()) rules.push_back(graded(group, band, *ph_qual));
    if (*max_sat < 1) rules.push_back(at_most(group, "sat", *max_sat));
    if (*max_rchi2 > 0) rules.push_back(at_most(group, "rchi2", *max_rchi2));
    return rules;
  }

  // An epoch that fails several rules counts as failed for each, and as removed by the first.
  void filter(Group& group, std::size_t band, qsohost::Counts& counts) const {
    std::vector<std::uint8_t> mask(group.epochs(), 1);
    counts.add(group.name(), "epochs in", static_cast<std::int64_t>(mask.size()));
    std::vector<std::tuple<std::string, std::int64_t, std::int64_t>> fallen;
    for (const Rule& rule : rules(group, band)) {
      std::int64_t failed = 0;
      std::int64_t removed = 0;
      for (std::size_t i = 0; i < mask.size(); ++i) {
        if (rule.is_good(i)) continue;
        ++failed;
        removed += mask[i];
        mask[i] = 0;
      }
      fallen.emplace_back(rule.column, failed, removed);
    }
    const std::size_t emptied = group.keep_epochs(mask);
    counts.add(group.name(), "epochs kept", static_cast<std::int64_t>(group.epochs()));
    for (const auto& [rule, failed, removed] : fallen) {
      counts.add(group.name(), fmt::format("failed {}", rule), failed);
      counts.add(group.name(), fmt::format("removed by {}", rule), removed);
    }
    counts.add(group.name(), "objects left with none", static_cast<std::int64_t>(emptied));
  }
};

}  // namespace

QSOHOST_PLUGIN("neowise-quality", QSOHOST_VERSION,
               qsohost::stage<NeowiseQuality>("neowise-quality",
                                              "cuts on artefacts, frames, Moon and anomaly of "
                                              "NEOWISE exposures"));
