// Runs of lightcurve-source on given files.
#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <string>
#include <utility>
#include <vector>

#include <qsohost/testing.hpp>

#include "folder.hpp"

using Options = std::vector<std::pair<std::string, std::string>>;

inline Options reading(const std::vector<std::string>& paths, Options more = {}) {
  more.insert(more.begin(), {"paths", fmt::format("[\"{}\"]", fmt::join(paths, "\", \""))});
  return more;
}

inline std::string refusal(const std::vector<std::string>& paths, const Options& more = {}) {
  return error_of([&] {
    qsohost::Harness h("lightcurve-source", reading(paths, more));
    h.run();
  });
}

inline std::vector<double> numbers(const qsohost::Column& column) {
  std::vector<double> out;
  for (std::size_t i = 0; i < column.size(); ++i) out.push_back(column.number(i));
  return out;
}
