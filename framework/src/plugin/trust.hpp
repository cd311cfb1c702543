// Whose code is loaded: a plugin can do whatever its user may do.
#pragma once

#include <filesystem>
#include <string>

namespace qsohost::inline v1 {

// Why the file or folder may have been changed by somebody else, with advice; "" if it cannot have
// been. It must belong to this user, to root or to whom libqsohost belongs, and be writable by no
// one else. Its group may write to it if that is the user's own (of the user's name), as
// distributions with umask 0002 make it, or if it may write to libqsohost, too.
std::string why_not_trusted(const std::filesystem::path& path);

// The same for a plugin: the file that a symbolic link leads to, that file's folder, and the folder
// of the link. Folders further up are not looked at.
std::string why_plugin_not_trusted(const std::filesystem::path& file);

}  // namespace qsohost::inline v1
