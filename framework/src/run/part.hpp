// The part of a source that a run is about: all of it, --skip and --limit, or a shard.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/host/run.hpp"

namespace qsohost::inline v1 {

struct Part {
  std::uint64_t skip = 0;              // objects of the source before it
  std::optional<std::uint64_t> limit;  // objects after these; none: up to the end of the source
  // Of these, those whose identifiers the hash puts in this shard.
  std::optional<Shard> hashed{};
  bool has(std::string_view id) const;
};

// Throws UsageError for a shard that does not exist, or with options that do not go with it.
void check_shard(const RunOptions& options);

// `size`: number of objects in the source, which is open. Throws UsageError if the part depends on
// it and it is not known.
Part part_of(const RunOptions& options, std::optional<std::uint64_t> size);

// Number of objects in a part, if it is known.
std::optional<std::uint64_t> objects_in(const Part& part, std::optional<std::uint64_t> size);

// The lines by which a ledger tells the part of a run, after its effective chain: a run is resumed
// with the same ones only.
std::vector<std::string> part_lines(const RunOptions& options);
bool is_part_line(const std::string& line);
// The shard that a ledger's lines tell of, if it is one.
std::optional<Shard> shard_in(const std::vector<std::string>& lines);

std::string to_text(const Shard& shard);        // "3/8"
std::string division_text(const Shard& shard);  // "3/8 by rows"

}  // namespace qsohost::inline v1
