// Lists of tables, [[stage.NAME]]: every mistake in them is told with its place.
#include <fmt/format.h>

#include <algorithm>

#include "qsohost/names.hpp"
#include "qsohost/option.hpp"

namespace qsohost::inline v1 {

namespace {

using Problems = std::vector<TableError::Problem>;

std::string joined(const Problems& problems) {
  std::string out;
  for (const TableError::Problem& p : problems) out += (out.empty() ? "" : "; ") + p.message;
  return out;
}

void set_entry(const OptionOwner& owner, const OptionValue::Table::Entry& entry,
               Problems& problems) {
  const auto complain = [&](std::string message) {
    problems.push_back({entry.line, entry.column, std::move(message)});
  };
  const auto it = std::ranges::find(owner.options(), entry.name, &OptionBase::name);
  if (it == owner.options().end()) {
    std::vector<std::string> names;
    for (const OptionBase* option : owner.options()) names.push_back(option->name());
    return complain(fmt::format("no option '{}'{}", entry.name, did_you_mean(entry.name, names)));
  }
  try {
    (*it)->set(entry.value);
  } catch (const Error& e) {
    complain(fmt::format("{} {}", entry.name, e.what()));
  }
}

void set_table(const OptionOwner& owner, const OptionValue::Table& table, Problems& problems) {
  for (const auto& entry : table.entries) set_entry(owner, entry, problems);
  for (const OptionBase* option : owner.options()) {
    const bool given = std::ranges::any_of(
        table.entries, [&](const auto& entry) { return entry.name == option->name(); });
    if (!option->is_required() || given) continue;
    problems.push_back({table.line, table.column,
                        fmt::format("option '{}' is missing ({}): {}", option->name(),
                                    option->type_name(), option->help())});
  }
}

}  // namespace

TableError::TableError(std::vector<Problem> problems)
    : ChainError(joined(problems)), problems_(std::move(problems)) {}
TableError::~TableError() = default;

void OptionTablesBase::assign(const OptionValue& value) {
  const auto* list = std::get_if<std::vector<OptionValue::Scalar>>(&value.data);
  const auto* tables = std::get_if<std::vector<OptionValue::Table>>(&value.data);
  if (tables == nullptr && (list == nullptr || !list->empty())) {
    throw ChainError(fmt::format("wants tables: write [[stage.{}]]", name()));
  }
  clear();
  if (tables == nullptr) return;
  Problems problems;
  for (const OptionValue::Table& table : *tables) set_table(add(), table, problems);
  if (!problems.empty()) throw TableError(std::move(problems));
}

OptionValue OptionTablesBase::value() const {
  std::vector<OptionValue::Table> tables;
  for (const OptionOwner* owner : owners()) {
    OptionValue::Table& table = tables.emplace_back();
    for (const OptionBase* option : owner->options()) {
      table.entries.push_back({option->name(), option->value(), 0, 0});
    }
  }
  return {std::move(tables)};
}

}  // namespace qsohost::inline v1
