// The report page: sections put together to one HTML file that needs nothing else. It has no
// reference to any network, its content security policy forbids all but its own script, whose hash
// it names, and every text of the user's data is escaped. Equal runs give equal bytes but for the
// line `made`.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "report/section.hpp"

namespace qsohost::cli {

inline constexpr std::size_t kMostPageBytes = 5'000'000;

struct PageSection {
  std::string id, title;
  // Of each run of the page, or a single one that concerns all of them.
  std::vector<Section> sections;
};

struct Page {
  std::string title;
  std::string made;  // time, host, folders: what differs between pages of equal runs
  std::vector<std::pair<std::string, std::string>> numbers{};  // value and name, below the title
  std::vector<std::string> runs{};                             // names, above the columns
  std::vector<PageSection> sections{};
  // Of sections with markup of their own.
  std::string script{}, style{};
  std::string licences{};
};

// Beyond `most_bytes` the data of figures, then figures, are left out, largest first, and the page
// says so in their places.
std::string html(const Page& page, std::size_t most_bytes = kMostPageBytes);

}  // namespace qsohost::cli
