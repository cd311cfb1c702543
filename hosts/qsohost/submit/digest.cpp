#include "submit/digest.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>

#include "qsohost/error.hpp"
#include "qsohost/system_reason.hpp"

namespace qsohost::cli {
namespace {

namespace fs = std::filesystem;

uLong checksum(uLong sum, const fs::path& file) {
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::array<char, 1 << 16> block{};
  while (in.read(block.data(), block.size()) || in.gcount() > 0) {
    sum = crc32_z(sum, reinterpret_cast<const Bytef*>(block.data()),  // NOLINT(*reinterpret-cast)
                  static_cast<z_size_t>(in.gcount()));
  }
  if (in.eof() && !in.bad()) return sum;
  throw RunError(fmt::format("{}: cannot be read: {}", file.string(), system_reason(errno)));
}

}  // namespace

std::vector<fs::path> stage_files(const Chain& chain) {
  std::vector<fs::path> out;
  for (const ChainStage& stage : chain.stages()) {
    const fs::path& file = stage.offer.file;
    if (file.empty() || std::ranges::find(out, file) != out.end()) continue;
    out.push_back(file);
  }
  return out;
}

std::string digest_of(const Chain& chain) {
  uLong sum = 0;
  for (const fs::path& file : stage_files(chain)) sum = checksum(sum, file);
  return fmt::format("{}-{:08x}", chain.hash(), sum);
}

void require_digest(const Chain& chain, const fs::path& chain_file, const std::string& digest) {
  const std::string now = digest_of(chain);
  if (now == digest) return;
  std::string what = "its options or the version of a plugin have changed";
  if (digest.starts_with(chain.hash() + "-")) {
    std::vector<std::string> files;
    for (const fs::path& file : stage_files(chain)) files.push_back(file.string());
    what = fmt::format("the file of a plugin or a script has changed (one of {})",
                       fmt::join(files, ", "));
  }
  throw UsageError(fmt::format(
      "{}: this is not the chain that was submitted: {} (digest {} then, {} now); put back what "
      "was there, or submit the chain again to another folder (qsohost submit ... --into DIR)",
      chain_file.string(), what, digest, now));
}

}  // namespace qsohost::cli
