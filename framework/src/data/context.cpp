#include "qsohost/context.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string_view>

#include "base/fnv.hpp"
#include "base/secrets.hpp"
#include "qsohost/error.hpp"
#include "qsohost/system_reason.hpp"

namespace qsohost::inline v1 {

Context::~Context() = default;

namespace {

std::string secret_of_variable(const std::string& variable) {
  if (const char* value = std::getenv(variable.c_str())) return value;
  throw RunError(
      fmt::format("the environment variable '{}', which should hold a secret, is not set (or give "
                  "the option \"file:PATH\")",
                  variable));
}

std::string secret_of_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (in && text << in.rdbuf()) return text.str();
  throw RunError(
      fmt::format("the file {}, which should hold a secret, cannot be read, or is empty; check its "
                  "path and its permissions",
                  path));
}

}  // namespace

std::string Context::secret(const Secret& secret) const {
  constexpr std::string_view file = "file:";
  std::string text = secret.where.starts_with(file)
                         ? secret_of_file(secret.where.substr(file.size()))
                         : secret_of_variable(secret.where);
  // Files of secrets end with a line break, which is not part of the secret.
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  if (text.empty()) {
    throw RunError(fmt::format("'{}', which should hold a secret, is empty; set it", secret.where));
  }
  note_secret(text, secret.where);
  return text;
}

namespace {

void flush_to_disk(const std::filesystem::path& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0)
    throw RunError(fmt::format("{}: cannot be opened: {}", path.string(), system_reason(errno)));
  const int failed = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  if (failed != 0)
    throw RunError(fmt::format("{}: cannot be written: {}", path.string(), system_reason(error)));
}

}  // namespace

void publish_file(const std::filesystem::path& temporary,
                  const std::filesystem::path& destination) {
  flush_to_disk(temporary, O_RDONLY);
  if (::rename(temporary.c_str(), destination.c_str()) != 0) {
    throw RunError(fmt::format("cannot rename {} to {}: {}", temporary.string(),
                               destination.string(), system_reason(errno)));
  }
  const std::filesystem::path folder = destination.parent_path();
  flush_to_disk(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
}

}  // namespace qsohost::inline v1
