// Secrets that stages have read: they stand in no message and in no file that the host writes.
#pragma once

#include <string>

namespace qsohost::inline v1 {

// From now on `value` is hidden. `where` says where it came from, see Secret. Any thread.
void note_secret(const std::string& value, const std::string& where);

// The text with "***" in place of every secret, as it is or percent-encoded. One of fewer than
// eight characters only where it stands as a word of its own: shorter ones occur by chance. Any
// thread.
std::string without_secrets(std::string text);

// For an answer that is stored: a mark that names where the secret comes from. Short secrets are
// left alone: "t" may be a value.
std::string for_storage(std::string data);

// With the secrets of this run in place of such marks: an archive may say a token back in the URL
// of a job.
std::string from_storage(std::string data);

}  // namespace qsohost::inline v1
