// Tables with one row an object, which holds arrays of epochs. Files and layout must live as long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "curve_input.hpp"

namespace curves {

class ArrayRows final : public CurveInput {
 public:
  // Of files that passed require_aligned().
  ArrayRows(std::vector<InputFile>& files, const Layout& layout);

  std::uint64_t objects() const override { return files_[0].table.rows(); }
  qsohost::Column ids(std::uint64_t first, std::uint64_t count) override;
  ObjectCurves read(std::uint64_t first, std::uint64_t count) override;

 private:
  std::vector<InputFile>& files_;
  const Layout& layout_;
  std::vector<std::vector<std::size_t>> fields_;  // of each file, to be read
};

}  // namespace curves
