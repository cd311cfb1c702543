// The matched rows of the right table on disk, so that memory does not grow with them: a table in
// CSV, removed at the end.
#pragma once

#include <cstddef>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace xmatch {

class RightFile {
 public:
  // In this folder; "": in that for temporary files. Throws RunError, here and below, which names
  // the file.
  RightFile(const std::filesystem::path& folder, const std::string& label);
  ~RightFile();
  RightFile(const RightFile&) = delete;
  RightFile& operator=(const RightFile&) = delete;

  // `names`: of the service's columns; `more`: of those from TAP, which may be flags.
  void begin(const std::vector<std::string>& names, const std::vector<std::string>& more);
  // `cells` in CSV; `more` as TAP has them, empty if it has none.
  void add(std::string cells, const std::vector<std::string>& more);
  void finish();

  const std::filesystem::path& path() const { return path_; }
  // Those columns from TAP that have nothing but flags.
  std::vector<std::string> flags() const;

 private:
  void write(const std::string& line);

  std::filesystem::path path_;
  std::ofstream file_;
  struct More {
    std::string name;
    bool has_values = false;
    bool has_others = false;  // than flags
  };
  std::vector<More> more_;
};

}  // namespace xmatch
