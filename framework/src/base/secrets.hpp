// Secrets that stages have read, kept out of all messages and files that the host writes.
#pragma once

#include <string>

#include "qsohost/api.hpp"

namespace qsohost::inline v1 {

// From now on `value` is hidden, and a crash of this process leaves no core file. `where` is its
// origin, see Secret. Any thread.
QSOHOST_API void note_secret(const std::string& value, const std::string& where);

// The text with "***" in place of every secret, as it is or percent-encoded. One of fewer than
// eight characters only where it is a separate word: short ones occur by chance. Any thread.
std::string without_secrets(std::string text);

// For a response that is stored: replaces secrets by a mark that names their origin. Short secrets
// are left alone: "t" may be a value.
std::string for_storage(std::string data);

// Replaces such marks by this run's secrets: an archive may return a token in the URL of a job.
std::string from_storage(std::string data);

}  // namespace qsohost::inline v1
