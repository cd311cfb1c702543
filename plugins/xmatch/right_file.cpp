#include "right_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include <qsohost/error.hpp>
#include <qsohost/io/text.hpp>
#include <qsohost/names.hpp>
#include <qsohost/system_reason.hpp>

#include "match_answer.hpp"

namespace xmatch {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void throw_error(const fs::path& path, const char* what) {
  throw qsohost::RunError(
      fmt::format("{}: {}: {}", path.string(), what, qsohost::system_reason(errno)));
}

fs::path temporary_path() {
  std::string pattern = (fs::temp_directory_path() / "qsohost-xmatch-XXXXXX").string();
  const int file = ::mkstemp(pattern.data());
  if (file < 0) throw_error(pattern, "cannot be created");
  ::close(file);
  return pattern;
}

// As services spell them.
bool is_flag(std::string_view cell) {
  constexpr std::array<std::string_view, 4> words{"true", "false", "t", "f"};
  return std::ranges::find(words, qsohost::lower_case(cell)) != words.end();
}

}  // namespace

RightFile::RightFile(const fs::path& folder, const std::string& label) {
  if (folder.empty()) {
    path_ = temporary_path();
  } else {
    std::error_code error;
    fs::create_directories(folder, error);
    path_ = folder / (label + ".csv");
  }
  file_.open(path_, std::ios::binary | std::ios::trunc);
  if (!file_) throw_error(path_, "cannot be created");
}

RightFile::~RightFile() {
  std::error_code ignored;
  fs::remove(path_, ignored);
}

void RightFile::begin(const std::vector<std::string>& names, const std::vector<std::string>& more) {
  std::string header;
  for (const std::string& name : names) append_cell(header, name, header.empty());
  for (const std::string& name : more) {
    append_cell(header, name, false);
    more_.push_back({name});
  }
  write(header);
}

void RightFile::add(std::string cells, const std::vector<std::string>& more) {
  for (std::size_t i = 0; i < more_.size(); ++i) {
    const std::string_view cell = more.empty() ? std::string_view() : more[i];
    append_cell(cells, cell, false);
    if (qsohost::is_missing(cell)) continue;
    more_[i].has_values = true;
    more_[i].has_others |= !is_flag(cell);
  }
  write(cells);
}

void RightFile::write(const std::string& line) {
  file_ << line << '\n';
  if (!file_) throw_error(path_, "cannot be written");
}

void RightFile::finish() {
  file_.close();
  if (!file_) throw_error(path_, "cannot be written");
}

std::vector<std::string> RightFile::flags() const {
  std::vector<std::string> names;
  for (const More& column : more_) {
    if (column.has_values && !column.has_others) names.push_back(column.name);
  }
  return names;
}

}  // namespace xmatch
