#include "run/part.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/fnv.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::string_view kShardLine = "run.shard = ";
constexpr std::string_view kByHash = " by hash";

// floor(k * n / N) without overflow.
std::uint64_t begin_of(std::uint64_t k, std::uint64_t count, std::uint64_t size) {
  return k * (size / count) + k * (size % count) / count;
}

}  // namespace

void check_shard(const RunOptions& options) {
  if (!options.shard) return;
  const Shard& shard = *options.shard;
  const auto refuse = [&](std::string_view why) {
    throw UsageError(fmt::format("--shard {}: {}", to_text(shard), why));
  };
  if (shard.count < 1 || shard.count > kMostShards) {
    refuse(fmt::format("the number of shards must be from 1 to {}", kMostShards));
  }
  if (shard.index >= shard.count) {
    refuse(fmt::format("shards count from 0, so it must be at most {1}/{0}", shard.count,
                       shard.count - 1));
  }
  if (options.skip > 0 || (options.limit && !options.dry_run)) {
    refuse("a shard is a part already; leave out --skip and --limit");
  }
  if (options.accept_changed_inputs) {
    refuse(
        "with another catalogue the other shards would not fit any more; leave out "
        "--accept-changed-inputs and do all shards again (--restart)");
  }
}

Part part_of(const RunOptions& options, std::optional<std::uint64_t> size) {
  if (!options.shard) return {options.skip, options.limit, {}};
  const Shard& shard = *options.shard;
  if (shard.by == ShardBy::Hash) return {0, options.limit, shard};
  if (!size) {
    throw UsageError(
        fmt::format("--shard {}: the source cannot say how many objects it has, so no range of "
                    "them can be given to each shard; divide it by identifiers (--shard-by hash)",
                    to_text(shard)));
  }
  Part part{begin_of(shard.index, shard.count, *size), options.limit, {}};
  // The last one reads up to the end, and so finds out whether the size was right.
  if (shard.index + 1 == shard.count) return part;
  const std::uint64_t rows = begin_of(shard.index + 1, shard.count, *size) - part.skip;
  part.limit = std::min(rows, part.limit.value_or(rows));
  return part;
}

std::optional<std::uint64_t> objects_in(const Part& part, std::optional<std::uint64_t> size) {
  if (part.hashed) return std::nullopt;
  if (!size) return part.limit;
  const std::uint64_t rest = *size - std::min(*size, part.skip);
  return std::min(rest, part.limit.value_or(rest));
}

std::vector<std::string> part_lines(const RunOptions& options) {
  std::vector<std::string> lines;
  if (options.skip > 0) lines.push_back(fmt::format("run.skip = {}", options.skip));
  if (options.limit) lines.push_back(fmt::format("run.limit = {}", *options.limit));
  if (options.shard)
    lines.push_back(fmt::format("{}{}", kShardLine, division_text(*options.shard)));
  return lines;
}

bool is_part_line(const std::string& line) {
  return line.starts_with("run.");
}

std::optional<Shard> shard_in(const std::vector<std::string>& lines) {
  for (const std::string& line : lines) {
    if (!line.starts_with(kShardLine)) continue;
    const char* const end = line.data() + line.size();
    Shard shard;
    const auto index = std::from_chars(line.data() + kShardLine.size(), end, shard.index);
    if (index.ec != std::errc() || index.ptr == end) return std::nullopt;
    std::from_chars(index.ptr + 1, end, shard.count);
    if (line.ends_with(kByHash)) shard.by = ShardBy::Hash;
    return shard;
  }
  return std::nullopt;
}

bool Part::has(std::string_view id) const {
  return !hashed || fnv1a(id) % hashed->count == hashed->index;
}

std::string to_text(const Shard& shard) {
  return fmt::format("{}/{}", shard.index, shard.count);
}

std::string division_text(const Shard& shard) {
  return fmt::format("{}{}", to_text(shard), shard.by == ShardBy::Hash ? kByHash : " by rows");
}

}  // namespace qsohost::inline v1
