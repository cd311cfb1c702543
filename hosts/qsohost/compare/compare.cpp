#include "compare/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <optional>

#include "compare/compare_table.hpp"
#include "compare/scores.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/fits.hpp"
#include "qsohost/light_curve_fitter.hpp"

namespace qsohost::cli {

namespace {

// Results that are not parameters of a model, or not the fitter's own: not worth comparing.
bool is_compared(const std::string& name) {
  const auto is_that = [&](const ResultColumn& c) { return c.name == name; };
  return !name.starts_with("err_") && name != "n_parameters" &&
         std::ranges::none_of(fit_column::kEveryCurve, is_that);
}

// Where a fitter stores its results.
struct Layout {
  std::string label;
  std::size_t stage = 0;
  std::vector<std::string> groups;
  std::map<std::string, Port> results;  // by name without "LABEL.GROUP."; of the first group
  // The name itself, or the name of the same result for all epochs.
  std::string own_name(const std::string& name) const {
    return results.contains(name) ? name : name + "_full";
  }
};

Layout layout_of(const ChainStage& stage, std::size_t index) {
  Layout layout{stage.label, index, {}, {}};
  const std::size_t skip = stage.label.size() + 1;
  for (const Port& port : stage.ports.added()) {
    if (!port.group.empty() || !port.name.starts_with(stage.label + ".")) continue;
    const std::size_t dot = port.name.rfind('.');
    const std::string group = dot < skip ? "" : port.name.substr(skip, dot - skip);
    if (std::ranges::find(layout.groups, group) == layout.groups.end())
      layout.groups.push_back(group);
    // Results with several values per object are not compared.
    if (port.width == 1) layout.results.emplace(port.name.substr(dot + 1), port);
  }
  return layout;
}

class Comparison {
 public:
  Comparison(const Chain& chain, std::filesystem::path file)
      : chain_(chain), file_(std::move(file)) {
    const auto& stages = chain.stages();
    for (std::size_t i = 0; i < stages.size(); ++i) {
      if (stages[i].offer.role == Role::Fitter) layouts_.push_back(layout_of(stages[i], i));
    }
  }

  void add(const Batch& batch, const std::vector<FitterWork>& work) {
    if (!scores_) start(batch);
    std::deque<Column> columns = empty_columns(batch.objects().at("source_id").dtype());
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      for (const std::string& group : groups_) add_curve(batch, row, group, work, columns);
    }
    table_->add(columns);
  }

  void finish(CompareReport& report) {
    if (!table_) return;
    table_->finish();
    report.table = file_;
    report.fitters = scores_->fitters();
    report.pairs = scores_->pairs();
  }

 private:
  // The order of columns: the common ones, then the results of the first fitter, and so on.
  void start(const Batch& batch) {
    for (const Layout& layout : layouts_) {
      for (const std::string& group : layout.groups) {
        if (std::ranges::find(groups_, group) == groups_.end()) groups_.push_back(group);
      }
    }
    for (const ResultColumn& c : fit_column::kEveryLikelihood) {
      if (c.dtype == DType::F64) add_number(std::string(c.name), c.unit, c.help);
    }
    for (const Layout& layout : layouts_) {
      for (const Port& port : chain_.stages()[layout.stage].ports.added()) {
        const std::string name = port.name.substr(port.name.rfind('.') + 1);
        if (port.group.empty() && layout.results.contains(name) && port.dtype == DType::F64)
          add_number(name, port.unit, port.help);
      }
    }
    std::vector<std::string> labels;
    std::vector<std::vector<bool>> given;
    for (const Layout& layout : layouts_) {
      labels.push_back(layout.label);
      std::vector<bool>& has = given.emplace_back();
      for (const std::string& name : names_)
        has.push_back(layout.results.contains(layout.own_name(name)) && is_compared(name));
    }
    scores_.emplace(std::move(labels), names_, given);
    FitsHeader header{"comparison",
                      {{"CHAIN", chain_.settings().name, "name of the chain"},
                       {"CHAINHSH", chain_.hash(), "hash of all that decides the results"}},
                      chain_.effective()};
    table_ =
        make_compare_table(file_, header, empty_columns(batch.objects().at("source_id").dtype()));
  }

  void add_number(const std::string& name, std::string_view unit, std::string_view help) {
    if (std::ranges::find(names_, name) != names_.end()) return;
    names_.push_back(name);
    numbers_.push_back({name, DType::F64, std::string(unit), std::string(help)});
  }

