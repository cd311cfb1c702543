#include "text_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include "qsohost/error.hpp"
#include "qsohost/system_reason.hpp"

namespace qsohost::cli {

namespace fs = std::filesystem;

void write_text_file(const fs::path& file, const std::string& text) {
  const fs::path part = file.string() + ".part";
  errno = 0;
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  std::error_code error;
  if (out) fs::rename(part, file, error);
  if (out && !error) return;
  const std::string cause = system_reason(error ? error.value() : errno);
  fs::remove(part, error);
  throw RunError(fmt::format("{}: cannot be written: {}; check its folder and the free space",
                             file.string(), cause));
}

std::string read_text_file(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace qsohost::cli
