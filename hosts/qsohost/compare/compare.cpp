#include "compare/compare.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <limits>
#include <map>
#include <optional>

#include "compare/compare_table.hpp"
#include "compare/fitter_layout.hpp"
#include "compare/scores.hpp"
#include "qsohost/error.hpp"
#include "qsohost/io/fits.hpp"
#include "qsohost/light_curve_fitter.hpp"

namespace qsohost::cli {

namespace {

class Comparison {
 public:
  Comparison(const Chain& chain, std::filesystem::path file, Flagged flagged)
      : chain_(chain), file_(std::move(file)), flagged_(flagged) {
    const auto& stages = chain.stages();
    for (std::size_t i = 0; i < stages.size(); ++i) {
      if (stages[i].offer.role == Role::Fitter) layouts_.push_back(layout_of(stages[i], i));
    }
  }

  void add(const Batch& batch, const std::vector<FitterWork>& work) {
    if (!scores_) start(batch);
    std::deque<Column> columns = empty_columns(batch.objects().at("source_id").dtype());
    for (std::size_t row = 0; row < batch.rows(); ++row) {
      for (std::size_t g = 0; g < groups_.size(); ++g) add_curve(batch, row, g, work, columns);
    }
    table_->add(columns);
  }

  void finish(CompareReport& report) {
    if (!table_) return;
    table_->finish();
    report.table = file_;
    report.fitters = scores_->fitters();
    report.pairs = scores_->pairs();
    add_notes(report);
  }

 private:
  void add_notes(CompareReport& report) const {
    if (groups_.empty())
      report.notes.emplace_back(
          "no fitter gives a number for a light curve: there is nothing to compare");
    for (const FitterLayout& layout : layouts_) {
      if (!layout.has_two_fits()) continue;
      report.notes.push_back(
          layout.label +
          ": its fits of all epochs (..._full) are compared; those of the epochs "
          "kept (..._post, n_epochs - n_removed epochs) cannot be, as no other "
          "fitter has fitted just these; they are in the table");
    }
    const auto has_jitter = [&](const FitterLayout& layout) {
      return std::ranges::any_of(report.fitters, [&](const FitterScore& score) {
        return score.fitter == layout.label && score.with_jitter > 0;
      });
    };
    for (auto a = layouts_.begin(); a != layouts_.end(); ++a) {
      for (auto b = a + 1; b != layouts_.end(); ++b) {
        if (const std::string note = note_on_means(*a, *b); !note.empty())
          report.notes.push_back(note);
        if (!a->has("loglike") || !b->has("loglike") || has_jitter(*a) == has_jitter(*b)) continue;
        report.notes.push_back(fmt::format(
            "{} fits a jitter, {} does not: where errors are too small, that alone may decide",
            has_jitter(*a) ? a->label : b->label, has_jitter(*a) ? b->label : a->label));
      }
    }
    if (flagged_ == Flagged::Compared &&
        std::ranges::any_of(report.fitters, [](const FitterScore& f) { return f.flagged > 0; }))
      report.notes.push_back(
          "flagged light curves are compared like others; --leave-out-flagged leaves them out");
  }

  // The order of columns: the common ones, then the results of the first fitter, and so on.
  void start(const Batch& batch) {
    for (const FitterLayout& layout : layouts_) {
      for (const std::string& group : layout.groups) {
        if (std::ranges::find(groups_, group) == groups_.end()) groups_.push_back(group);
      }
    }
    for (const ResultColumn& c : fit_column::kEveryLikelihood) {
      if (c.dtype == DType::F64) add_number(std::string(c.name), c.unit, c.help);
    }
    for (const FitterLayout& layout : layouts_) {
      for (const Port& port : chain_.stages()[layout.stage].ports.added()) {
        const std::string name = port.name.substr(port.name.rfind('.') + 1);
        if (port.group.empty() && layout.results.contains(name) && port.dtype == DType::F64)
          add_number(name, port.unit, port.help);
      }
    }
    std::vector<std::string> labels;
    for (const FitterLayout& layout : layouts_) labels.push_back(layout.label);
    scores_.emplace(Scores::Names{groups_, std::move(labels), names_}, flagged_,
                    [&](std::size_t a, std::size_t b, std::size_t i) {
                      const std::string& name = names_[i];
                      return is_compared(name) && layouts_[a].has(name) && layouts_[b].has(name) &&
                             (!is_likelihood(name) || are_alike(layouts_[a], layouts_[b]));
                    });
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
    add("n_removed", DType::I32, "", "of these, removed; results ..._post are without them");
    add("n_parameters", DType::I32, "", "parameters of the model, the mean among them");
    add("flags", DType::I32, "", "of the fitter; see qsohost inspect");
    add("seconds", DType::F64, "s", "CPU time of the fit");
    add("failure", DType::String, "", "why there are no results");
    for (const ColumnInfo& info : numbers_) columns.emplace_back(info);
    return columns;
  }

