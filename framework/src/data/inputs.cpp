// What a run depends on besides its chain, and the names of what sinks store.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <vector>

#include "base/fnv.hpp"
#include "data/file_state.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

namespace {

constexpr std::uint64_t kWhole = std::uint64_t{256} << 20;  // read to its end up to this size
constexpr std::uint64_t kEnd = std::uint64_t{1} << 20;

// Like fnv1a(), but eight bytes at a time: products may be large.
std::uint64_t digest(std::string_view bytes, std::uint64_t hash) {
  std::size_t at = 0;
  for (; at + 8 <= bytes.size(); at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof word);
    hash = (hash ^ word) * 0x9e3779b97f4a7c15ull;
    hash ^= hash >> 32;  // high bits change low ones too
  }
  return fnv1a(bytes.substr(at), hash);
}

// Hashes `count` bytes from `first` on; false if they cannot be read.
bool add_bytes(std::ifstream& in, std::uint64_t first, std::uint64_t count, std::uint64_t& hash) {
  std::vector<char> buffer(kEnd);
  in.seekg(static_cast<std::streamoff>(first));
  while (count > 0) {
    const std::uint64_t piece = std::min<std::uint64_t>(count, buffer.size());
    in.read(buffer.data(), static_cast<std::streamsize>(piece));
    if (!in) return false;
    hash = digest({buffer.data(), piece}, hash);
    count -= piece;
  }
  return true;
}

}  // namespace

std::string file_state(const std::filesystem::path& file, FileTime time) {
  static constexpr const char* kNotThere = "not there";
  struct stat about {};
  if (::stat(file.c_str(), &about) != 0 || !S_ISREG(about.st_mode)) return kNotThere;
  const auto size = static_cast<std::uint64_t>(about.st_size);
  std::ifstream in(file, std::ios::binary);
  std::uint64_t hash = kFnvBegin;
  if (size <= kWhole) {
    if (!add_bytes(in, 0, size, hash)) return kNotThere;
    return fmt::format("{} bytes, digest {:016x}", size, hash);
  }
  if (!add_bytes(in, 0, kEnd, hash) || !add_bytes(in, size - kEnd, kEnd, hash)) return kNotThere;
  std::string state = fmt::format("{} bytes, digest of its ends {:016x}", size, hash);
  if (time == FileTime::kWithTime) {
    state += fmt::format(", changed {:%F %T} UTC", fmt::gmtime(about.st_mtime));
  }
  return state;
}

Input file_input(const std::filesystem::path& file) {
  return {file.string(), file_state(file, FileTime::kWithTime)};
}

Input text_input(std::string name, std::string_view text) {
  return {std::move(name), fmt::format("digest {:016x}", fnv1a(text))};
}

std::string Chunk::file_name(std::string_view extension, std::string_view part) const {
  const std::string name =
      fmt::format("{:08}-{}{}{}.{}", ordinal, attempt, part.empty() ? "" : "-", part, extension);
  return (folder / name).string();
}

Products::~Products() = default;

}  // namespace qsohost::inline v1
