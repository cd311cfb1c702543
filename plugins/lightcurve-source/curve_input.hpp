// Files of light curves, object by object, whatever form the rows have.
#pragma once

#include <cstdint>
#include <vector>

#include <qsohost/column.hpp>

#include "curve_values.hpp"

namespace curves {

// What was read of consecutive objects.
struct ObjectCurves {
  qsohost::Column ids;                     // as id_column() makes them
  std::vector<qsohost::Column> objects{};  // of Layout::objects, in order
  std::vector<CurveCells> curves{};        // of Layout::curves, in order
};

class CurveInput {
 public:
  CurveInput() = default;
  CurveInput(const CurveInput&) = delete;
  CurveInput& operator=(const CurveInput&) = delete;
  virtual ~CurveInput() = default;

  virtual std::uint64_t objects() const = 0;
  // Of objects first to first + count - 1, counted from 0.
  virtual qsohost::Column ids(std::uint64_t first, std::uint64_t count) = 0;
  virtual ObjectCurves read(std::uint64_t first, std::uint64_t count) = 0;
};

}  // namespace curves
