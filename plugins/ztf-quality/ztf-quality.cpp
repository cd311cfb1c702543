// Keeps the good epochs of ZTF light curves: clean flags, stellar shape, a fair PSF fit, low
// airmass.
//
// chi, sharp and airmass are 32-bit numbers in the archive, which prints 1.8 as 1.79999995. So a
// limit is rounded to 32 bits before it is compared: the archive's 1.8 equals the limit 1.8 and is
// not below it.
#include <qsohost/plugin.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace {

constexpr std::string_view kSurvey = "ztf";

struct Judged {
  const char* column;
  qsohost::DType dtype;
  const char* help;
};

constexpr Judged kJudged[] = {
    {"catflags", qsohost::DType::I32, "flags of the PSF catalogue"},
    {"sharp", qsohost::DType::F32, "sharpness"},
    {"chi", qsohost::DType::F32, "chi of the PSF fit"},
    {"airmass", qsohost::DType::F32, "airmass"},
};

struct Limits {
  std::int64_t catflags;
  float sharp;
  float chi_low;
  float chi_high;
  float airmass;
};

// Epochs that fail one rule; an epoch that fails several counts for each.
struct Fallen {
  std::int64_t failed = 0;
  std::int64_t removed = 0;  // of them, those that no earlier rule has removed
};

struct AllFallen {
  Fallen catflags, sharp, chi, airmass;
};

// Removes epochs from the mask.
template <class IsGood>
Fallen strike(std::vector<std::uint8_t>& mask, const IsGood& is_good) {
  Fallen fallen;
  for (std::size_t i = 0; i < mask.size(); ++i) {
    if (is_good(i)) continue;
    ++fallen.failed;
    fallen.removed += mask[i];
    mask[i] = 0;
  }
  return fallen;
}

// One entry an epoch, 1 to keep it. Written so that NaN and null fail.
std::vector<std::uint8_t> judge(const qsohost::Group& group, const Limits& limits,
                                AllFallen& fallen) {
  std::vector<std::uint8_t> mask(group.epochs(), 1);
  if (const qsohost::Column* catflags = group.find("catflags")) {
    const auto flags = catflags->values<std::int32_t>();
    fallen.catflags = strike(
        mask, [&](std::size_t i) { return flags[i] == limits.catflags && !catflags->is_null(i); });
  }
  const auto judge_by = [&](const char* name, Fallen& of_rule, const auto& is_good) {
    const qsohost::Column* column = group.find(name);
    if (column == nullptr) return;  // only with skip_missing
    const auto values = column->values<float>();
    of_rule = strike(mask, [&](std::size_t i) { return is_good(values[i]); });
  };
  judge_by("sharp", fallen.sharp, [&](float v) { return std::abs(v) < limits.sharp; });
  judge_by("chi", fallen.chi, [&](float v) { return v >= limits.chi_low && v <= limits.chi_high; });
  judge_by("airmass", fallen.airmass, [&](float v) { return v < limits.airmass; });
  return mask;
}

class ZtfQuality : public qsohost::Filter {
 public:
  qsohost::Option<std::vector<std::string>> bands{this,
                                                  "bands",
                                                  std::vector<std::string>{"g", "r"},
                                                  "bands whose epochs are judged",
                                                  {.choices = {"g", "r", "i"}}};
  qsohost::Option<bool> drop_other_bands{this, "drop_other_bands", true,
                                         "the groups of other ZTF bands are dropped"};
  qsohost::Option<std::int64_t> catflags{this, "catflags", 0, "kept: catflags == this"};
  qsohost::Option<double> max_abs_sharp{
      this, "max_abs_sharp", 0.25, "kept: |sharp| < this", {.min = 0}};
  qsohost::Option<std::vector<double>> chi{
      this, "chi", std::vector<double>{0.5, 1.5}, "kept: first <= chi <= second", {.length = 2}};
  qsohost::Option<double> max_airmass{this, "max_airmass", 1.8, "kept: airmass < this", {.min = 1}};
  qsohost::Option<bool> skip_missing{
      this, "skip_missing", false,
      "a rule whose column the light curves do not have is left out, with a warning, instead of "
      "being an error"};