  void add_curve(const Batch& batch, std::size_t row, std::size_t group_place,
                 const std::vector<FitterWork>& work, std::deque<Column>& columns) {
    const std::string& group = groups_[group_place];
    std::vector<ComparedFit> fits;
    for (std::size_t f = 0; f < layouts_.size(); ++f) {
      const FitterLayout& layout = layouts_[f];
      ComparedFit& fit = fits.emplace_back(fit_of(batch, row, group, layout, work.at(f)));
      auto cell = columns.begin();
      (cell++)->append_cells(batch.objects().at("source_id"), row, 1);
      const Group* epochs = batch.find_group(group);
      (cell++)->append_string(group);
      (cell++)->append_string(epochs == nullptr ? "" : epochs->info().band);
      (cell++)->append_string(layout.label);
      append_integer(fit.n_epochs, *cell++);
      append_integer(integer(batch, layout, group, "n_removed", row), *cell++);
      append_integer(integer(batch, layout, group, "n_parameters", row), *cell++);
      append_integer(integer(batch, layout, group, "flags", row), *cell++);
      (cell++)->append<double>(fit.seconds);
      (cell++)->append_string(fit.failure);
      for (const double value : fit.values) (cell++)->append<double>(value);
    }
    scores_->add(group_place, fits);
  }

  static const Column* find(const Batch& batch, const FitterLayout& layout,
                            const std::string& group, const std::string& name) {
    const std::string prefix = layout.label + "." + (group.empty() ? "" : group + ".");
    const Column* column = batch.objects().find(prefix + layout.own_name(name));
    return column != nullptr && column->width() == 1 ? column : nullptr;
  }

  static std::optional<std::int32_t> integer(const Batch& batch, const FitterLayout& layout,
                                             const std::string& group, const char* name,
                                             std::size_t row) {
    const Column* column = find(batch, layout, group, name);
    if (column == nullptr || column->dtype() != DType::I32) return std::nullopt;
    return column->values<std::int32_t>()[row];
  }

  static double number(const Batch& batch, const FitterLayout& layout, const std::string& group,
                       const std::string& name, std::size_t row) {
    const Column* column = find(batch, layout, group, name);
    const bool is_number = column != nullptr && column->dtype() == DType::F64;
    return is_number ? column->number(row) : std::numeric_limits<double>::quiet_NaN();
  }

  static void append_integer(std::optional<std::int32_t> value, Column& to) {
    if (value)
      to.append<std::int32_t>(*value);
    else
      to.append_null();
  }

  ComparedFit fit_of(const Batch& batch, std::size_t row, const std::string& group,
                     const FitterLayout& layout, const FitterWork& work) const {
    ComparedFit fit;
    // A fitter that adds only arrays names no light curves: its time is split among all.
    const auto& curves = layout.groups.empty() ? groups_ : layout.groups;
    fit.seconds = work.seconds.at(row) / static_cast<double>(curves.size());
    bool any = false;
    for (const std::string& name : names_) {
      fit.values.push_back(number(batch, layout, group, name, row));
      any |= is_compared(name) && std::isfinite(fit.values.back());
    }
    fit.n_epochs = integer(batch, layout, group, "n_epochs", row);
    fit.log_jitter = number(batch, layout, group, "log_jitter", row);
    fit.flags = integer(batch, layout, group, "flags", row).value_or(0);
    fit.failure = work.reasons.at(row);
    if (fit.failure.empty()) fit.failure = failure_of(fit.flags);
    if (fit.failure.empty() && !any) fit.failure = "no results";
    return fit;
  }

  const Chain& chain_;
  std::filesystem::path file_;
  Flagged flagged_;
  std::vector<FitterLayout> layouts_;
  std::vector<std::string> groups_;
  std::vector<std::string> names_;   // of numbers, in the order of the table
  std::vector<ColumnInfo> numbers_;  // the same
  std::optional<Scores> scores_;
  std::unique_ptr<CompareTable> table_;
};

}  // namespace

CompareReport compare(Chain& chain, RunOptions options, const std::filesystem::path& table,
                      Flagged flagged) {
  CompareReport report;
  // Ports are final once the source is open, which is before the first batch.
  std::optional<Comparison> comparison;
  options.dry_run = true;
  options.batch_done = [&](const Batch& batch, const std::vector<FitterWork>& work) {
    if (!comparison) comparison.emplace(chain, table, flagged);
    comparison->add(batch, work);
  };
  report.run = run(chain, options);
  if (report.run.end != RunEnd::Failed && comparison) comparison->finish(report);
  return report;
}

}  // namespace qsohost::cli
