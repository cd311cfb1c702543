// Lists of tables, [[stage.NAME]]: every mistake in them is reported with its place.
#include <fmt/format.h>

#include <algorithm>
#include "data/set_options.hpp"
#include "qsohost/names.hpp"
#include "qsohost/option.hpp"

namespace qsohost::inline v1 {

namespace {

std::string joined(const std::vector<TableError::Problem>& problems) {
  std::string out;
  for (const TableError::Problem& p : problems) out += (out.empty() ? "" : "; ") + p.message;
  return out;
}

}  // namespace

TableError::TableError(std::vector<Problem> problems)
    : UsageError(joined(problems)), problems_(std::move(problems)) {}
TableError::~TableError() = default;

OptionTablesBase::OptionTablesBase(OptionOwner* owner, std::string name, std::string help)
    : OptionBase(owner, std::move(name), std::move(help), {}, false) {}
OptionTablesBase::~OptionTablesBase() = default;

void OptionTablesBase::assign(const OptionValue& value) {
  const auto* list = std::get_if<std::vector<OptionValue::Scalar>>(&value.data);
  const auto* tables = std::get_if<std::vector<OptionValue::Table>>(&value.data);
  if (tables == nullptr && (list == nullptr || !list->empty())) {
    throw UsageError(fmt::format("wants tables: write [[stage.{}]]", name()));
  }
  std::vector<std::shared_ptr<OptionOwner>> made;
  std::vector<TableError::Problem> problems;
  const Complain complain = [&](const Place& place, std::string message) {
    problems.push_back({place, std::move(message)});
  };
  for (std::size_t i = 0; tables != nullptr && i < tables->size(); ++i) {
    const OptionValue::Table& table = (*tables)[i];
    std::vector<RawOption> given;
    for (const OptionValue::Table::Entry& entry : table.entries) {
      given.push_back({entry.name, entry.place, entry.value});
    }
    set_options(*made.emplace_back(make()), {"", table.place, given}, complain);
  }
  if (!problems.empty()) throw TableError(std::move(problems));
  tables_ = std::move(made);
}

OptionValue OptionTablesBase::value() const {
  std::vector<OptionValue::Table> tables;
  for (const auto& owner : tables_) {
    OptionValue::Table& table = tables.emplace_back();
    for (const OptionBase* option : owner->options()) {
      table.entries.push_back({option->name(), option->value(), {}});
    }
  }
  return {std::move(tables)};
}

}  // namespace qsohost::inline v1
