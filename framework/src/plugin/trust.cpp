#include "plugin/trust.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <string_view>

#include "qsohost/host/loader.hpp"

namespace qsohost::inline v1 {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kAdvice = "or load it all the same with --allow-insecure-plugins";

std::string user_name(uid_t user) {
  passwd entry{};
  passwd* found = nullptr;
  std::array<char, 4096> buffer{};
  ::getpwuid_r(user, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? fmt::format("user {}", user) : found->pw_name;
}

std::string group_name(gid_t group) {
  ::group entry{};
  ::group* found = nullptr;
  std::array<char, 4096> buffer{};
  ::getgrgid_r(group, &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? fmt::format("group {}", group) : found->gr_name;
}

// Of libqsohost. Who can change the program needs no plugin for that: an installation that the
// administrators of a cluster share.
struct stat own_library() {
  Dl_info info{};
  struct stat found {};
  if (::dladdr(reinterpret_cast<const void*>(&library_version), &info) == 0 ||
      ::stat(info.dli_fname, &found) != 0) {
    found = {};
  }
  return found;
}

bool is_trusted_user(uid_t user) {
  return user == ::geteuid() || user == 0 || user == own_library().st_uid;
}

bool is_trusted_group(gid_t group) {
  if (group == ::getegid() && group_name(group) == user_name(::geteuid())) return true;
  const struct stat library = own_library();
  return group == library.st_gid && (library.st_mode & S_IWGRP) != 0;
}

}  // namespace

std::string why_not_trusted(const fs::path& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};  // nothing to load; the caller finds out why
  const std::string_view kind = S_ISDIR(info.st_mode) ? "folder" : "file";
  if (!is_trusted_user(info.st_uid)) {
    return fmt::format(
        "the {} {} belongs to {}, who can change it at any time; copy it to a folder "
        "of your own, {}",
        kind, path.string(), user_name(info.st_uid), kAdvice);
  }
  if ((info.st_mode & S_IWOTH) != 0) {
    return fmt::format("others may write to the {} {}; take that right away (chmod o-w), {}", kind,
                       path.string(), kAdvice);
  }
  if ((info.st_mode & S_IWGRP) != 0 && !is_trusted_group(info.st_gid)) {
    return fmt::format("the group {} may write to the {} {}; take that right away (chmod g-w), {}",
                       group_name(info.st_gid), kind, path.string(), kAdvice);
  }
  return {};
}

std::string why_plugin_not_trusted(const fs::path& file) {
  std::error_code error;
  const fs::path target = fs::canonical(file, error);
  if (error) return {};
  for (const fs::path& path : {target, target.parent_path(), file.parent_path()}) {
    if (std::string reason = why_not_trusted(path); !reason.empty()) return reason;
  }
  return {};
}

}  // namespace qsohost::inline v1
