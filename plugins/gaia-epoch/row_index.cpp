#include "row_index.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

#include <qsohost/context.hpp>
#include <qsohost/error.hpp>
#include <qsohost/io/identifiers.hpp>
#include <qsohost/system_reason.hpp>

namespace gaia {

namespace {

using qsohost::RunError;

constexpr int kRowBits = 48;
constexpr std::uint64_t kRowMask = (std::uint64_t{1} << kRowBits) - 1;

// Identifies the files that an index was built from.
std::string stamp_of(std::span<const IndexedFile> files) {
  std::string stamp = "qsohost gaia-epoch index 1\n";
  for (const IndexedFile& file : files) {
    const std::string path = std::filesystem::absolute(file.name).lexically_normal().string();
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) {
      throw RunError(fmt::format("{}: {}", path, qsohost::system_reason(errno)));
    }
    stamp += fmt::format("{} bytes, inode {}, changed {}.{:09}, {} rows: {}\n", info.st_size,
                         info.st_ino, info.st_mtim.tv_sec, info.st_mtim.tv_nsec, file.table.rows(),
                         path);
  }
  return stamp + "\n";
}

}  // namespace

RowIndex::RowIndex(std::span<IndexedFile> files, const std::filesystem::path& kept) {
  if (files.size() >= std::size_t{1} << (64 - kRowBits)) {
    throw RunError(
        fmt::format("{} files are too many for one index; join some of them", files.size()));
  }
  std::uint64_t rows = 0;
  for (const IndexedFile& file : files) rows += file.table.rows();
  const std::string stamp = stamp_of(files);
  was_kept_ = !kept.empty() && load(kept, stamp, rows);
  if (was_kept_) return;
  entries_.reserve(rows);
  make(files);
  std::ranges::sort(entries_);
  if (!kept.empty()) keep(kept, stamp);
}

// False if it does not exist, is for other files, or is damaged.
bool RowIndex::load(const std::filesystem::path& kept, const std::string& stamp,
                    std::uint64_t rows) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(kept, error);
  if (error || size != stamp.size() + rows * sizeof(Entry)) return false;
  std::ifstream in(kept, std::ios::binary);
  std::string there(stamp.size(), '\0');
  in.read(there.data(), static_cast<std::streamsize>(there.size()));
  if (!in || there != stamp) return false;
  entries_.resize(rows);
  in.read(reinterpret_cast<char*>(entries_.data()),
          static_cast<std::streamsize>(rows * sizeof(Entry)));
  if (in && std::ranges::is_sorted(entries_)) return true;
  entries_.clear();
  return false;
}

void RowIndex::make(std::span<IndexedFile> files) {
  for (std::size_t k = 0; k < files.size(); ++k) {
    IndexedFile& file = files[k];
    const auto add = [&](const qsohost::Column& ids, std::uint64_t row) {
      for (const std::int64_t id : ids.values<std::int64_t>()) {
        entries_.push_back({id, (k << kRowBits) | row++});
      }
    };
    qsohost::for_each_id(file.table, file.id, add);
  }
}

void RowIndex::keep(const std::filesystem::path& kept, const std::string& stamp) const {
  std::filesystem::path temporary = kept;
  temporary += ".tmp";
  std::filesystem::create_directories(kept.parent_path());
  std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
  out << stamp;
  out.write(reinterpret_cast<const char*>(entries_.data()),
            static_cast<std::streamsize>(entries_.size() * sizeof(Entry)));
  out.close();
  if (!out) {
    throw RunError(fmt::format("{}: cannot be written: {}", temporary.string(),
                               qsohost::system_reason(errno != 0 ? errno : EIO)));
  }
  qsohost::publish_file(temporary, kept);
}

void RowIndex::find(std::int64_t source_id, std::vector<Place>& out) const {
  for (auto it = std::ranges::lower_bound(entries_, source_id, {}, &Entry::id);
       it != entries_.end() && it->id == source_id; ++it) {
    out.push_back({static_cast<std::size_t>(it->place >> kRowBits), it->place & kRowMask});
  }
}

}  // namespace gaia
