#include <fmt/format.h>

#include <deque>
#include <limits>

#include "compare/compare_table.hpp"
#include "relate/relation_files.hpp"

namespace qsohost::cli {
namespace {

std::string unit_of(const Sample& sample) {
  if (sample.y_quantity.name == kLogD.name) return "mag2/d";
  return sample.y_quantity.name == kLogTau.name ? "d" : "mag";
}

std::deque<Column> empty_columns(const Sample& sample) {
  const std::string y(sample.y_quantity.name);
  std::deque<Column> out;
  const auto add = [&](std::string name, DType dtype, std::string description) {
    out.emplace_back(ColumnInfo{std::move(name), dtype, "", std::move(description)});
  };
  add("source_id", DType::String, "identifier of the object");
  add("fit", DType::String, "product of fits that the row is of");
  add("y", DType::F64,
      fmt::format("log10 of {} in {}, of the best fit", y.substr(3), unit_of(sample)));
  add("y_err", DType::F64, "standard error of y, dex");
  for (std::size_t k = 0; k < sample.x.size(); ++k) {
    add("x_" + sample.x_name[k], DType::F64, "regressor: " + sample.x_from[k]);
  }
  add("used", DType::Bool, "whether the row is used");
  add("left_out", DType::String, "why it is not");
  add("residual", DType::F64, "y minus the robust line, dex");
  add("weight", DType::F64, "Huber's weight in the robust line");
  add("y_population", DType::F64, "mean of y given the posterior and the population");
  return out;
}

// Values of the rows used, brought to all rows; those of the hierarchical fit may lack some.
std::vector<double> spread(const std::vector<double>& values, const std::vector<std::size_t>& rows,
                           std::size_t n) {
  std::vector<double> out(n, std::numeric_limits<double>::quiet_NaN());
  for (std::size_t k = 0; k < values.size(); ++k) out[rows[k]] = values[k];
  return out;
}

std::deque<Column> columns_of(const Relation& r) {
  const Sample& sample = r.sample;
  const std::size_t n = sample.y.size();
  const std::vector<std::size_t> used = sample.used();
  const std::vector<double> residual = spread(r.robust.residual, used, n);
  const std::vector<double> weight = spread(r.robust.weight, used, n);
  std::vector<double> mean(n, std::numeric_limits<double>::quiet_NaN());
  if (r.hierarchical) mean = spread(r.hierarchical->mean, r.hierarchical_rows, n);
  std::deque<Column> out = empty_columns(sample);
  for (std::size_t i = 0; i < n; ++i) {
    std::size_t c = 0;
    out[c++].append_string(sample.source_id[i]);
    out[c++].append_string(sample.fits[sample.fit[i]]);
    out[c++].append(sample.y[i]);
    out[c++].append(sample.y_err[i]);
    for (const std::vector<double>& x : sample.x) out[c++].append(x[i]);
    out[c++].append(sample.why[i] == 0);
    out[c++].append_string(sample.why[i] == 0 ? "" : sample.reasons[sample.why[i] - 1]);
    out[c++].append(residual[i]);
    out[c++].append(weight[i]);
    out[c++].append(mean[i]);
  }
  return out;
}

}  // namespace

void write_relation_table(const std::filesystem::path& file,
                          const std::vector<Relation>& relations) {
  const FitsHeader header{"relation", {}, {}};
  const auto table = make_compare_table(file, header, empty_columns(relations.front().sample));
  for (const Relation& r : relations) table->add(columns_of(r));
  table->finish();
}

}  // namespace qsohost::cli