  std::deque<Column> empty_columns(DType id) const {
    std::deque<Column> columns;
    const auto add = [&](std::string name, DType dtype, std::string unit, std::string help) {
      columns.emplace_back(ColumnInfo{std::move(name), dtype, std::move(unit), std::move(help), 1});
    };
    add("source_id", id, "", "identifier");
    add("group", DType::String, "", "light curve");
    add("band", DType::String, "", "band of the light curve");
    add("fitter", DType::String, "", "stage that fitted it");
    add("n_epochs", DType::I32, "", "epochs that took part");
    add("n_parameters", DType::I32, "", "parameters of the model, the mean among them");
    add("flags", DType::I32, "", "of the fitter; see qsohost inspect");
    add("seconds", DType::F64, "s", "CPU time of the fit");
    add("failure", DType::String, "", "why there are no results");
    for (const ColumnInfo& info : numbers_) columns.emplace_back(info);
    return columns;
  }

  void add_curve(const Batch& batch, std::size_t row, const std::string& group,
                 const std::vector<FitterWork>& work, std::deque<Column>& columns) {
    std::vector<ComparedFit> fits;
    for (std::size_t f = 0; f < layouts_.size(); ++f) {
      const Layout& layout = layouts_[f];
      ComparedFit& fit = fits.emplace_back(fit_of(batch, row, group, layout, work.at(f)));
      auto cell = columns.begin();
      (cell++)->append_cells(batch.objects().at("source_id"), row, 1);
      const Group* epochs = batch.find_group(group);
      (cell++)->append_string(group);
      (cell++)->append_string(epochs == nullptr ? "" : epochs->info().band);
      (cell++)->append_string(layout.label);
      for (const char* name : {"n_epochs", "n_parameters", "flags"})
        append_integer(find(batch, layout, group, name), row, *cell++);
      (cell++)->append<double>(fit.seconds);
      (cell++)->append_string(fit.failure);
      for (const double value : fit.values) (cell++)->append<double>(value);
    }
    scores_->add(fits);
  }

  static const Column* find(const Batch& batch, const Layout& layout, const std::string& group,
                            const std::string& name) {
    const std::string prefix = layout.label + "." + (group.empty() ? "" : group + ".");
    const Column* column = batch.objects().find(prefix + layout.own_name(name));
    return column != nullptr && column->width() == 1 ? column : nullptr;
  }

  static void append_integer(const Column* from, std::size_t row, Column& to) {
    if (from == nullptr || from->dtype() != DType::I32)
      to.append_null();
    else
      to.append<std::int32_t>(from->values<std::int32_t>()[row]);
  }

  ComparedFit fit_of(const Batch& batch, std::size_t row, const std::string& group,
                     const Layout& layout, const FitterWork& work) const {
    ComparedFit fit;
    // A fitter that adds only arrays names no light curves: its time is split among all.
    const auto& curves = layout.groups.empty() ? groups_ : layout.groups;
    fit.seconds = work.seconds.at(row) / static_cast<double>(curves.size());
    bool any = false;
    for (const std::string& name : names_) {
      const Column* column = find(batch, layout, group, name);
      const bool is_number = column != nullptr && column->dtype() == DType::F64;
      fit.values.push_back(is_number ? column->number(row)
                                     : std::numeric_limits<double>::quiet_NaN());
      any |= is_compared(name) && std::isfinite(fit.values.back());
    }
    fit.failure = work.reasons.at(row);
    const Column* flags = find(batch, layout, group, "flags");
    if (fit.failure.empty() && flags != nullptr && flags->dtype() == DType::I32)
      fit.failure = failure_of(flags->values<std::int32_t>()[row]);
    if (fit.failure.empty() && !any) fit.failure = "no results";
    return fit;
  }

  const Chain& chain_;
  std::filesystem::path file_;
  std::vector<Layout> layouts_;
  std::vector<std::string> groups_;
  std::vector<std::string> names_;   // of numbers, in the order of the table
  std::vector<ColumnInfo> numbers_;  // the same
  std::optional<Scores> scores_;
  std::unique_ptr<CompareTable> table_;
};

}  // namespace

CompareReport compare(Chain& chain, RunOptions options, const std::filesystem::path& table) {
  CompareReport report;
  // Ports are final once the source is open, which is before the first batch.
  std::optional<Comparison> comparison;
  options.dry_run = true;
  options.batch_done = [&](const Batch& batch, const std::vector<FitterWork>& work) {
    if (!comparison) comparison.emplace(chain, table);
    comparison->add(batch, work);
  };
  report.run = run(chain, options);
  if (report.run.end != RunEnd::Failed && comparison) comparison->finish(report);
  return report;
}

}  // namespace qsohost::cli
