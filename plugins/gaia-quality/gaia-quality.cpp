// Removes epochs of Gaia that photometry or variability analysis flagged. The chain chooses the
// flags; by default none is used.
#include <qsohost/plugin.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "../gaia-epoch/bands.hpp"

namespace {

std::vector<std::string> names_of_flags() {
  std::vector<std::string> names;
  for (const gaia::Flag& flag : gaia::flags()) names.push_back(flag.name);
  return names;
}

// The light curve that a flag describes. The host has checked that the name exists.
const std::string& group_of(const std::string& flag) {
  return std::ranges::find(gaia::flags(), flag, &gaia::Flag::name)->group;
}

class GaiaQuality : public qsohost::Filter {
 public:
  qsohost::Option<std::vector<std::string>> flags{this,
                                                  "flags",
                                                  std::vector<std::string>{},
                                                  "epochs with one of these flags set, or unknown, "
                                                  "go; a flag of BP or RP counts for that band, "
                                                  "any other for G",
                                                  {.choices = names_of_flags()}};
  qsohost::Option<bool> skip_missing{
      this, "skip_missing", false,
      "a flag that the light curves do not have is left out, with a warning, instead of being an "
      "error"};

  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override {
    for (const std::string& flag : *flags) {
      const std::string& group = group_of(flag);
      if (!is_missing(before, group, flag)) {
        ports.reads({group, flag, std::nullopt, "", "epochs with this flag go"});
      } else if (!*skip_missing) {
        ports.problem(fmt::format(
            "judges by flag '{}', which light curve '{}' does not have; ask for it with columns = "
            "[\"{}\"] in gaia-epoch, or set skip_missing = true to leave that rule out",
            flag, group, flag));
      }
    }
  }

  void open(qsohost::Context& context) override {
    std::vector<std::string> missing;
    for (const std::string& flag : *flags) {
      if (is_missing(context.run().schema, group_of(flag), flag)) missing.push_back(flag);
    }
    if (missing.empty()) return;
    context.warn(fmt::format("not judged, for the light curves do not have it: {}",
                             fmt::join(missing, ", ")));
  }

  void apply(qsohost::Batch& batch, qsohost::Counts& counts) const override {
    std::map<std::string, std::vector<std::string>> by_group;
    for (const std::string& flag : *flags) {
      std::vector<std::string>& columns = by_group[group_of(flag)];
      if (std::ranges::find(columns, flag) != columns.end()) continue;
      // Skips missing ones only with skip_missing.
      if (batch.group(group_of(flag)).find(flag) != nullptr) columns.push_back(flag);
    }
    for (const auto& [name, columns] : by_group) filter(batch.group(name), columns, counts);
  }

 private:
  // True if the light curve is known and lacks the column.
  static bool is_missing(const qsohost::Schema& schema, const std::string& group,
                         const std::string& flag) {
    return schema.find_group(group) != nullptr && !schema.is_open() &&
           schema.find(group, flag) == nullptr;
  }

  static void filter(qsohost::Group& group, const std::vector<std::string>& columns,
                     qsohost::Counts& counts) {
    std::vector<std::uint8_t> mask(group.epochs(), 1);
    counts.add(group.name(), "epochs in", static_cast<std::int64_t>(mask.size()));
    for (const std::string& name : columns) {
      const qsohost::Column& flag = group.at(name);
      std::int64_t failed = 0;
      std::int64_t removed = 0;  // that no flag before had removed
      for (std::size_t i = 0; i < mask.size(); ++i) {
        if (flag.number(i) == 0) continue;  // a null is NaN
        ++failed;
        removed += mask[i];
        mask[i] = 0;
      }
      // An epoch that has several of the flags counts for each.
      counts.add(group.name(), "failed " + name, failed);
      counts.add(group.name(), "removed by " + name, removed);
    }
    const std::size_t emptied = group.keep_epochs(mask);
    counts.add(group.name(), "epochs kept", static_cast<std::int64_t>(group.epochs()));
    counts.add(group.name(), "objects left with none", static_cast<std::int64_t>(emptied));
  }
};

}  // namespace

QSOHOST_PLUGIN("gaia-quality", QSOHOST_VERSION,
               qsohost::stage<GaiaQuality>(
                   "gaia-quality", "cuts on the photometry and variability flags of Gaia epochs"));
