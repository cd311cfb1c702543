#include "arrow.hpp"

#include <cerrno>
#include <cstring>
#include <deque>
#include <exception>
#include <string_view>
#include <utility>

namespace qsohost::python {
namespace {

using Field = ArrowTable::Field;
constexpr std::int64_t kNullable = 2;  // ARROW_FLAG_NULLABLE

// What an exported struct points to; freed by its release callback.
struct SchemaHeld {
  std::string format, name, metadata;
  std::deque<ArrowSchema> children;
  std::vector<ArrowSchema*> pointers;
};

void release_schema(ArrowSchema* schema) {
  auto* held = static_cast<SchemaHeld*>(schema->private_data);
  for (ArrowSchema& child : held->children) {
    if (child.release != nullptr) child.release(&child);
  }
  delete held;
  schema->release = nullptr;
}

struct ArrayHeld {
  std::shared_ptr<const void> owner;
  std::vector<std::uint8_t> valid;    // bits
  std::vector<std::uint8_t> bits;     // values of bools
  std::vector<std::int64_t> offsets;  // of strings
  std::vector<const void*> buffers;
  std::deque<ArrowArray> children;
  std::vector<ArrowArray*> pointers;
};

void release_array(ArrowArray* array) {
  auto* held = static_cast<ArrayHeld*>(array->private_data);
  for (ArrowArray& child : held->children) {
    if (child.release != nullptr) child.release(&child);
  }
  delete held;
  array->release = nullptr;
}

std::string format_of(DType dtype) {
  switch (dtype) {
    case DType::Bool:
      return "b";
    case DType::I16:
      return "s";
    case DType::I32:
      return "i";
    case DType::I64:
      return "l";
    case DType::F32:
      return "f";
    case DType::F64:
      return "g";
    case DType::String:
      return "U";
  }
  return "n";
}

void append_number(std::string& out, std::size_t number) {
  const auto n = static_cast<std::int32_t>(number);
  out.append(reinterpret_cast<const char*>(&n), sizeof n);
}

// Keys and values as the specification encodes them: counts and lengths as native int32.
std::string metadata_of(const ColumnInfo& info) {
  std::vector<std::pair<std::string_view, std::string_view>> pairs;
  if (!info.unit.empty()) pairs.emplace_back("unit", info.unit);
  if (!info.description.empty()) pairs.emplace_back("description", info.description);
  if (pairs.empty()) return "";
  std::string out;
  append_number(out, pairs.size());
  for (const auto& pair : pairs) {
    for (const std::string_view text : {pair.first, pair.second}) {
      append_number(out, text.size());
      out += text;
    }
  }
  return out;
}

ArrowSchema& make_schema(ArrowSchema& out, std::string format, std::string name,
                         std::size_t children) {
  auto held = std::make_unique<SchemaHeld>();
  held->format = std::move(format);
  held->name = std::move(name);
  held->children.resize(children);
  for (ArrowSchema& child : held->children) held->pointers.push_back(&child);
  out = {held->format.c_str(),
         held->name.c_str(),
         nullptr,
         kNullable,
         static_cast<std::int64_t>(children),
         held->pointers.data(),
         nullptr,
         release_schema,
         held.get()};
  held.release();  // NOLINT(bugprone-unused-return-value): owned by `out` now
  return out;
}

void schema_of_values(const Column& column, std::string name, ArrowSchema& out) {
  const ColumnInfo& info = column.info();
  if (info.width == 1) {
    make_schema(out, format_of(info.dtype), std::move(name), 0);
  } else {
    make_schema(out, "+w:" + std::to_string(info.width), std::move(name), 1);
    make_schema(*out.children[0], format_of(info.dtype), "item", 0);
  }
  auto* held = static_cast<SchemaHeld*>(out.private_data);
  held->metadata = metadata_of(info);
  if (!held->metadata.empty()) out.metadata = held->metadata.data();
}

void schema_of_field(const Field& field, ArrowSchema& out);

void schema_of_cells(const Field& field, std::string name, ArrowSchema& out) {
  if (field.column != nullptr) return schema_of_values(*field.column, std::move(name), out);
  make_schema(out, "+s", std::move(name), field.fields.size());
  for (std::size_t i = 0; i < field.fields.size(); ++i)
    schema_of_field(field.fields[i], *out.children[i]);
}

void schema_of_field(const Field& field, ArrowSchema& out) {
  if (field.offsets.empty()) return schema_of_cells(field, field.name, out);
  make_schema(out, "+L", field.name, 1);
  schema_of_cells(field, "item", *out.children[0]);
}

std::vector<std::uint8_t> bits_of(std::span<const std::uint8_t> bytes) {
  std::vector<std::uint8_t> bits((bytes.size() + 7) / 8);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (bytes[i] != 0) bits[i / 8] |= static_cast<std::uint8_t>(1U << (i % 8));
  }
  return bits;
}

// An array with these buffers besides validity, which `valid` (one byte an entry) gives.
ArrayHeld& make_array(ArrowArray& out, const ArrowTable& table, std::size_t length,
                      std::span<const std::uint8_t> valid, std::size_t children) {
  auto held = std::make_unique<ArrayHeld>();
  held->owner = table.owner;
  held->children.resize(children);
  for (ArrowArray& child : held->children) held->pointers.push_back(&child);
  std::int64_t nulls = 0;
  for (const std::uint8_t entry : valid) nulls += entry == 0 ? 1 : 0;
  if (nulls > 0) held->valid = bits_of(valid);
  held->buffers.push_back(nulls > 0 ? held->valid.data() : nullptr);
  out = {static_cast<std::int64_t>(length),
         nulls,
         0,
         1,
         static_cast<std::int64_t>(children),
         nullptr,
         held->pointers.data(),
         nullptr,
         release_array,
         held.get()};
  out.buffers = held->buffers.data();
  return *held.release();
}

void add_buffer(ArrowArray& out, const void* buffer) {
  auto* held = static_cast<ArrayHeld*>(out.private_data);
  held->buffers.push_back(buffer);
  out.n_buffers = static_cast<std::int64_t>(held->buffers.size());
  out.buffers = held->buffers.data();
}

void add_strings(const StringArray& strings, ArrayHeld& held, ArrowArray& out) {
  held.offsets.reserve(strings.size() + 1);
  held.offsets.push_back(0);
  for (std::size_t i = 0; i < strings.size(); ++i) {
    held.offsets.push_back(held.offsets.back() + static_cast<std::int64_t>(strings[i].size()));
  }
  add_buffer(out, held.offsets.data());
  add_buffer(out, strings.size() == 0 ? "" : strings[0].data());  // end to end
}

const void* data_of(const Column& column) {
  switch (column.dtype()) {
    case DType::I16:
      return column.values<std::int16_t>().data();
    case DType::I32:
      return column.values<std::int32_t>().data();
    case DType::I64:
      return column.values<std::int64_t>().data();
    case DType::F32:
      return column.values<float>().data();
    case DType::F64:
      return column.values<double>().data();
    case DType::Bool:
    case DType::String:
      break;
  }
  return nullptr;
}

void array_of_values(const ArrowTable& table, const Column& column, ArrowArray& out) {
  const std::size_t values = column.size() * column.width();
  ArrayHeld& held = make_array(out, table, values, column.validity(), 0);
  if (column.dtype() == DType::String) return add_strings(column.strings(), held, out);
  if (column.dtype() != DType::Bool) return add_buffer(out, data_of(column));
  held.bits = bits_of(column.values<bool>());
  add_buffer(out, held.bits.data());
}

void array_of_field(const ArrowTable& table, const Field& field, std::size_t rows, ArrowArray& out);

void array_of_cells(const ArrowTable& table, const Field& field, std::size_t cells,
                    ArrowArray& out) {
  if (field.column == nullptr) {
    make_array(out, table, cells, {}, field.fields.size());
    for (std::size_t i = 0; i < field.fields.size(); ++i)
      array_of_field(table, field.fields[i], cells, *out.children[i]);
  } else if (field.column->width() == 1) {
    array_of_values(table, *field.column, out);
  } else {
    make_array(out, table, cells, {}, 1);
    array_of_values(table, *field.column, *out.children[0]);
  }
}

void array_of_field(const ArrowTable& table, const Field& field, std::size_t rows,
                    ArrowArray& out) {
  if (field.offsets.empty()) return array_of_cells(table, field, rows, out);
  make_array(out, table, rows, {}, 1);
  add_buffer(out, field.offsets.data());
  array_of_cells(table, field, field.offsets.back(), *out.children[0]);
}

struct StreamHeld {
  ArrowTable table;
  bool is_given = false;
  std::string error;
};

StreamHeld& held_of(ArrowArrayStream* stream) {
  return *static_cast<StreamHeld*>(stream->private_data);
}

// Exceptions must not enter C code.
template <class F>
int guarded(ArrowArrayStream* stream, const F& call) noexcept {
  try {
    call();
    return 0;
  } catch (const std::exception& e) {
    held_of(stream).error = e.what();
    return ENOMEM;
  }
}

int stream_schema(ArrowArrayStream* stream, ArrowSchema* out) {
  return guarded(stream, [&] { export_schema(held_of(stream).table, *out); });
}

int stream_next(ArrowArrayStream* stream, ArrowArray* out) {
  StreamHeld& held = held_of(stream);
  if (std::exchange(held.is_given, true)) {
    *out = {};  // a released array is the end
    return 0;
  }
  return guarded(stream, [&] { export_array(held.table, *out); });
}

const char* stream_error(ArrowArrayStream* stream) {
  const std::string& error = held_of(stream).error;
  return error.empty() ? nullptr : error.c_str();
}

void release_stream(ArrowArrayStream* stream) {
  delete &held_of(stream);
  stream->release = nullptr;
}

Field group_field(const Group& group) {
  Field field;
  field.name = group.name();
  field.offsets = group.offsets();
  for (const Column& column : group) field.fields.push_back({column.name(), &column});
  return field;
}

}  // namespace

ArrowTable arrow_table_of(std::shared_ptr<const Batch> batch) {
  ArrowTable table;
  table.rows = batch->rows();
  for (const Column& column : batch->objects()) table.fields.push_back({column.name(), &column});
  for (const Group& group : batch->groups()) table.fields.push_back(group_field(group));
  table.owner = std::move(batch);
  return table;
}

void export_schema(const ArrowTable& table, ArrowSchema& out) {
  make_schema(out, "+s", "", table.fields.size());
  out.flags = 0;
  for (std::size_t i = 0; i < table.fields.size(); ++i)
    schema_of_field(table.fields[i], *out.children[i]);
}

void export_array(const ArrowTable& table, ArrowArray& out) {
  make_array(out, table, table.rows, {}, table.fields.size());
  for (std::size_t i = 0; i < table.fields.size(); ++i)
    array_of_field(table, table.fields[i], table.rows, *out.children[i]);
}

void export_stream(ArrowTable table, ArrowArrayStream& out) {
  out = {stream_schema, stream_next, stream_error, release_stream,
         new StreamHeld{std::move(table), false, {}}};
}

}  // namespace qsohost::python
