#include "run/stage_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

#include "data/caught.hpp"
#include "data/interrupted.hpp"

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

// Floats start as NaN, which says "nobody wrote this" better than a number does.
void append_filled(Column& column, const Port& port, std::size_t cells) {
  if (column.dtype() == DType::String) {
    for (std::size_t i = 0; i < cells; ++i) column.append_string(port.fill_text);
    return;
  }
  column.resize(cells);
  if (port.fill == 0) return;
  switch (column.dtype()) {
    case DType::Bool:
      std::ranges::fill(column.values<bool>(), std::uint8_t{1});
      break;
    case DType::I16:
      std::ranges::fill(column.values<std::int16_t>(), port.fill);
      break;
    case DType::I32:
      std::ranges::fill(column.values<std::int32_t>(), port.fill);
      break;
    case DType::I64:
      std::ranges::fill(column.values<std::int64_t>(), port.fill);
      break;
    case DType::F32:
    case DType::F64:
    case DType::String:
      break;
  }
}

void create_declared(const ChainStage& stage, Batch& batch) {
  const std::size_t rows = batch.rows();
  for (const GroupInfo& info : stage.ports.added_groups()) batch.add_group(info);
  for (const Port& port : stage.ports.added()) {
    if (!port.dtype) continue;  // a Source's, which it adds itself once it knows the type
    ColumnInfo info{port.name, *port.dtype, port.unit, port.help, port.width};
    Group* group = port.group.empty() ? nullptr : &batch.group(port.group);
    Column& column =
        group == nullptr ? batch.objects().add(std::move(info)) : group->add(std::move(info));
    append_filled(column, port, group == nullptr ? rows : group->epochs());
  }
}

std::vector<std::string> own_groups(const ChainStage& stage) {
  std::vector<std::string> names;
  for (const GroupInfo& info : stage.ports.added_groups()) names.push_back(info.name);
  return names;
}

std::size_t column_count(const Batch& batch) {
  std::size_t n = batch.objects().count();
  for (const Group& group : batch.groups()) n += group.count() + 1;
  return n;
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

void guarded(const ChainStage& stage, const Batch* batch, const std::function<void()>& call) {
  try {
    call();
  } catch (const Interrupted&) {
    throw;
  } catch (...) {
    throw ChainError(fmt::format("{}: {}", describe(stage, batch), caught_words()));
  }
}

bool call_source(const ChainStage& stage, Batch& batch) {
  bool more = false;
  guarded(stage, &batch, [&] {
    create_declared(stage, batch);
    more = static_cast<Source&>(*stage.stage).read(batch);
    if (!more) return;
    batch.verify();
    if (batch.rows() == 0) throw ChainError("it says there is more, but gave no object");
    if (batch.rows() > batch.capacity()) {
      throw ChainError(fmt::format("it gave {} objects where {} were asked for", batch.rows(),
                                   batch.capacity()));
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
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      Outcomes::State& state = outcomes.states().at(row);
      if (!state.outcome) {
        throw ChainError(fmt::format("it said nothing of object {}", batch.id(row)));
      }
      for (const std::string& name : own_groups(stage)) {
        state.epochs += batch.group(name).slice(row).count;
      }
    }
  });
  return outcomes;
}

void call_filter(const ChainStage& stage, Batch& batch, Counts& counts) {
  guarded(stage, &batch, [&] {
    const std::size_t columns = column_count(batch);
    const std::size_t rows = batch.rows();
    const std::uint64_t epochs = epochs_in(batch);
    static_cast<const Filter&>(*stage.stage).apply(batch, counts);
    batch.verify();
    if (column_count(batch) > columns || batch.rows() > rows || epochs_in(batch) > epochs) {
      throw ChainError("it is a Filter, but it added something");
    }
  });
}

std::vector<BadRow> call_fitter(const ChainStage& stage, Batch& batch, const ForEach& for_each,
                                Counts& counts) {
  std::vector<BadRow> bad;
  guarded(stage, &batch, [&] {
    create_declared(stage, batch);
    const auto& fitter = static_cast<const Fitter&>(*stage.stage);
    std::vector<std::deque<Group>> arrays(batch.rows(), empty_arrays(stage));
    std::mutex mutex;
    for_each(batch.rows(), [&](std::size_t row) {
      Result result(batch, row, arrays[row], counts);
      try {
        fitter.fit(Object(batch, row), result);
      } catch (const BadObject& e) {
        const std::lock_guard lock(mutex);
        bad.push_back({row, e.what()});
      } catch (...) {
        throw ChainError(fmt::format("object {}: {}", batch.id(row), caught_words()));
      }
    });
    for (const std::deque<Group>& row_arrays : arrays) append_arrays(batch, row_arrays);
    batch.verify();
    // Threads finish in any order; what is told of them does not depend on it.
    std::ranges::sort(bad, {}, &BadRow::row);
  });
  return bad;
}

void call_sink(const ChainStage& stage, const Batch& batch) {
  guarded(stage, &batch, [&] { static_cast<Sink&>(*stage.stage).write(batch); });
}

std::uint64_t epochs_in(const Batch& batch) {
  std::uint64_t n = 0;
  for (const Group& group : batch.groups()) {
    if (!group.info().survey.empty()) n += group.epochs();
  }
  return n;
}

}  // namespace qsohost::inline v1
