// The light-curve products of a run in the order of its chain, and the rows of sampled objects in
// a product.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "report/run_products.hpp"

namespace qsohost::cli {

// A stage as HISTORY tells it: "stage loo = ou-loo (ou 0.1.0)".
struct HistoryStage {
  std::string label, use;
};
// In the order of the chain, the sink that wrote the product last; none if it has no such HISTORY.
std::vector<HistoryStage> stages_of(const Product& product);

// Whether the product has the column, with one value a row: tables of other programs may have
// arrays under our names.
bool has_one_value(const Product& product, std::string_view column);

// Whether the chain that wrote `later` had written `earlier` before: HISTORY goes on where the
// other's ends.
bool is_earlier_in_chain(const Product& earlier, const Product& later);

// The products with light curves of one survey, each a later stage of the same chain than the one
// before, all with times of one system.
struct SurveyCurves {
  std::string survey;
  std::vector<const Product*> products;
  std::vector<std::string> notes{};  // products that could not be compared, and why
};
std::vector<SurveyCurves> curves_by_survey(const RunProducts& run);

// The columns of a product for objects found by source_id, which costs one pass over that column.
class SampledRows {
 public:
  // A product without identifiers, one a row, has none of the objects.
  SampledRows(const Product& product, const std::set<std::string>& ids);

  const Product& product() const { return *product_; }
  bool has(const std::string& id) const { return rows_.contains(id); }
  // The cells of one object; of columns that the product has. `id` must be there.
  std::vector<Cells> read(const std::string& id, const std::vector<std::string>& columns);

 private:
  const Product* product_;
  InputTable table_;
  std::map<std::string, std::uint64_t> rows_;  // of the first row with the identifier
};

}  // namespace qsohost::cli
