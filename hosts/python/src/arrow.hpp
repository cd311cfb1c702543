// Columns in the Arrow C data interface (https://arrow.apache.org/docs/format/CDataInterface.html
// and CStreamInterface.html), which pyarrow, polars, pandas and duckdb read. The structs below are
// the specification's; no library is needed.
//
// Numbers, masks of lists and bytes of strings are not copied: the exported arrays hold `owner`
// alive. Copied are what Arrow stores in another way: bools and validity (bits), and offsets of
// strings (one more than here). Arrays of a row become large lists (64-bit offsets).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "qsohost/batch.hpp"

extern "C" {

struct ArrowSchema {
  const char* format;
  const char* name;
  const char* metadata;
  int64_t flags;
  int64_t n_children;
  struct ArrowSchema** children;
  struct ArrowSchema* dictionary;
  void (*release)(struct ArrowSchema*);
  void* private_data;
};

struct ArrowArray {
  int64_t length;
  int64_t null_count;
  int64_t offset;
  int64_t n_buffers;
  int64_t n_children;
  const void** buffers;
  struct ArrowArray** children;
  struct ArrowArray* dictionary;
  void (*release)(struct ArrowArray*);
  void* private_data;
};

struct ArrowArrayStream {
  int (*get_schema)(struct ArrowArrayStream*, struct ArrowSchema* out);
  int (*get_next)(struct ArrowArrayStream*, struct ArrowArray* out);
  const char* (*get_last_error)(struct ArrowArrayStream*);
  void (*release)(struct ArrowArrayStream*);
  void* private_data;
};
}

namespace qsohost::python {

// A table to be exported: `rows` rows of these columns.
struct ArrowTable {
  struct Field {
    std::string name;
    const Column* column = nullptr;  // or else a struct of `fields`
    std::vector<Field> fields{};
    std::span<const std::uint64_t> offsets{};  // of lists; empty: one cell a row
  };
  std::vector<Field> fields;
  std::uint64_t rows = 0;
  std::shared_ptr<const void> owner;
};

// Columns of objects, and each group as a list of structs.
ArrowTable arrow_table_of(std::shared_ptr<const Batch> batch);

// `out` is to be released by its receiver. The description of a column and its unit are metadata.
void export_schema(const ArrowTable& table, ArrowSchema& out);
void export_array(const ArrowTable& table, ArrowArray& out);
// A stream of this one array.
void export_stream(ArrowTable table, ArrowArrayStream& out);

}  // namespace qsohost::python
