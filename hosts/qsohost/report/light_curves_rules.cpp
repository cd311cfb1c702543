#include "report/light_curves_rules.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <exception>

namespace qsohost::cli {
namespace {

// For filters that were opened to be asked: what they log was in the report of the run.
class QuietContext final : public Context {
 public:
  explicit QuietContext(RunInfo info) : info_(std::move(info)) {}
  const RunInfo& run() const override { return info_; }
  void log(LogLevel /*level*/, std::string_view /*message*/) override {}
  bool stop_requested() const override { return false; }

 private:
  RunInfo info_;
};

bool has_epochs(const Batch& batch, const std::string& group) {
  const Group* left = batch.find_group(group);
  return left != nullptr && left->epochs() > 0;
}

// Filters count the epochs that fail a rule as "failed RULE".
std::string failed_rule(const Counts& counts, const std::string& group) {
  for (const Counts::Entry& entry : counts.entries()) {
    if (entry.item == group && entry.n > 0 && entry.what.starts_with("failed ")) return entry.what;
  }
  return "";
}

}  // namespace

class RemovalRules::OpenFilters {
 public:
  OpenFilters(const Product& product, std::string& problem) {
    plugins_.add_standard_folders();
    std::vector<Problem> problems;
    // The first line of HISTORY names the program.
    chain_ =
        Chain::restore({product.history.begin() + 1, product.history.end()}, plugins_, problems);
    if (!chain_) {
      const auto error = std::ranges::find(problems, false, &Problem::is_warning);
      problem = error == problems.end() ? "the chain cannot be read" : error->message;
      return;
    }
    for (ChainStage& stage : chain_->stages()) open_.push_back(open(stage));
  }
  ~OpenFilters() {
    for (std::size_t i = 0; i < open_.size(); ++i) {
      if (open_[i]) chain_->stages()[i].stage->close();
    }
  }
  OpenFilters(const OpenFilters&) = delete;
  OpenFilters& operator=(const OpenFilters&) = delete;

  // None if the stage is no filter, or cannot be opened here.
  const Filter* filter(std::size_t stage) const {
    return stage < open_.size() && open_[stage]
               ? static_cast<const Filter*>(chain_->stages()[stage].stage.get())
               : nullptr;
  }

 private:
  bool open(ChainStage& stage) {
    if (stage.offer.role != Role::Filter) return false;
    RunInfo info;
    info.chain_name = chain_->settings().name;
    info.schema = stage.before;
    contexts_.push_back(std::make_unique<QuietContext>(std::move(info)));
    try {
      stage.stage->open(*contexts_.back());
      return true;
    } catch (const std::exception&) {
      return false;  // its epochs are told by stage alone
    }
  }

  Plugins plugins_;
  std::optional<Chain> chain_;
  std::vector<std::unique_ptr<QuietContext>> contexts_;
  std::vector<bool> open_;
};

RemovalRules::RemovalRules(const Product& product) : stages_(stages_of(product)) {
  if (stages_.empty()) {
    problem_ = product.file.filename().string() + " does not hold its chain";
    return;
  }
  try {
    filters_ = std::make_unique<OpenFilters>(product, problem_);
  } catch (const std::exception& error) {
    problem_ = error.what();
  }
}

RemovalRules::~RemovalRules() = default;

void RemovalRules::find(Removal& removal, const std::string& group,
                        const std::function<Batch()>& epoch) const {
  for (std::size_t i = removal.first; filters_ && i <= removal.last; ++i) {
    const Filter* filter = filters_->filter(i);
    if (filter == nullptr) continue;
    Batch batch = epoch();
    Counts counts;
    try {
      filter->apply_where_possible(batch, counts);
    } catch (const std::exception&) {
      continue;  // it needs what products do not hold, such as the column `keep` of a fitter
    }
    if (has_epochs(batch, group)) continue;
    const std::string rule = failed_rule(counts, group);
    removal = {i, i, stages_[i].label + (rule.empty() ? "" : ": " + rule)};
    return;
  }
}

}  // namespace qsohost::cli
