// What tests of FITS files share: a folder of their own, and a second opinion on a file.
#pragma once

#include <sys/wait.h>
#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "folder.hpp"

inline std::string bytes_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
  std::ofstream(file, std::ios::binary) << bytes;
}

// Runs check_fits.py (astropy, fitsverify); what it printed, after a failed check if it objects.
inline std::string second_opinion(const std::filesystem::path& file, const std::string& options) {
  if (std::system("/usr/bin/python3 -c 'import astropy' 2>/dev/null") != 0) {
    WARN("skipped: python3 with astropy is not installed");
    return "";
  }
  const std::string command =
      "/usr/bin/python3 '" CHECK_FITS "' '" + file.string() + "' " + options + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  char buffer[4096];
  while (std::fgets(buffer, sizeof buffer, pipe) != nullptr) output += buffer;
  const int status = ::pclose(pipe);
  INFO(command << "\n" << output);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  return output;
}
