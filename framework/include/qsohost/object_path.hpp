// Paths of files with the data of one object each: "answers/{source_id}.csv".
#pragma once

#include <string>
#include <string_view>

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

// What stands for the identifier in such a path.
inline constexpr std::string_view kSourceIdPlaceholder = "{source_id}";

// The path of an object's file. Identifiers come from catalogues that others have made, so one that
// would lead out of the pattern's folder is refused: throws BadObject for an empty one, for one
// with '/' or a control character, for one that makes a folder "." or "..", and for one that makes
// a name of more than 255 bytes. Symbolic links are the user's own and are followed.
QSOHOST_API std::string object_path(std::string_view pattern, std::string_view source_id);

}  // namespace qsohost::inline v1
