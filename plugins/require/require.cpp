// Keeps the objects that have epochs in all given groups, and values in all given columns.
#include <qsohost/plugin.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace {

// A cell with several elements has a value if any element does.
bool has_value(const qsohost::Column& column, std::size_t row) {
  for (std::size_t i = row * column.width(); i < (row + 1) * column.width(); ++i) {
    if (column.dtype() == qsohost::DType::String) {
      if (!column.is_null(i) && !column.strings()[i].empty()) return true;
    } else if (!std::isnan(column.number(i))) {
      return true;
    }
  }
  return false;
}

enum class Match : std::uint8_t { All, Any };

class Require : public qsohost::Filter {
 public:
  qsohost::Option<std::vector<std::string>> groups{
      this, "groups", std::vector<std::string>{},
      "groups of epochs an object must have, e.g. [\"ztf.g\"]"};
  qsohost::Choice<Match> match{this,
                               "match",
                               Match::All,
                               {{"all", Match::All}, {"any", Match::Any}},
                               "epochs in all of the groups, or in any of them"};
  qsohost::Option<std::int64_t> min_epochs{
      this, "min_epochs", 1, "epochs an object must have in each of the groups", {.min = 1}};

  qsohost::Option<std::vector<std::string>> columns{
      this, "columns", std::vector<std::string>{},
      "object columns that must hold a value: not null, not NaN, not empty; e.g. [\"z\"]"};

  void validate() const override {
    if (groups->empty() && columns->empty()) {
      throw qsohost::UsageError("requires nothing: name groups or columns");
    }
  }

  void declare(const qsohost::Schema& before, qsohost::Ports& ports) const override {
    for (const std::string& column : *columns) {
      ports.reads({.group = "",
                   .name = column,
                   .dtype = std::nullopt,
                   .help = "must hold a value",
                   .width = qsohost::kAnyWidth});
    }
    if (before.is_open()) return;
    std::vector<std::string> names;
    for (const auto& entry : before.groups()) names.push_back(entry.info.name);
    for (const std::string& group : *groups) {
      if (std::find(names.begin(), names.end(), group) != names.end()) continue;
      ports.problem(fmt::format("groups: there is no group '{}' here; there is {}", group,
                                names.empty() ? "none" : fmt::to_string(fmt::join(names, ", "))));
    }
  }

  void apply(qsohost::Batch& batch, qsohost::Counts& counts) const override {
    std::vector<std::uint8_t> mask = with_epochs(batch, counts);
    for (const std::string& name : *columns) {
      const qsohost::Column& column = batch.objects().at(name);
      std::int64_t lacking = 0;
      for (std::size_t row = 0; row < mask.size(); ++row) {
        if (has_value(column, row)) continue;
        mask[row] = 0;
        ++lacking;
      }
      counts.add(name, "objects without a value", lacking);
    }
    counts.add("objects", "in", static_cast<std::int64_t>(mask.size()));
    counts.add("objects", "kept", std::count(mask.begin(), mask.end(), std::uint8_t{1}));
    batch.keep_rows(mask);
  }

 private:
  // 1 for each object that has enough epochs.
  std::vector<std::uint8_t> with_epochs(const qsohost::Batch& batch,
                                        qsohost::Counts& counts) const {
    std::vector<std::size_t> groups_with(batch.rows(), 0);
    for (const std::string& name : *groups) {
      const qsohost::Group& group = batch.group(name);
      std::int64_t lacking = 0;
      for (std::size_t row = 0; row < groups_with.size(); ++row) {
        const bool has = group.slice(row).count >= static_cast<std::uint64_t>(*min_epochs);
        groups_with[row] += has ? 1 : 0;
        lacking += has ? 0 : 1;
      }
      counts.add(name, "objects with too few epochs", lacking);
    }
    const std::size_t needed =
        *match == Match::All ? groups->size() : std::min<std::size_t>(1, groups->size());
    std::vector<std::uint8_t> mask(batch.rows());
    for (std::size_t row = 0; row < mask.size(); ++row) mask[row] = groups_with[row] >= needed;
    return mask;
  }
};

}  // namespace

QSOHOST_PLUGIN("require", QSOHOST_VERSION,
               qsohost::stage<Require>("require",
                                       "keeps objects that have the groups and columns named"));
