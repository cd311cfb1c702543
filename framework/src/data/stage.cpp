#include "qsohost/stage.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "data/ending.hpp"
#include "data/working_on.hpp"

namespace qsohost::inline v1 {

std::string_view name_of(Role role) {
  switch (role) {
    case Role::Source:
      return "Source";
    case Role::Fetcher:
      return "Fetcher";
    case Role::Filter:
      return "Filter";
    case Role::Fitter:
      return "Fitter";
    case Role::Sink:
      return "Sink";
  }
  return "?";
}

std::string_view name_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::Matched:
      return "matched";
    case Outcome::NotFound:
      return "not found";
    case Outcome::Failed:
      return "failed";
    case Outcome::BadObject:
      return "bad object";
  }
  return "?";
}

Counts::Counts(const Counts& other) : entries_(other.entries()) {}

void Counts::add(std::string_view item, std::string_view what, std::int64_t n) {
  const std::lock_guard lock(mutex_);
  auto after_item = entries_.end();
  for (auto it = entries_.begin(); it != entries_.end(); ++it) {
    if (it->item != item) continue;
    if (it->what == what) {
      it->n += n;
      return;
    }
    after_item = it + 1;
  }
  entries_.insert(after_item, {std::string(item), std::string(what), n});
}

void Counts::add(const Counts& other) {
  for (const Entry& entry : other.entries()) add(entry.item, entry.what, entry.n);
}

std::vector<Counts::Entry> Counts::entries() const {
  const std::lock_guard lock(mutex_);
  return entries_;
}

Outcomes::Outcomes(std::size_t rows, std::vector<std::string> groups)
    : states_(rows), groups_(std::move(groups)) {}

void Outcomes::for_each(Batch& batch, const std::function<void(const Object&)>& fetch_one) {
  end_each(batch, [&](const Object& object) {
    fetch_one(object);
    return Ending{};
  });
}

void Outcomes::end_each(Batch& batch, const std::function<Ending(const Object&)>& fetch_one) {
  for (std::size_t row = 0; row < states_.size(); ++row) {
    const AtObject at_object(batch, row);
    Ending end;
    try {
      end = fetch_one(Object(batch, row));
    } catch (const Error&) {
      end = caught_ending();
    }
    if (end.outcome != Outcome::Matched) {
      for (const std::string& name : groups_) batch.group(name).roll_back();
    }
    set(row, end.outcome, std::move(end.reason));
    for (const std::string& name : groups_) batch.group(name).close_row();
  }
}

void Outcomes::set(std::size_t row, Outcome outcome, std::string reason) {
  states_.at(row).outcome = outcome;
  states_.at(row).reason = std::move(reason);
}

void Outcomes::set_detail(std::size_t row, std::string detail) {
  states_.at(row).detail = std::move(detail);
}

Column& Result::own(std::string_view group, std::string_view column) {
  const bool is_own = std::ranges::any_of(declared_->added(), [&](const Port& port) {
    return port.name == column && port.group == group;
  });
  if (!is_own) {
    throw RunError(fmt::format(
        "the fitter did not declare that it adds column '{}'{}; declare it by Out or declare()",
        column, group.empty() ? "" : fmt::format(" to group '{}'", group)));
  }
  if (std::ranges::find(*arrays_, group, &Group::name) != arrays_->end()) {
    throw RunError(
        fmt::format("group '{}' is the fitter's own: fill its arrays by append()", group));
  }
  return group.empty() ? batch_->objects().at(column) : batch_->group(group).at(column);
}

Column& Result::one_value(std::string_view group, std::string_view column) {
  Column& c = own(group, column);
  if (c.width() == 1) return c;
  throw RunError(fmt::format("column '{}' was declared with {} values a cell, not one{}", column,
                             c.width(), group.empty() ? ": write them to cell()" : ""));
}

Column& Result::array(std::string_view group, std::string_view column) {
  const auto it = std::ranges::find(*arrays_, group, &Group::name);
  if (it == arrays_->end()) {
    throw RunError(
        fmt::format("the fitter did not declare a group '{}'; declare it in declare()", group));
  }
  Column& c = it->at(column);
  c.require_width(1);
  return c;
}

void Ports::adds_group(GroupInfo info, std::initializer_list<ColumnInfo> columns) {
  for (const ColumnInfo& c : columns) {
    adds({info.name, c.name, c.dtype, c.unit, c.description, 0, c.width});
  }
  adds_group(std::move(info));
}

void Schema::add(Port port, std::string origin, bool from_fitter) {
  columns_.push_back({std::move(port), std::move(origin), from_fitter});
}

void Schema::add_group(GroupInfo info, std::string origin) {
  groups_.push_back({std::move(info), std::move(origin)});
}

void Schema::drop_group(std::string_view name) {
  std::erase_if(groups_, [&](const GroupEntry& g) { return g.info.name == name; });
  std::erase_if(columns_, [&](const Entry& c) { return c.port.group == name; });
}

void Schema::drop_column(std::string_view group, std::string_view name) {
  std::erase_if(columns_,
                [&](const Entry& c) { return c.port.group == group && c.port.name == name; });
}

void Schema::set_time_system(std::string_view group, const TimeSystem& system) {
  const auto it =
      std::ranges::find_if(groups_, [&](const GroupEntry& g) { return g.info.name == group; });
  if (it == groups_.end() || it->info.time_system == system) return;
  for (Entry& entry : columns_) {
    if (entry.port.group != group || entry.port.name != it->info.time) continue;
    entry.port.help = "time, converted from " + name_of(it->info.time_system);
  }
  it->info.time_system = system;
}

const Schema::Entry* Schema::find(std::string_view group, std::string_view name) const {
  const auto it = std::find_if(columns_.begin(), columns_.end(), [&](const Entry& c) {
    return c.port.group == group && c.port.name == name;
  });
  return it == columns_.end() ? nullptr : &*it;
}

const Schema::GroupEntry* Schema::find_group(std::string_view name) const {
  const auto it = std::find_if(groups_.begin(), groups_.end(),
                               [&](const GroupEntry& g) { return g.info.name == name; });
  return it == groups_.end() ? nullptr : &*it;
}

Stage::~Stage() = default;
void Stage::declare(const Schema& /*before*/, Ports& /*ports*/) const {}
void Stage::examine(Examination& /*archive*/) const {}
void Stage::open(Context& /*context*/) {}
Source::~Source() = default;
Fetcher::~Fetcher() = default;
Filter::~Filter() = default;
Fitter::~Fitter() = default;

std::uint64_t Source::seek(std::uint64_t /*first*/) {
  return 0;
}

Counts Source::counts() const {
  return {};
}

void Filter::apply(Batch& /*batch*/, Counts& /*counts*/) const {
  throw RunError(
      "it is a Filter that has neither apply() nor apply_where_possible(); write one of them");
}

std::vector<NotDone> Filter::apply_where_possible(Batch& batch, Counts& counts) const {
  apply(batch, counts);
  return {};
}

void Fitter::fit(const Object& /*object*/, Result& /*result*/) const {
  throw RunError("it is a Fitter that has neither fit() nor fit_batch(); write one of them");
}

void Fitter::fit_batch(FitBatch& batch) const {
  batch.for_each([this](const Object& object, Result& result) { fit(object, result); });
}
Sink::~Sink() = default;

}  // namespace qsohost::inline v1
