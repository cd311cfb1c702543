// A section of the report page. Each section makes its own pass over the columns that it needs, and
// is empty if the run has nothing to show there.
#pragma once

#include <string>
#include <vector>

#include "plot/figure.hpp"
#include "report/run_products.hpp"

namespace qsohost::cli {

struct ReportTable {
  std::string title;
  std::vector<std::string> names;                // of the columns
  std::vector<std::vector<std::string>> rows{};  // texts as they are; the page escapes them
  bool is_folded = false;                        // details, opened by a click
};

struct Section {
  std::string id;  // letters, digits, '-'
  std::string title;
  std::vector<std::string> paragraphs{};  // plain text, escaped by the page
  std::vector<ReportTable> tables{};
  std::vector<plot::Figure> figures{};
  // Markup of the section's own (the light curves), trusted: whoever makes it has escaped it.
  std::string markup{};
  bool empty() const {
    return paragraphs.empty() && tables.empty() && figures.empty() && markup.empty();
  }
};

struct ReportOptions {
  std::uint64_t seed = 1;         // of the sample of light curves
  std::size_t light_curves = 60;  // objects in the sample
  // Of the ids of elements in markup, so that a page can have a section twice: letters, digits,
  // '-'.
  std::string id_prefix{};
};

}  // namespace qsohost::cli
