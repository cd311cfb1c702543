// Gaia's epochs, by source: gaia_epoch.fits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "qsohost/io/fits.hpp"
#include "tap/fits_rows.hpp"

namespace qsohost::skysim {

class EpochStore {
 public:
  // The file is opened when it is used for the first time; without it, no source has epochs.
  explicit EpochStore(const std::filesystem::path& folder) : file_(folder / "gaia_epoch.fits") {}

  // Fields of the rows, in this order: those of columns/gaia_epoch.tsv.
  static const std::vector<std::string>& fields();

  bool has(std::int64_t source_id);
  // Any other source that has epochs; `source_id` itself if there is none.
  std::int64_t other_than(std::int64_t source_id);
  // Rows of those that have epochs, in the order of `source_ids`; some sources have two. Ids are
  // those of DR3.
  // Thread-safe, as the others.
  void for_each(std::span<const std::int64_t> source_ids,
                const std::function<void(const FitsRow&)>& work);

 private:
  void open();

  std::filesystem::path file_;
  std::mutex mutex_;
  bool is_open_ = false;
  std::unique_ptr<FitsTable> table_;
  std::vector<std::size_t> places_;  // of fields() in the file
  std::vector<std::int64_t> ids_;    // by row
  std::unordered_map<std::int64_t, std::vector<std::uint64_t>> rows_;
};

}  // namespace qsohost::skysim
