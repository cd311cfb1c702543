// The report page of a run, or of two side by side.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "report/section.hpp"

namespace qsohost::cli {

struct ReportRequest {
  std::vector<std::filesystem::path> runs;  // one or two
  ReportOptions options{};
  std::string title{};            // empty: names of the chains
  std::filesystem::path plots{};  // more plots, see plots_file.hpp; may be empty
  // One: beside the catalogue of the first run. Two: beside each other.
  std::vector<std::filesystem::path> catalogs{};
  // Called before each section.
  std::function<void(std::size_t position, std::size_t count, std::string_view title)> progress{};
};

struct Report {
  std::string html;
  // What the page leaves out and why: files that are no products, sections that failed. The page
  // says it too.
  std::vector<std::string> left_out;
};

// Throws UsageError for a folder that does not exist or has no product and no run, and for a
// mistake in the file of plots. What is wrong with single products is in `left_out`.
Report make_report(const ReportRequest& request);

}  // namespace qsohost::cli
