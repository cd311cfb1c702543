#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include "qsohost/error.hpp"
#include "qsohost/system_reason.hpp"
#include "run/crash.hpp"
#include "run/crash_descriptor.hpp"

namespace qsohost::inline v1 {

namespace fs = std::filesystem;

namespace {

std::vector<std::string> lines_of(const fs::path& file) {
  std::vector<std::string> lines;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.find('\t') != std::string::npos) lines.push_back(std::move(line));
  }
  return lines;
}

int open_to_append(const fs::path& file) {
  const int out =
      ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (out >= 0) return out;
  throw RunError(fmt::format("{}: cannot be written: {}", file.string(), system_reason(errno)));
}

}  // namespace

CrashFile::CrashFile(fs::path file)
    : file_(std::move(file)), descriptor_(open_to_append(file_)), lines_(lines_of(file_)) {
  crash_descriptor = descriptor_;
}

CrashFile::~CrashFile() {
  crash_descriptor = -1;
  ::close(descriptor_);
  std::error_code ignored;
  if (lines_.empty()) fs::remove(file_, ignored);
}

void CrashFile::committed(std::uint64_t batch) {
  const std::string begin = fmt::format("{}\t", batch);
  const auto gone =
      std::erase_if(lines_, [&](const std::string& line) { return line.starts_with(begin); });
  if (gone > 0) rewrite();
}

void CrashFile::clear() {
  if (lines_.empty()) return;
  lines_.clear();
  rewrite();
}

// If writing fails, a crash is reported once too often, which must not end a run.
void CrashFile::rewrite() {
  std::string text;
  for (const std::string& line : lines_) text += line + "\n";
  if (::ftruncate(descriptor_, 0) != 0) return;
  [[maybe_unused]] const ssize_t written = ::write(descriptor_, text.data(), text.size());
}

std::vector<std::string> CrashFile::read(const fs::path& file) {
  std::vector<std::string> messages;
  for (const std::string& line : lines_of(file)) {
    std::string words = line.substr(line.find('\t') + 1);
    if (std::ranges::find(messages, words) == messages.end()) messages.push_back(std::move(words));
  }
  return messages;
}

}  // namespace qsohost::inline v1
