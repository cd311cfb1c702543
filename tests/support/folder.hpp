// A folder of a test's own, gone at its end, and the message of an error.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include <qsohost/error.hpp>

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "qsohost-test-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw qsohost::RunError("no temporary folder");
    path = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path operator/(const std::string& name) const { return path / name; }
};

// The message of the error that `f` throws.
template <class F>
std::string error_of(const F& f) {
  try {
    f();
  } catch (const qsohost::Error& e) {
    return e.what();
  }
  return "(no error)";
}
