// The objects of a relation: their y, its error and regressors, and which of them are used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "relate/posterior_nodes.hpp"
#include "report/run_products.hpp"

namespace qsohost::cli {

struct SampleOptions {
  std::string y = "logD";                // or logtau, logsigma
  std::vector<std::string> x;            // columns, loglambda, log1pz
  std::vector<std::string> cuts;         // see Cut
  std::filesystem::path catalog;         // a table besides the run's products; may be empty
  std::string catalog_id = "source_id";  // its column of identifiers
  // Regressors below this are missing, by name.
  std::map<std::string, double> min_valid{};
  std::map<std::string, double> wavelength{};  // Angstrom, by group: "ps1.g"
};

// One row for each row of the fit products, in their order.
struct Sample {
  std::vector<std::string> fits;  // labels of the products: "loo.ztf.g"
  Quantity y_quantity = kLogD, partner_quantity = kLogTau;
  std::string frame;                // "rest frame", "observed frame"
  std::vector<std::string> x_name;  // as asked for
  std::vector<std::string> x_from;  // the column and file

  std::vector<std::string> source_id;
  std::vector<std::size_t> fit;  // position in `fits`
  std::vector<double> y, y_err, partner;
  std::vector<std::vector<double>> x;  // a column for each regressor
  std::vector<double> z;
  // Why rows are left out: why[i] is 0 if row i is used, else 1 + position in `reasons`.
  std::vector<std::string> reasons;
  std::vector<std::uint8_t> why;
  std::vector<std::string> notes;
  // For the posteriors, in the order of `fits`.
  std::vector<Product> products;

  std::vector<std::size_t> used() const;  // rows
};

Quantity quantity_called(const std::string& name);  // throws UsageError

// Whether these are results of a damped random walk, which has sigma and tau.
bool has_sigma_and_tau(const Product& fit);

// Throws UsageError for names that are unknown, RunError for tables that cannot be joined.
Sample read_sample(const RunProducts& run, const Product& fit, const SampleOptions& options);
// Rows of both; they have been read with the same options.
void append(Sample& all, Sample more);

// The posteriors of rows, as far as they have one.
struct SamplePosteriors {
  PosteriorNodes nodes;
  std::vector<std::size_t> rows;
};

// Of the rows listed. Throws RunError, which says what to do, if a product has no nodes.
SamplePosteriors read_posteriors(const Sample& sample, const std::vector<std::size_t>& rows);

}  // namespace qsohost::cli
