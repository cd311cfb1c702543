// The place of an object in its source.
#pragma once

namespace qsohost::inline v1 {

// A column of the objects (i64), which only batches of a shard by hash have: where the object is in
// the source, counted from 0. A Sink stores it with the rows of a chunk, and sorts by it in
// finish(): chunks of several shards hold objects of the same part of the source.
inline constexpr const char* kSourceRow = "_source_row";

}  // namespace qsohost::inline v1
