#include "base/sqlite.hpp"

#include <sys/vfs.h>

#include <algorithm>

namespace qsohost::inline v1 {

const char* journal_mode(const std::filesystem::path& file) {
  // statfs(2) and linux/magic.h: NFS, SMB, CIFS, SMB2, AFS, Ceph, Lustre, GPFS, BeeGFS.
  constexpr std::uint32_t kNetwork[] = {0x6969,     0x517b,     0xff534d42, 0xfe534d42, 0x5346414f,
                                        0x00c36400, 0x0bd00bd0, 0x47504653, 0x19830326};
  struct statfs about {};
  const std::filesystem::path folder = file.has_parent_path() ? file.parent_path() : ".";
  if (::statfs(folder.c_str(), &about) != 0) return "PRAGMA journal_mode=WAL";
  const auto type = static_cast<std::uint32_t>(about.f_type);
  const bool is_network = std::ranges::find(kNetwork, type) != std::end(kNetwork);
  return is_network ? "PRAGMA journal_mode=DELETE" : "PRAGMA journal_mode=WAL";
}

}  // namespace qsohost::inline v1
