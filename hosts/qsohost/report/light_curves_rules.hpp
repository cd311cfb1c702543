// Which stage of a chain removes an epoch, and by which of its rules: the filters of the chain are
// asked themselves.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "qsohost/host/chain.hpp"
#include "report/light_curves_products.hpp"

namespace qsohost::cli {

// Where an epoch was removed.
struct Removal {
  // Positions in the chain: it was there before stage `first`, and gone after stage `last`.
  std::size_t first = 0, last = 0;
  std::string
      rule{};  // "quality: failed airmass", or the stages, "between raw and cleaned"; "": kept
  bool is_kept() const { return rule.empty(); }
};

class RemovalRules {
 public:
  // The chain that wrote the product; its filters are loaded if their plugins are found.
  explicit RemovalRules(const Product& product);
  ~RemovalRules();
  RemovalRules(const RemovalRules&) = delete;
  RemovalRules& operator=(const RemovalRules&) = delete;

  // Why rules are not known, only stages; "" if they are.
  const std::string& problem() const { return problem_; }

  // Sets stages and rule of a removal, if a filter between its stages removes the epoch: that of
  // light curve `group`, the only epoch in the batches that `epoch` makes. An epoch that fails
  // several rules counts for the first.
  void find(Removal& removal, const std::string& group, const std::function<Batch()>& epoch) const;

 private:
  class OpenFilters;
  std::vector<HistoryStage> stages_;
  std::unique_ptr<OpenFilters> filters_;
  std::string problem_;
};

}  // namespace qsohost::cli
