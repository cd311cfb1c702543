#include "run/source_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/fnv.hpp"
#include "base/interrupted.hpp"
#include "chain/stage_call.hpp"
#include "qsohost/error.hpp"
#include "qsohost/source_row.hpp"

namespace qsohost::inline v1 {

namespace {

std::string ids_of(const Batch& batch) {
  std::string ids;
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    ids += batch.id(row);
    ids += '\0';
  }
  return ids;
}

}  // namespace

void add_ids(std::string_view ids, IdCounts& counts) {
  while (!ids.empty()) {
    const std::size_t end = std::min(ids.find('\0'), ids.size());
    ++counts[fnv1a(ids.substr(0, end))];
    ids.remove_prefix(std::min(end + 1, ids.size()));
  }
}

SourceReader::SourceReader(const ChainStage& source, Settings settings, DoneBefore done)
    : source_(source),
      settings_(std::move(settings)),
      done_(std::move(done)),
      rows_(static_cast<std::size_t>(settings_.batch_rows)),
      ordinal_(settings_.part.skip) {}

// False at the end, and if the source stopped waiting because of an interrupt.
bool SourceReader::read(Batch& batch) {
  if (settings_.stopping()) return false;
  bool more = false;
  try {
    more = call_source(source_, batch);
  } catch (const Interrupted&) {
    return false;
  }
  if (!more) {
    if (!settings_.stopping()) end_ = position_;
    return false;
  }
  position_ += batch.rows();
  return true;
}

// The last of the committed batches that are contiguous from the first object on.
std::optional<std::uint64_t> SourceReader::last_done() const {
  if (done_.by_identifier_from || settings_.part.hashed) return std::nullopt;
  std::optional<std::uint64_t> last;
  std::uint64_t position = settings_.part.skip;
  for (std::uint64_t ordinal = settings_.part.skip;; ++ordinal) {
    const auto batch = done_.batches.find(ordinal);
    if (batch == done_.batches.end() || !batch->second.is_committed) return last;
    if (batch->second.first_object != position) return last;
    position += batch->second.objects;
    last = ordinal;
  }
}

// Seeks to the first object of the last batch that is done: its size determines how the next is
// cut, and its identifiers are compared. Default: the first object of the shard.
void SourceReader::seek() {
  const std::optional<std::uint64_t> last = last_done();
  const LedgerBatch* batch = last ? &done_.batches.at(*last) : nullptr;
  const std::uint64_t wanted = batch != nullptr ? batch->first_object : settings_.part.skip;
  if (wanted == 0) return;
  guarded(source_, nullptr, [&] { position_ = static_cast<Source&>(*source_.stage).seek(wanted); });
  if (batch == nullptr || position_ != wanted) return;
  ordinal_ = *last;
  rows_ = batch->objects;
}

// Reads the objects before the shard; how batches are cut there does not matter.
bool SourceReader::pass_over() {
  has_passed_over_ = true;
  seek();
  while (position_ < settings_.part.skip) {
    const std::uint64_t want =
        std::min(settings_.part.skip - position_, static_cast<std::uint64_t>(settings_.batch_rows));
    Batch batch(0, position_, want);
    if (!read(batch)) return false;
  }
  return true;
}

std::uint64_t SourceReader::next_ordinal() {
  if (done_.by_identifier_from) return *done_.by_identifier_from + position_;
  if (const auto& shard = settings_.part.hashed) return position_ * shard->count + shard->index;
  return ordinal_++;
}

std::size_t SourceReader::capacity() const {
  if (!settings_.part.limit) return rows_;
  return std::min<std::uint64_t>(rows_, settings_.part.skip + *settings_.part.limit - position_);
}

// Of a hash shard's rows only one in N stays.
std::uint64_t SourceReader::most_rows() const {
  const auto rows = static_cast<std::uint64_t>(settings_.batch_rows);
  return settings_.part.hashed ? rows * settings_.part.hashed->count : rows;
}

void SourceReader::note_size(const Batch& batch) {
  const std::size_t bytes = std::max<std::size_t>(1, batch.bytes() / batch.rows());
  const std::size_t fit = static_cast<std::size_t>(settings_.batch_bytes) / bytes;
  rows_ = std::clamp<std::size_t>(fit, 1, most_rows());
}

// How batches are cut depends only on the catalogue and the chain, so a resumed run cuts the same.
// Ordinals count from the first object, so those of shards do not collide.
std::optional<SourceReader::Next> SourceReader::next() {
  if (!has_passed_over_ && !pass_over()) return std::nullopt;
  while (capacity() > 0) {
    const std::uint64_t first = position_;
    const std::uint64_t ordinal = next_ordinal();
    Next next{Batch(ordinal, first, capacity()), {}};
    Batch& batch = next.batch;
    if (!read(batch)) {
      if (end_) require_all_seen();
      return std::nullopt;
    }
    note_size(batch);
    if (settings_.part.hashed) keep_own(batch);
    if (done_.by_identifier_from) drop_done(batch);
    if (batch.rows() == 0) continue;
    BatchRecord& record = next.record;
    record = {ordinal, 1, first, batch.rows(), ids_of(batch), {}};
    const auto before = done_.batches.find(ordinal);
    if (done_.fetched.contains(ordinal)) continue;
    if (before == done_.batches.end()) return next;
    require_same(before->second, record);
    if (before->second.is_committed) continue;
    record.attempt = before->second.attempt + 1;
    return next;
  }
  return std::nullopt;
}

void SourceReader::require_same(const LedgerBatch& before, const BatchRecord& now) const {
  if (done_.by_identifier_from) return;  // found by identifier
  if (before.objects == now.objects && before.digest == digest_of(now.ids)) return;
  throw RunError(fmt::format(
      "stage '{}', batch {} (objects {} to {}): these are other objects than when the run did this "
      "batch: its input has changed since; put it back, go on with those objects that are not done "
      "(--accept-changed-inputs), or throw the run away (--restart)",
      source_.label, now.ordinal, now.first_object + 1, now.first_object + before.objects));
}

void SourceReader::require_all_seen() const {
  if (done_.by_identifier_from) return;
  for (const auto& [ordinal, batch] : done_.batches) {
    if (batch.first_object < position_) continue;
    throw RunError(fmt::format(
        "stage '{}', batch {} (objects {} to {}): the run has done this batch, but now there are "
        "no more than {} objects; put the input back, or throw the run away (--restart)",
        source_.label, ordinal, batch.first_object + 1, batch.first_object + batch.objects,
        position_));
  }
}

void SourceReader::keep_own(Batch& batch) const {
  Column& rows = batch.objects().add(ColumnInfo{kSourceRow, DType::I64, "", "place in the source"});
  std::vector<std::uint8_t> mask(batch.rows());
  for (std::size_t row = 0; row < mask.size(); ++row) {
    rows.append(static_cast<std::int64_t>(batch.first_object() + row));
    mask[row] = settings_.part.has(batch.id(row)) ? 1 : 0;
  }
  batch.keep_rows(mask);
}

void SourceReader::drop_done(Batch& batch) {
  std::vector<std::uint8_t> mask(batch.rows(), 1);
  for (std::size_t row = 0; row < batch.rows(); ++row) {
    const auto count = done_.ids.find(fnv1a(batch.id(row)));
    if (count == done_.ids.end() || count->second == 0) continue;
    --count->second;
    mask[row] = 0;
  }
  batch.keep_rows(mask);
}

}  // namespace qsohost::inline v1
