#include <malloc.h>

#include <mutex>
#include <new>
#include <vector>

#include "qsohost/column.hpp"

namespace qsohost::inline v1 {

namespace {

// Address sanitizers find errors only in memory that is really freed.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kKeeps = false;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif
#else
constexpr bool kKeeps = true;
#endif

constexpr std::size_t kSmallest = std::size_t{32} << 10;  // malloc handles smaller blocks well
constexpr std::size_t kMostKept = std::size_t{32} << 20;  // more than a batch of light curves

class BlockCache {
 public:
  // The smallest block that fits, unless it is more than twice too large.
  void* take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    std::size_t best = blocks_.size();
    for (std::size_t i = 0; i < blocks_.size(); ++i) {
      const std::size_t size = blocks_[i].bytes;
      if (size < bytes || size > 2 * bytes) continue;
      if (best == blocks_.size() || size < blocks_[best].bytes) best = i;
    }
    if (best == blocks_.size()) return nullptr;
    void* const block = blocks_[best].start;
    bytes_ -= blocks_[best].bytes;
    blocks_.erase(blocks_.begin() + static_cast<std::ptrdiff_t>(best));
    return block;
  }

  // Above the limit the oldest blocks are freed, which were unused for longest.
  void give(void* block) {
    const std::lock_guard lock(mutex_);
    blocks_.push_back({block, ::malloc_usable_size(block)});
    bytes_ += blocks_.back().bytes;
    std::size_t old = 0;
    for (; bytes_ > kMostKept; ++old) {
      bytes_ -= blocks_[old].bytes;
      ::operator delete(blocks_[old].start);
    }
    blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(old));
  }

 private:
  struct Block {
    void* start;
    std::size_t bytes;
  };
  std::mutex mutex_;
  std::vector<Block> blocks_;  // oldest first
  std::size_t bytes_ = 0;
};

// Never destroyed: columns may live as long as the process.
BlockCache& kept() {
  static BlockCache* const all = new BlockCache;
  return *all;
}

}  // namespace

void* take_column_memory(std::size_t bytes) {
  if (kKeeps && bytes >= kSmallest) {
    if (void* const block = kept().take(bytes)) return block;
  }
  return ::operator new(bytes);
}

void give_column_memory(void* block, std::size_t bytes) noexcept {
  if (!kKeeps || bytes < kSmallest) return ::operator delete(block);
  try {
    kept().give(block);
  } catch (...) {
    ::operator delete(block);
  }
}

}  // namespace qsohost::inline v1
