// The file of `qsohost report --plots FILE.toml`: more plots of any two columns.
//
//   [[plot]]
//   x = "loglbol"               # columns of one product, or of several: then joined by source_id
//   y = "logD_post"
//   colour = "z"                # optional
//   product = "loo.ztf.g"       # EXTNAME or file; by default the first that has x and y, or x
//   log_x = false               # axes
//   log_y = false
//   cut = "z < 2 and flags = 0" # only these rows; without a value a row does not hold
//   fit = "line"                # Huber's robust line; "none" (default): no line
//   title = "..."
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace qsohost::cli {

// A text of the file and where it is: "plots.toml:3:5".
struct PlacedText {
  std::string text, where;
};

struct CutCondition {
  PlacedText column;
  std::string comparison;  // "<", "<=", ">", ">=", "=", "!="
  double value = 0;

  bool holds(double of_row) const;  // NaN: false
};

struct UserPlot {
  PlacedText x, y, colour, product, cut_text;
  std::string title;
  bool is_log_x = false, is_log_y = false;
  bool has_line = false;
  std::vector<CutCondition> cut{};
};

// Throws UsageError, which names file, line and column.
std::vector<UserPlot> read_plots_file(const std::filesystem::path& file);

// "z < 2 and flags = 0". Throws UsageError, which names the place, the cause and the character of
// the text.
std::vector<CutCondition> parse_cut(const PlacedText& cut);

}  // namespace qsohost::cli
