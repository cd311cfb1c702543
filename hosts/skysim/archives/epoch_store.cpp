#include "archives/epoch_store.hpp"

#include <fmt/format.h>

#include "qsohost/error.hpp"

namespace qsohost::skysim {

const std::vector<std::string>& EpochStore::fields() {
  static const std::vector<std::string> names = names_of(tap_columns("gaia_epoch"));
  return names;
}

// Under the lock.
void EpochStore::open() {
  if (is_open_) return;
  if (std::filesystem::exists(file_)) {
    table_ = std::make_unique<FitsTable>(file_);
    places_.clear();
    for (const std::string& field : fields()) {
      const auto place = table_->find(field);
      if (!place) throw RunError(fmt::format("{}: no column '{}'", file_.string(), field));
      places_.push_back(*place);
    }
    for_each_row(file_, {"source_id"}, [&](const FitsRow& row) {
      ids_.push_back(std::get<std::int64_t>(row.cell(0)));
      rows_[ids_.back()].push_back(ids_.size() - 1);
    });
  }
  is_open_ = true;
}

bool EpochStore::has(std::int64_t source_id) {
  const std::lock_guard lock(mutex_);
  open();
  return rows_.contains(source_id);
}

std::int64_t EpochStore::other_than(std::int64_t source_id) {
  const std::lock_guard lock(mutex_);
  open();
  const auto it = rows_.find(source_id);
  return it == rows_.end() ? source_id : ids_[(it->second.back() + 1) % ids_.size()];
}

void EpochStore::for_each(std::span<const std::int64_t> source_ids,
                          const std::function<void(const FitsRow&)>& work) {
  std::vector<Cells> cells;
  std::vector<std::uint64_t> rows;
  {
    const std::lock_guard lock(mutex_);
    open();
    for (const std::int64_t id : source_ids) {
      const auto it = rows_.find(id);
      if (it != rows_.end()) rows.insert(rows.end(), it->second.begin(), it->second.end());
    }
    if (rows.empty()) return;
    cells = table_->read(rows, places_);
  }
  for_each_of(cells, rows.size(), work);
}

}  // namespace qsohost::skysim
