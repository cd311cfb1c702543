#include "chain/stage_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <mutex>
#include <optional>
#include <set>

#include "base/caught.hpp"
#include "base/interrupted.hpp"
#include "base/secrets.hpp"
#include "chain/calls_under_way.hpp"

namespace qsohost::inline v1 {

namespace {

std::string describe(const ChainStage& stage, const Batch* batch) {
  std::string out = fmt::format("stage '{}'", stage.label);
  if (!stage.offer.plugin.empty()) {
    out += fmt::format(" ({} of plugin {} {})", stage.use, stage.offer.plugin, stage.offer.version);
  }
  if (batch != nullptr && batch->rows() > 0) {
    out += fmt::format(", batch {} (objects {} to {})", batch->ordinal(), batch->id(0),
                       batch->id(batch->rows() - 1));
  }
  return out;
}

template <class T>
void fill_values(Column& column, Slice cells, Stored<T> value) {
  const std::size_t width = column.width();
  std::ranges::fill(column.values<T>().subspan(cells.first * width, cells.count * width), value);
}

// Floats start as NaN, which marks cells that were never written. An existing text stays: only the
// host writes texts.
void fill_cells(Column& column, const Port& port, Slice cells) {
  switch (column.dtype()) {
    case DType::Bool:
      return fill_values<bool>(column, cells, port.fill != 0 ? 1 : 0);
    case DType::I16:
      return fill_values<std::int16_t>(column, cells, static_cast<std::int16_t>(port.fill));
    case DType::I32:
      return fill_values<std::int32_t>(column, cells, static_cast<std::int32_t>(port.fill));
    case DType::I64:
      return fill_values<std::int64_t>(column, cells, static_cast<std::int64_t>(port.fill));
    case DType::F32:
      return fill_values<float>(column, cells, std::numeric_limits<float>::quiet_NaN());
    case DType::F64:
      return fill_values<double>(column, cells, std::numeric_limits<double>::quiet_NaN());
    case DType::String:
      return;
  }
}

// The first cells of a new column.
void append_filled(Column& column, const Port& port, std::size_t cells) {
  if (column.dtype() == DType::String) {
    const std::size_t values = cells * column.width();
    for (std::size_t i = 0; i < values; ++i) column.append_string(port.fill_text);
    return;
  }
  column.resize_unfilled(cells);
  fill_cells(column, port, {0, cells});
}

void create_declared(const ChainStage& stage, Batch& batch) {
  const std::size_t rows = batch.rows();
  for (const GroupInfo& info : stage.ports.added_groups()) batch.add_group(info);
  for (const Port& port : stage.ports.added()) {
    if (!port.dtype) continue;  // a Source adds it itself once it knows the type
    ColumnInfo info{port.name, *port.dtype, port.unit, port.help, port.width};
    Group* group = port.group.empty() ? nullptr : &batch.group(port.group);
    if (group != nullptr) group->drop(port.name);  // one that it replaces, see check_added
    Column& column =
        group == nullptr ? batch.objects().add(std::move(info)) : group->add(std::move(info));
    append_filled(column, port, group == nullptr ? rows : group->epochs());
  }
}

ColumnSet& set_of(Batch& batch, const Port& port) {
  if (port.group.empty()) return batch.objects();
  return batch.group(port.group);
}

// A stage may replace a column that the host created for it; later stages have been checked against
// what was declared.
void check_declared(const ChainStage& stage, const Batch& batch) {
  for (const Port& port : stage.ports.added()) {
    if (!port.dtype) continue;
    const ColumnSet& set = port.group.empty() ? batch.objects() : batch.group(port.group);
    const Column& column = set.at(port.name);
    if (column.dtype() == *port.dtype && column.width() == port.width) continue;
    throw RunError(fmt::format(
        "it declared column '{}' as {} with {} values a cell, but gave {} with {}; it must give "
        "what it declares",
        port.name, name_of(*port.dtype), port.width, name_of(column.dtype()), column.width()));
  }
}

std::vector<std::string> own_groups(const ChainStage& stage) {
  std::vector<std::string> names;
  for (const GroupInfo& info : stage.ports.added_groups()) names.push_back(info.name);
  return names;
}

// Groups and columns, as "column 'z'" and "column 'mag' of group 'ztf.g'".
std::set<std::string> names_in(const Batch& batch) {
  std::set<std::string> names;
  for (const Column& column : batch.objects()) {
    names.insert(fmt::format("column '{}'", column.name()));
  }
  for (const Group& group : batch.groups()) {
    names.insert(fmt::format("group '{}'", group.name()));
    for (const Column& column : group) {
      names.insert(fmt::format("column '{}' of group '{}'", column.name(), group.name()));
    }
  }
  return names;
}

// The arrays of one object, one group for each that the fitter declared.
std::deque<Group> empty_arrays(const ChainStage& stage) {
  std::deque<Group> arrays;
  for (const GroupInfo& info : stage.ports.added_groups()) {
    Group& group = arrays.emplace_back(info);
    for (const Port& port : stage.ports.added()) {
      if (port.group == info.name) {
        group.add({port.name, port.dtype.value_or(DType::F64), port.unit, port.help, port.width});
      }
    }
  }
  return arrays;
}

void check_lengths(const std::deque<Group>& arrays) {
  for (const Group& array : arrays) {
    for (const Column& column : array) {
      const Column& first = *array.begin();
      if (column.size() == first.size()) continue;
      throw RunError(
          fmt::format("group '{}': column '{}' got {} elements and column '{}' {}: append as many "
                      "to each",
                      array.name(), first.name(), first.size(), column.name(), column.size()));
    }
  }
}

// A fitter can write to the columns it declared and to no others, so this is all there is to undo.
void take_back(const ChainStage& stage, Batch& batch, std::size_t row, std::deque<Group>& arrays) {
  for (Group& array : arrays) array.roll_back();
  for (const Port& port : stage.ports.added()) {
    const bool is_array = std::ranges::find(arrays, port.group, &Group::name) != arrays.end();
    if (!port.dtype || is_array) continue;
    if (port.group.empty()) {
      fill_cells(batch.objects().at(port.name), port, {row, 1});
    } else {
      Group& group = batch.group(port.group);
      fill_cells(group.at(port.name), port, group.slice(row));
    }
  }
}

// Stores all results of the object, or none and returns the reason.
std::optional<std::string> fit_object(const ChainStage& stage, Batch& batch, std::size_t row,
                                      const FitBatch::FitOne& fit_one, std::deque<Group>& arrays,
                                      Counts& counts) {
  Counts own_counts;
  Result result(batch, row, stage.ports, arrays, own_counts);
  try {
    fit_one(Object(batch, row), result);
    check_lengths(arrays);
  } catch (const BadObject& e) {
    take_back(stage, batch, row, arrays);
    return without_secrets(e.what());
  } catch (...) {
    throw RunError(fmt::format("object {}: {}", batch.id(row), current_exception_message()));
  }
  counts.add(own_counts);
  return std::nullopt;
}

void append_arrays(Batch& batch, const std::deque<Group>& arrays) {
  for (const Group& array : arrays) {
    Group& group = batch.group(array.name());
    for (const Column& column : array) {
      group.at(column.name()).append_cells(column, 0, column.size());
    }
    group.close_row();
  }
}

}  // namespace

void plain_loop(std::size_t n, const std::function<void(std::size_t)>& body) {
  for (std::size_t i = 0; i < n; ++i) body(i);
}

WorkingOn place_of(const ChainStage& stage, const Batch* batch) {
  WorkingOn at;
  at.stage = stage.label;
  if (!stage.offer.plugin.empty()) {
    at.plugin =
        fmt::format("{} of plugin {} {}", stage.use, stage.offer.plugin, stage.offer.version);
  }
  if (batch == nullptr) return at;
  at.has_batch = true;
  at.batch = batch->ordinal();
  if (batch->rows() == 0 || batch->objects().find("source_id") == nullptr) return at;
  at.first_object = batch->id(0);
  at.last_object = batch->id(batch->rows() - 1);
  return at;
}

void guarded(const ChainStage& stage, const Batch* batch, const std::function<void()>& call) {
  try {
    const WorkingOn place = place_of(stage, batch);
    const AtWork at_work(place);
    const CallUnderWay under_way(stage, place, batch == nullptr ? 0 : batch->rows());
    call();
  } catch (const Interrupted&) {
    throw;
  } catch (const UsageError& e) {
    throw UsageError(fmt::format("{}: {}", describe(stage, batch), e.what()));
  } catch (...) {
    throw RunError(fmt::format("{}: {}", describe(stage, batch), current_exception_message()));
  }
}

void close_stage(const ChainStage& stage) noexcept {
  const WorkingOn place = place_of(stage, nullptr);
  const AtWork at_work(place);
  const CallUnderWay under_way(stage, place, 0);
  stage.stage->close();
}

bool call_source(const ChainStage& stage, Batch& batch) {
  bool more = false;
  guarded(stage, &batch, [&] {
    create_declared(stage, batch);
    more = static_cast<Source&>(*stage.stage).read(batch);
    if (!more) return;
    batch.verify();
    check_declared(stage, batch);
    if (batch.rows() == 0)
      throw RunError(
          "it says there is more, but gave no object; its read() must return false at the end");
    if (batch.rows() > batch.capacity()) {
      throw RunError(fmt::format(
          "it gave {} objects where {} were asked for; its read() must give capacity() at most",
          batch.rows(), batch.capacity()));
    }
  });
  return more;
}

Outcomes call_fetcher(const ChainStage& stage, Batch& batch) {
  Outcomes outcomes(batch.rows(), own_groups(stage));
  guarded(stage, &batch, [&] {
    create_declared(stage, batch);
    static_cast<Fetcher&>(*stage.stage).fetch(batch, outcomes);
    batch.verify();
    check_declared(stage, batch);
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      Outcomes::State& state = outcomes.states().at(row);
      state.reason = without_secrets(std::move(state.reason));
      state.detail = without_secrets(std::move(state.detail));
      if (!state.outcome) {
        throw RunError(fmt::format(
            "it said nothing of object {}; its fetch() must give an outcome to each object",
            batch.id(row)));
      }
      for (const GroupInfo& info : stage.ports.added_groups()) {
        const bool has_epochs = !info.survey.empty();  // else it holds results
        if (has_epochs) state.epochs += batch.group(info.name).slice(row).count;
      }
    }
  });
  return outcomes;
}

