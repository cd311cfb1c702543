// Drops epochs that an earlier stage marked: those whose `keep` is 0. An epoch with a null stays.
// The column that marked them has no meaning for those left, and goes too: fitters may mark anew.
#include <qsohost/plugin.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace {

class DropEpochs : public qsohost::Filter {
 public:
  qsohost::Option<std::string> column{
      this, "column", "keep",
      "epochs are dropped where this column (bool) is 0; it is gone after that"};
  qsohost::Option<std::vector<std::string>> groups{
      this, "groups", std::vector<std::string>{},
      "groups whose epochs are dropped; none named: all that have the column"};

  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override {
    std::vector<std::string> names = *groups;
    if (names.empty()) {
      // Looks at columns, as the groups may not be known before the source is open.
      for (const auto& entry : before.columns()) {
        if (!entry.port.group.empty() && entry.port.name == *column)
          names.push_back(entry.port.group);
      }
    }
    for (const std::string& name : names) {
      ports.reads({.group = name,
                   .name = *column,
                   .dtype = qsohost::DType::Bool,
                   .help = "0: the epoch is dropped; the column goes after that",
                   .used_up = true});
    }
    if (names.empty() && !before.is_open()) ports.problem(nothing_to_do());
  }

  void apply(qsohost::Batch& batch, qsohost::Counts& counts) const override {
    bool any = false;
    for (qsohost::Group& group : batch.groups()) {
      if (!is_meant(group)) continue;
      any = true;
      const auto in = static_cast<std::int64_t>(group.epochs());
      group.keep_epochs(kept(group.at(*column)));
      counts.add(group.name(), "epochs in", in);
      counts.add(group.name(), "epochs dropped", in - static_cast<std::int64_t>(group.epochs()));
    }
    if (!any) throw qsohost::UsageError(nothing_to_do());
  }

 private:
  std::string nothing_to_do() const {
    return fmt::format("no group of epochs has a column '{}'; a stage before this one must add it",
                       *column);
  }

  bool is_meant(const qsohost::Group& group) const {
    if (groups->empty()) return group.find(*column) != nullptr;
    return std::find(groups->begin(), groups->end(), group.name()) != groups->end();
  }

  static std::vector<std::uint8_t> kept(const qsohost::Column& keep) {
    const auto values = keep.values<bool>();
    std::vector<std::uint8_t> mask(values.begin(), values.end());
    for (std::size_t i = 0; i < mask.size(); ++i) {
      if (keep.is_null(i)) mask[i] = 1;
    }
    return mask;
  }
};

}  // namespace

QSOHOST_PLUGIN("drop-epochs", QSOHOST_VERSION,
               qsohost::stage<DropEpochs>("drop-epochs",
                                          "drops epochs that an earlier stage marked"));
