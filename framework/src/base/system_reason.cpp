#include "qsohost/system_reason.hpp"

#include <cerrno>
#include <string_view>
#include <system_error>

namespace qsohost::inline v1 {

namespace {

std::string_view advice_on(int error) {
  switch (error) {
    case EACCES:
    case EPERM:
      return "check who owns it, and its permissions";
    case EDQUOT:
    case ENOSPC:
      return "free some space, or choose another place";
    case EFBIG:
      return "raise the limit of the size of files (ulimit -f)";
    case EISDIR:
      return "name a file, not a folder";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    case ELOOP:
      return "remove or repair the symbolic link";
    case ENAMETOOLONG:
      return "choose a shorter name";
    case ENOENT:
    case ENOTDIR:
      return "check the path";
    case ENOMEM:
      return "free some memory, or raise its limit";
    case EROFS:
      return "choose a place that can be written";
    default:
      return "check the disk and its file system";
  }
}

}  // namespace

std::string system_reason(int error) {
  // Unlike std::strerror, safe in any thread.
  return std::generic_category().message(error).append("; ").append(advice_on(error));
}

}  // namespace qsohost::inline v1
