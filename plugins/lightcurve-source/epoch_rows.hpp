// A table with one row an epoch; objects are in the order of their first rows. File and layout must
// live as long.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <qsohost/io/grouped_rows.hpp>
#include <qsohost/plugin.hpp>

#include "curve_input.hpp"

namespace curves {

class EpochRows final : public CurveInput {
 public:
  // Reads all identifiers and bands, and sorts the rows if needed; see GroupedRows.
  EpochRows(InputFile& file, const Layout& layout, qsohost::Context& context);

  std::uint64_t objects() const override { return rows_.objects(); }
  qsohost::Column ids(std::uint64_t first, std::uint64_t count) override {
    return rows_.ids(first, count);
  }
  // Throws RunError if a column of objects has different values in the rows of an object.
  ObjectCurves read(std::uint64_t first, std::uint64_t count) override;

 private:
  const qsohost::Column& column(const qsohost::ObjectRows& rows, std::size_t field) const;
  qsohost::Column one_per_object(const qsohost::ObjectRows& rows, const Origin& origin) const;
  std::vector<std::string> bands_of(const qsohost::ObjectRows& rows) const;
  CurveCells cells_of(const qsohost::ObjectRows& rows, const Curve& curve,
                      const std::vector<std::string>& bands) const;

  InputFile& file_;
  const Layout& layout_;
  std::vector<std::size_t> fields_;  // to be read, sorted
  qsohost::GroupedRows rows_;
};

}  // namespace curves
