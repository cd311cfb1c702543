// Turns the cells of a light curve, as read from files, into the columns of its group.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <qsohost/io/cells.hpp>
#include <qsohost/io/input_table.hpp>
#include <qsohost/plugin.hpp>

#include "curve_layout.hpp"

namespace curves {

// Of one light curve and some consecutive objects: the cells of its columns in order, and where
// they come from.
struct CurveCells {
  std::vector<qsohost::Cells> columns{};
  std::vector<const qsohost::InputTable*> tables{};  // of each column
  std::uint64_t first = 0;  // row of the first object, in tables with one row an object
  std::vector<std::uint64_t> numbers{};  // rows of the epochs, in a table with one row an epoch
};

// What was found in a light curve's values so far.
struct CurveReport {
  std::uint64_t epochs = 0;
  std::uint64_t without_flux = 0;  // flux zero, negative or missing: no magnitude
  double largest_f32_time = 0;     // 0: the times are in double precision
};

// Appends to the group. Arrays of fixed width end at the last epoch that has a number. Throws
// RunError, with file and row: columns of different lengths, and times that cannot be of the
// group's time system.
void add_curve(const Curve& curve, CurveCells cells, qsohost::Group& group, CurveReport& report);

// What the user should know, for the log.
std::vector<std::string> warnings_of(const Curve& curve, const CurveReport& report);

}  // namespace curves