  void validate() const override {
    if (bands->empty()) throw qsohost::UsageError("bands: names no band; name one at least");
    if (!((*chi)[0] <= (*chi)[1])) {
      throw qsohost::UsageError(fmt::format(
          "chi: the first limit, {}, is above the second, {}; swap them", (*chi)[0], (*chi)[1]));
    }
  }

  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override {
    for (const std::string& band : *bands) {
      for (const Judged& judged : kJudged) {
        const std::string group = group_name(band);
        if (!is_missing(before, group, judged.column)) {
          ports.reads({group, judged.column, judged.dtype, "", judged.help});
        } else if (!*skip_missing) {
          ports.problem(
              fmt::format("judges by column '{}', which light curve '{}' does not have; set "
                          "skip_missing = true "
                          "to leave that rule out",
                          judged.column, group));
        }
      }
    }
    for (const auto& entry : before.groups()) {
      if (is_other_band(entry.info)) ports.drops_group(entry.info.name);
    }
  }

  void open(qsohost::Context& context) override {
    std::vector<std::string> missing;
    for (const Judged& judged : kJudged) {
      for (const std::string& band : *bands) {
        if (!is_missing(context.run().schema, group_name(band), judged.column)) continue;
        missing.push_back(fmt::format("{} of {}", judged.column, group_name(band)));
      }
    }
    if (missing.empty()) return;
    context.warn(fmt::format("not judged, for the light curves do not have it: {}",
                             fmt::join(missing, ", ")));
  }

  void apply(qsohost::Batch& batch, qsohost::Counts& counts) const override {
    for (const std::string& band : *bands) filter(batch.group(group_name(band)), counts);
    std::vector<std::string> others;
    for (const qsohost::Group& group : batch.groups()) {
      if (is_other_band(group.info())) others.push_back(group.name());
    }
    for (const std::string& name : others) batch.drop_group(name);
  }

 private:
  // True if the light curve is known and lacks the column.
  static bool is_missing(const qsohost::Schema& schema, const std::string& group,
                         const char* column) {
    return schema.find_group(group) != nullptr && !schema.is_open() &&
           schema.find(group, column) == nullptr;
  }

  static std::string group_name(std::string_view band) {
    return fmt::format("{}.{}", kSurvey, band);
  }

  bool is_other_band(const qsohost::GroupInfo& info) const {
    return *drop_other_bands && info.survey == kSurvey &&
           std::find(bands->begin(), bands->end(), info.band) == bands->end();
  }

  void filter(qsohost::Group& group, qsohost::Counts& counts) const {
    const Limits limits{*catflags, static_cast<float>(*max_abs_sharp),
                        static_cast<float>((*chi)[0]), static_cast<float>((*chi)[1]),
                        static_cast<float>(*max_airmass)};
    AllFallen fallen;
    const std::vector<std::uint8_t> mask = judge(group, limits, fallen);
    const std::size_t emptied = group.keep_epochs(mask);
    counts.add(group.name(), "epochs in", static_cast<std::int64_t>(mask.size()));
    counts.add(group.name(), "epochs kept", static_cast<std::int64_t>(group.epochs()));
    for (const auto& [rule, n] : {std::pair{"catflags", fallen.catflags},
                                  {"sharp", fallen.sharp},
                                  {"chi", fallen.chi},
                                  {"airmass", fallen.airmass}}) {
      counts.add(group.name(), fmt::format("failed {}", rule), n.failed);
      counts.add(group.name(), fmt::format("removed by {}", rule), n.removed);
    }
    counts.add(group.name(), "objects left with none", static_cast<std::int64_t>(emptied));
  }
};

}  // namespace

QSOHOST_PLUGIN(
    "ztf-quality", QSOHOST_VERSION,
    qsohost::stage<ZtfQuality>("ztf-quality",
                               "cuts on catflags, sharpness, PSF fit and airmass of ZTF epochs"));
