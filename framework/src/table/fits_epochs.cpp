#include "qsohost/io/fits_epochs.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace qsohost::inline io_v1 {

namespace {

class Keywords {
 public:
  void add(std::string_view stem, std::size_t number, const std::string& value,
           std::string_view comment) {
    if (value.empty()) return;
    keywords_.push_back({fmt::format("{}{}", stem, number), value, std::string(comment)});
  }
  std::vector<FitsKeyword> take() { return std::move(keywords_); }

 private:
  std::vector<FitsKeyword> keywords_;
};

void add_group(const GroupInfo& group, std::size_t k, Keywords& to) {
  to.add("QLC", k, group.name, "a light curve");
  to.add("QSURV", k, group.survey, "its survey");
  to.add("QBAND", k, group.band, "its band");
  to.add("QTIME", k, group.time, "its times");
  to.add("QMAG", k, group.mag, "its magnitudes");
  to.add("QMERR", k, group.mag_err, "errors of the magnitudes");
  to.add("QTSYS", k, name_of(group.time_system), "what the times are");
  if (!group.has_position) to.add("QPOS", k, "F", "products have no ra and dec");
}

GroupInfo read_group(const InputTable& table, std::size_t k) {
  const auto value = [&](std::string_view stem) {
    return table.keyword(fmt::format("{}{}", stem, k)).value_or("");
  };
  return {.name = value("QLC"),
          .survey = value("QSURV"),
          .band = value("QBAND"),
          .time = value("QTIME"),
          .mag = value("QMAG"),
          .mag_err = value("QMERR"),
          .time_system = time_system_of(value("QTSYS")).value_or(TimeSystem()),
          .has_position = value("QPOS") != "F"};
}

}  // namespace

std::vector<FitsKeyword> epoch_keywords(const FitsEpochs& epochs) {
  Keywords keywords;
  for (std::size_t k = 0; k < epochs.groups.size(); ++k) {
    add_group(epochs.groups[k], k + 1, keywords);
  }
  for (std::size_t n = 0; n < epochs.columns.size(); ++n) {
    const FitsEpochColumn& column = epochs.columns[n];
    keywords.add("QCOL", n + 1, column.column, "a column");
    keywords.add("QIN", n + 1, column.group, "the light curve it belongs to");
    keywords.add("QNAME", n + 1, column.name, "its name there");
    if (!column.in_product) keywords.add("QXTRA", n + 1, "T", "not a usual column of a product");
  }
  return keywords.take();
}

FitsEpochs read_epoch_keywords(const InputTable& table) {
  FitsEpochs epochs;
  for (std::size_t k = 1; table.keyword(fmt::format("QLC{}", k)); ++k) {
    epochs.groups.push_back(read_group(table, k));
  }
  for (std::size_t n = 1; const auto column = table.keyword(fmt::format("QCOL{}", n)); ++n) {
    const std::string group = table.keyword(fmt::format("QIN{}", n)).value_or("");
    const std::string name = table.keyword(fmt::format("QNAME{}", n)).value_or("");
    const bool is_known =
        std::ranges::find(epochs.groups, group, &GroupInfo::name) != epochs.groups.end();
    if (!is_known || name.empty()) continue;
    epochs.columns.push_back(
        {*column, group, name, table.keyword(fmt::format("QXTRA{}", n)) != "T"});
  }
  return epochs;
}

}  // namespace qsohost::inline io_v1
