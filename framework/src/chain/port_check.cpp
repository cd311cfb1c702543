#include "chain/port_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

#include "qsohost/names.hpp"

namespace qsohost::inline v1 {

namespace {

std::string full_name(const Port& port) {
  return port.group.empty() ? fmt::format("'{}'", port.name)
                            : fmt::format("'{}' of group '{}'", port.name, port.group);
}

std::vector<std::string> names_in(const Schema& schema, const std::string& group) {
  std::vector<std::string> names;
  for (const Schema::Entry& entry : schema.columns()) {
    if (entry.port.group == group) names.push_back(entry.port.name);
  }
  return names;
}

std::vector<std::string> group_names(const Schema& schema) {
  std::vector<std::string> names;
  for (const Schema::GroupEntry& entry : schema.groups()) names.push_back(entry.info.name);
  return names;
}

std::string values_a_cell(std::size_t width, const Port& port) {
  return fmt::format("{} value{} per {}", width, width == 1 ? "" : "s",
                     port.group.empty() ? "object" : "epoch");
}

// A port whose type is not known yet may have any width.
void check_width(const Port& wanted, const Schema::Entry& given, std::vector<std::string>& out) {
  const std::size_t width = given.port.width;
  if (wanted.width == kAnyWidth || wanted.width == width || !given.port.dtype) return;
  out.push_back(fmt::format(
      "needs column {}{} with {}, but stage '{}' gives {}: name another column, or split this one "
      "where it comes from",
      full_name(wanted), wanted.help.empty() ? "" : fmt::format(" ({})", wanted.help),
      values_a_cell(wanted.width, wanted), given.origin, values_a_cell(width, wanted)));
}

// What else could be meant. Where there is nothing, what to do.
std::string advice_on(const std::string& name, const std::vector<std::string>& there) {
  return there.empty() ? "; put one that does before it" : did_you_mean(name, there);
}

void check_read(const Port& wanted, const Schema& before, std::vector<std::string>& out) {
  const Schema::Entry* there = before.find(wanted.group, wanted.name);
  if (there == nullptr) {
    if (before.is_open()) return;
    if (!wanted.group.empty() && before.find_group(wanted.group) == nullptr) {
      out.push_back(fmt::format("needs group '{}', which no earlier stage gives{}", wanted.group,
                                advice_on(wanted.group, group_names(before))));
      return;
    }
    out.push_back(fmt::format("needs column {}, which no earlier stage gives{}", full_name(wanted),
                              advice_on(wanted.name, names_in(before, wanted.group))));
    return;
  }
  const Port& given = there->port;
  check_width(wanted, *there, out);
  if (wanted.dtype && given.dtype && *wanted.dtype != *given.dtype) {
    out.push_back(fmt::format("needs column {} as {}, but stage '{}' gives {}", full_name(wanted),
                              name_of(*wanted.dtype), there->origin, name_of(*given.dtype)));
  }
  if (!wanted.unit.empty() && !given.unit.empty() && wanted.unit != given.unit) {
    out.push_back(fmt::format("needs column {} in {}, but stage '{}' gives {}", full_name(wanted),
                              wanted.unit, there->origin, given.unit));
  }
}

bool reads(const Ports& ports, const Port& column) {
  return std::ranges::any_of(ports.read(), [&](const Port& port) {
    return port.group == column.group && port.name == column.name;
  });
}

// Whether a column of a light curve takes the place of `there`, a result of an earlier Fitter.
bool replaces(Role role, const Schema& before, const Ports& ports, const Schema::Entry& there) {
  const Schema::GroupEntry* group = before.find_group(there.port.group);
  const bool came_with_group = group != nullptr && group->origin == there.origin;
  return role == Role::Fitter && there.from_fitter && !there.port.group.empty() &&
         !came_with_group && !reads(ports, there.port);
}

void check_added(Role role, const Schema& before, const Ports& ports,
                 std::vector<std::string>& out) {
  const auto adds_group = [&](const std::string& name) {
    return std::ranges::find(ports.added_groups(), name, &GroupInfo::name) !=
           ports.added_groups().end();
  };
  for (const GroupInfo& group : ports.added_groups()) {
    if (const Schema::GroupEntry* there = before.find_group(group.name)) {
      out.push_back(fmt::format("adds group '{}', which stage '{}' has added already", group.name,
                                there->origin));
    }
  }
  for (const Port& port : ports.added()) {
    if (port.width == kAnyWidth) {
      out.push_back(fmt::format("adds column {}, but does not say how many values a cell has",
                                full_name(port)));
    }
    if (const Schema::Entry* there = before.find(port.group, port.name)) {
      if (replaces(role, before, ports, *there)) continue;
      out.push_back(fmt::format("adds column {}, which stage '{}' has added already",
                                full_name(port), there->origin));
    } else if (!port.group.empty() && before.find_group(port.group) == nullptr &&
               !adds_group(port.group) && !before.is_open()) {
      out.push_back(
          fmt::format("adds column {}, but there is no such group here", full_name(port)));
    }
  }
}

void check_role(Role role, const Ports& ports, std::vector<std::string>& out) {
  const bool adds = !ports.added().empty() || !ports.added_groups().empty() || ports.has_unknown();
  if (adds && (role == Role::Filter || role == Role::Sink)) {
    out.push_back(fmt::format("is a {} and must not add columns", name_of(role)));
  }
  const bool removes =
      !ports.dropped_groups().empty() || std::ranges::any_of(ports.read(), &Port::used_up);
  if (removes && role != Role::Filter) {
    out.push_back(fmt::format("is a {} and must not remove anything", name_of(role)));
  }
  if (!ports.time_systems().empty() && role != Role::Filter) {
    out.push_back(fmt::format("is a {} and must not convert times", name_of(role)));
  }
  if (ports.has_unknown() && role != Role::Source && role != Role::Fetcher) {
    out.emplace_back(
        "must say which columns it adds: only a Source or a Fetcher may learn them from its file");
  }
}

// Times of different systems must not be combined.
void check_times(const Schema& before, const Ports& ports, std::vector<std::string>& out) {
  const GroupInfo* first = nullptr;
  for (const Port& port : ports.read()) {
    const Schema::GroupEntry* there = before.find_group(port.group);
    if (there == nullptr || there->info.time != port.name) continue;
    const GroupInfo& info = there->info;
    if (!info.time_system.is_known()) continue;
    if (first == nullptr) first = &info;
    if (info.time_system == first->time_system) continue;
    out.push_back(fmt::format(
        "reads the times of '{}' ({}) and of '{}' ({}), which cannot be combined as they are: "
        "convert them before, by a stage time-system",
        first->name, name_of(first->time_system), info.name, name_of(info.time_system)));
    return;
  }
}

// Which columns another stage added before the swap, and what to do; "" if that is not the cause.
std::string swap_hint(const ChainStage& stage, const Ports& ports, const Schema& now,
                      const Schema& as_written) {
  std::vector<std::string> names;
  std::string origin;
  for (const Port& port : ports.read()) {
    if (now.find(port.group, port.name) != nullptr) continue;
    const Schema::Entry* lost = as_written.find(port.group, port.name);
    if (lost == nullptr) continue;
    names.push_back(full_name(port));
    origin = lost->origin;
  }
  if (names.empty()) return "";
  constexpr std::size_t kMost = 3;
  if (names.size() > kMost) {
    names[kMost] = fmt::format("{} more", names.size() - kMost);
    names.resize(kMost + 1);
  }
  return fmt::format(
      "; before the swap '{}' gave {}: take '{}' out of the chain, or swap in a stage that gives "
      "this too",
      origin, fmt::join(names, " and "), stage.label);
}

}  // namespace

Schema schema_of(const Batch& batch) {
  Schema schema;
  const auto add = [&](const std::string& group, const Column& c) {
    const ColumnInfo& i = c.info();
    schema.add({group, i.name, i.dtype, i.unit, i.description, 0, i.width}, "memory");
  };
  for (const Column& column : batch.objects()) add("", column);
  for (const Group& group : batch.groups()) {
    schema.add_group(group.info(), "memory");
    for (const Column& column : group) add(group.name(), column);
  }
  return schema;
}

Ports ports_of(const Stage& stage, const Schema& before) {
  Ports ports = stage.member_ports();
  stage.declare(before, ports);
  return ports;
}

Schema after(Role role, const Schema& before, const Ports& ports, const std::string& label) {
  Schema schema = before;
  for (const GroupInfo& group : ports.added_groups()) schema.add_group(group, label);
  for (const Port& port : ports.added()) {
    schema.drop_column(port.group, port.name);  // one that it replaces
    schema.add(port, label, role == Role::Fitter);
  }
  for (const Port& port : ports.read()) {
    if (port.used_up) schema.drop_column(port.group, port.name);
  }
  for (const std::string& group : ports.dropped_groups()) schema.drop_group(group);
  for (const auto& [group, system] : ports.time_systems()) schema.set_time_system(group, system);
  if (ports.has_unknown()) schema.set_open(true);
  return schema;
}

std::vector<std::string> misfits(Role role, const Schema& before, const Ports& ports) {
  std::vector<std::string> out = ports.problems();
  for (const Port& port : ports.read()) check_read(port, before, out);
  check_added(role, before, ports, out);
  check_role(role, ports, out);
  if (role != Role::Sink && !ports.time_systems_are_minded()) check_times(before, ports, out);
  return out;
}

std::vector<std::string> misfits_by_swap(const ChainStage& stage, Schema now, Schema as_written) {
  // A source that is not open could still provide missing columns; but not those that another stage
  // of the chain file added.
  now.set_open(false);
  as_written.set_open(false);
  const Ports ports = ports_of(*stage.stage, as_written);
  const auto without_guess = [](const std::string& m) { return m.substr(0, m.find("; ")); };
  std::set<std::string> before;
  for (const std::string& m : misfits(stage.offer.role, as_written, ports))
    before.insert(without_guess(m));
  std::vector<std::string> out = misfits(stage.offer.role, now, ports_of(*stage.stage, now));
  std::erase_if(out, [&](const std::string& m) { return before.contains(without_guess(m)); });
  const std::string hint = swap_hint(stage, ports, now, as_written);
  for (std::string& message : out) message += hint;
  return out;
}

}  // namespace qsohost::inline v1
