#include "qsohost/context.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "data/fnv.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

Context::~Context() = default;

std::string Context::secret(const Secret& secret) const {
  const char* value = std::getenv(secret.variable.c_str());
  if (value == nullptr) {
    throw RunError(fmt::format(
        "the environment variable '{}', which should hold a secret, is not set", secret.variable));
  }
  // Files of secrets end with a line break, which is no part of them.
  std::string text = value;
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

std::uint64_t Context::seed(std::string_view object_id) const {
  // The separator keeps ("ab", "c") and ("a", "bc") apart.
  return fnv1a(object_id, fnv1a(std::string_view("\0", 1), fnv1a(run().chain_name)));
}

namespace {

void flush_to_disk(const std::filesystem::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) throw RunError(fmt::format("{}: {}", path.string(), std::strerror(errno)));
  const int failed = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (failed != 0) throw RunError(fmt::format("{}: {}", path.string(), std::strerror(error)));
}

}  // namespace

void publish_file(const std::filesystem::path& temporary,
                  const std::filesystem::path& destination) {
  flush_to_disk(temporary, O_RDONLY);
  if (::rename(temporary.c_str(), destination.c_str()) != 0) {
    throw RunError(fmt::format("cannot rename {} to {}: {}", temporary.string(),
                               destination.string(), std::strerror(errno)));
  }
  const std::filesystem::path folder = destination.parent_path();
  flush_to_disk(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
}

}  // namespace qsohost::inline v1
