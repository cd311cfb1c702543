// The batches of a run as its source provides them, without those that are done already.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "qsohost/host/chain.hpp"
#include "run/part.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

// Number of objects per identifier, by its hash: 16 bytes an object, whatever its length.
using IdCounts = std::unordered_map<std::uint64_t, std::uint32_t>;
void add_ids(std::string_view ids, IdCounts& counts);  // as in BatchRecord

// What earlier runs have done and this one skips.
struct DoneBefore {
  std::map<std::uint64_t, LedgerBatch> batches;  // by ordinal; including those to be redone
  std::uint64_t objects = 0;                     // in the committed batches
  // After inputs have changed objects are skipped by identifier; batches made since have ordinals
  // from this one on.
  std::optional<std::uint64_t> by_identifier_from;
  IdCounts ids;                     // of the committed batches; only in that case
  std::set<std::uint64_t> fetched;  // batches that a fetch job need not do again
};

class SourceReader {
 public:
  struct Settings {
    std::int64_t batch_rows = 500;
    std::int64_t batch_bytes = 64 << 20;
    Part part;
    std::function<bool()> stopping;
  };
  struct Next {
    Batch batch;
    BatchRecord record;
  };

  SourceReader(const ChainStage& source, Settings settings, DoneBefore done);

  // None at the end of the source or of what is requested. Throws RunError if the source provides
  // other objects than those that are committed.
  std::optional<Next> next();

  // Number of objects in the source, once its end was reached.
  std::optional<std::uint64_t> end() const { return end_; }

 private:
  bool read(Batch& batch);
  std::optional<std::uint64_t> last_done() const;
  void seek();
  bool pass_over();
  std::uint64_t next_ordinal();
  std::size_t capacity() const;
  void note_size(const Batch& batch);
  void require_same(const LedgerBatch& before, const BatchRecord& now) const;
  void require_all_seen() const;
  void drop_done(Batch& batch);
  void keep_own(Batch& batch) const;
  std::uint64_t most_rows() const;

  const ChainStage& source_;
  Settings settings_;
  DoneBefore done_;
  std::size_t rows_;              // of the next batch, at most
  std::uint64_t position_ = 0;    // objects read
  std::uint64_t ordinal_ = 0;     // of the next batch
  bool has_passed_over_ = false;  // whether the objects before the shard were skipped
  std::optional<std::uint64_t> end_;
};

}  // namespace qsohost::inline v1