std::vector<NotDone> call_filter(const ChainStage& stage, Batch& batch, Counts& counts) {
  std::vector<NotDone> not_done;
  guarded(stage, &batch, [&] {
    const std::set<std::string> names = names_in(batch);
    const std::size_t rows = batch.rows();
    const std::uint64_t epochs = epochs_in(batch);
    not_done = static_cast<const Filter&>(*stage.stage).apply_where_possible(batch, counts);
    for (NotDone& object : not_done) object.reason = without_secrets(std::move(object.reason));
    batch.verify();
    for (const std::string& name : names_in(batch)) {
      if (!names.contains(name)) {
        throw RunError(
            fmt::format("it is a Filter, but it added {}; it must be a Fitter to do so", name));
      }
    }
    if (batch.rows() > rows || epochs_in(batch) > epochs) {
      throw RunError("it is a Filter, but it added rows or epochs; a Filter must only remove");
    }
    // Later stages have been checked without these columns.
    for (const Port& port : stage.ports.read()) {
      if (port.used_up) set_of(batch, port).drop(port.name);
    }
    for (const auto& [group, system] : stage.ports.time_systems()) {
      batch.group(group).set_time_system(system);
    }
  });
  return not_done;
}

std::vector<BadRow> call_fitter(const ChainStage& stage, Batch& batch, const ForEach& for_each,
                                Counts& counts) {
  std::vector<BadRow> bad;
  guarded(stage, &batch, [&] {
    create_declared(stage, batch);
    std::vector<std::deque<Group>> arrays(batch.rows(), empty_arrays(stage));
    std::mutex mutex;
    const WorkingOn at = *working_on();
    int calls = 0;
    FitBatch fits(batch, [&](const FitBatch::FitOne& fit_one) {
      if (++calls > 1) throw RunError("it called for_each() again; call it once a batch");
      for_each(batch.rows(), [&](std::size_t row) {
        const AtWork at_work(at);  // on any thread
        const AtObject at_object(batch, row);
        auto reason = fit_object(stage, batch, row, fit_one, arrays[row], counts);
        if (!reason) return;
        const std::lock_guard lock(mutex);
        bad.push_back({row, std::move(*reason)});
      });
    });
    static_cast<const Fitter&>(*stage.stage).fit_batch(fits);
    if (calls == 0) throw RunError("its fit_batch() said nothing of any object: see for_each()");
    for (const std::deque<Group>& row_arrays : arrays) append_arrays(batch, row_arrays);
    batch.verify();
    // Threads finish in any order; the report must not depend on it.
    std::ranges::sort(bad, {}, &BadRow::row);
  });
  return bad;
}

void call_sink(const ChainStage& stage, const Batch& batch, const Chunk& chunk) {
  guarded(stage, &batch, [&] { static_cast<Sink&>(*stage.stage).write(batch, chunk); });
}

std::uint64_t epochs_in(const Batch& batch) {
  std::uint64_t n = 0;
  for (const Group& group : batch.groups()) {
    if (!group.info().survey.empty()) n += group.epochs();
  }
  return n;
}

}  // namespace qsohost::inline v1
