#include "input_files.hpp"

#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/io/identifiers.hpp>
#include <qsohost/io/input_table.hpp>

namespace curves {

namespace {

using qsohost::Column;
using qsohost::RunError;

constexpr const char* kAdvice =
    "the files must have the same objects in the same order: write them in one run, or with the "
    "same sort_by and drop_empty";

void compare(InputFile& first, InputFile& other) {
  if (first.table.rows() != other.table.rows()) {
    throw RunError(fmt::format("{} has {} rows, but {} has {}; {}", other.name, other.table.rows(),
                               first.name, first.table.rows(), kAdvice));
  }
  qsohost::for_each_id(other.table, other.id, [&](const Column& theirs, std::uint64_t row) {
    const Column ours =
        qsohost::id_column(first.table.read(row, theirs.size(), std::span(&first.id, 1))[0].values);
    for (std::size_t i = 0; i < theirs.size(); ++i) {
      const std::string a = qsohost::id_text(ours, i);
      const std::string b = qsohost::id_text(theirs, i);
      if (a == b) continue;
      throw RunError(fmt::format("{}: row {} is object {}, but {} has {} there; {}", other.name,
                                 row + i + 1, b, first.name, a, kAdvice));
    }
  });
}

}  // namespace

std::vector<InputFile> open_files(const std::vector<std::filesystem::path>& paths,
                                  const std::string& hdu, const std::string& id) {
  std::vector<InputFile> files;
  for (const std::filesystem::path& path : paths) {
    qsohost::InputTable table(path, hdu);
    const std::size_t position = qsohost::find_id(table, id);
    files.push_back({path.string(), std::move(table), position});
  }
  return files;
}

void require_aligned(std::vector<InputFile>& files, std::string_view advice) {
  for (std::size_t i = 1; i < files.size(); ++i) compare(files[0], files[i]);
  // Called only because it throws on duplicate objects.
  qsohost::index_ids(files[0].table, files[0].id, advice);
}

bool holds_epochs(const qsohost::InputColumn& column) {
  return column.is_array || column.info.width > 1;
}

}  // namespace curves
