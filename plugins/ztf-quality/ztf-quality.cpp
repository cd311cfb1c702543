// Keeps the good epochs of ZTF light curves: clean flags, stellar shape, a fair PSF fit, low
// airmass.
//
// chi, sharp and airmass are 32-bit numbers in the archive, which prints 1.8 as 1.79999995. A limit
// is therefore rounded to 32 bits before it is compared: what the archive holds as 1.8 is equal to
// the limit 1.8, not below it.
#include <qsohost/plugin.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>

namespace {

constexpr std::string_view kSurvey = "ztf";

struct Limits {
  std::int64_t catflags;
  float sharp;
  float chi_low;
  float chi_high;
  float airmass;
};

// Which rules epochs fail; an epoch that fails several counts for each.
struct Fallen {
  std::int64_t catflags = 0;
  std::int64_t sharp = 0;
  std::int64_t chi = 0;
  std::int64_t airmass = 0;
};

// One entry an epoch, 1 to keep it. Written so that NaN and null fail.
std::vector<std::uint8_t> judge(const qsohost::Group& group, const Limits& limits, Fallen& fallen) {
  const qsohost::Column& catflags = group.at("catflags");
  const auto flags = catflags.values<std::int32_t>();
  const auto sharp = group.at("sharp").values<float>();
  const auto chi = group.at("chi").values<float>();
  const auto airmass = group.at("airmass").values<float>();
  std::vector<std::uint8_t> mask(group.epochs());
  for (std::size_t i = 0; i < mask.size(); ++i) {
    const bool good_flags = flags[i] == limits.catflags && !catflags.is_null(i);
    const bool good_sharp = std::abs(sharp[i]) < limits.sharp;
    const bool good_chi = chi[i] >= limits.chi_low && chi[i] <= limits.chi_high;
    const bool good_airmass = airmass[i] < limits.airmass;
    fallen.catflags += good_flags ? 0 : 1;
    fallen.sharp += good_sharp ? 0 : 1;
    fallen.chi += good_chi ? 0 : 1;
    fallen.airmass += good_airmass ? 0 : 1;
    mask[i] = good_flags && good_sharp && good_chi && good_airmass ? 1 : 0;
  }
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

  void validate() const override {
    if (bands->empty()) throw qsohost::ChainError("bands: names no band");
    if (!((*chi)[0] <= (*chi)[1])) {
      throw qsohost::ChainError(
          fmt::format("chi: the first limit, {}, is above the second, {}", (*chi)[0], (*chi)[1]));
    }
  }

  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override {
    for (const std::string& band : *bands) {
      const std::string group = group_name(band);
      ports.reads({group, "catflags", qsohost::DType::I32, "", "flags of the PSF catalogue"});
      ports.reads({group, "sharp", qsohost::DType::F32, "", "sharpness"});
      ports.reads({group, "chi", qsohost::DType::F32, "", "chi of the PSF fit"});
      ports.reads({group, "airmass", qsohost::DType::F32, "", "airmass"});
    }
    for (const auto& entry : before.groups()) {
      if (is_other_band(entry.info)) ports.drops_group(entry.info.name);
    }
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
    Fallen fallen;
    const std::vector<std::uint8_t> mask = judge(group, limits, fallen);
    const std::vector<std::uint64_t> before(group.offsets().begin(), group.offsets().end());
    group.keep_epochs(mask);

    std::int64_t emptied = 0;
    for (std::size_t row = 0; row < group.rows(); ++row) {
      if (before[row + 1] > before[row] && group.slice(row).count == 0) ++emptied;
    }
    counts.add(group.name(), "epochs in", static_cast<std::int64_t>(mask.size()));
    counts.add(group.name(), "epochs kept", static_cast<std::int64_t>(group.epochs()));
    counts.add(group.name(), "failed catflags", fallen.catflags);
    counts.add(group.name(), "failed sharp", fallen.sharp);
    counts.add(group.name(), "failed chi", fallen.chi);
    counts.add(group.name(), "failed airmass", fallen.airmass);
    counts.add(group.name(), "objects left with none", emptied);  // that had epochs before
  }
};

}  // namespace

QSOHOST_PLUGIN(
    "ztf-quality", "0.1.0",
    qsohost::stage<ZtfQuality>("ztf-quality",
                               "cuts on catflags, sharpness, PSF fit and airmass of ZTF epochs"));
