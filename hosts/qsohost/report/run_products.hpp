// The products of a run, found by their headers, and read in blocks of rows. What a report, a plot
// or a regression knows of a run comes from here and from run_status().
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/host/run.hpp"
#include "qsohost/io/fits_epochs.hpp"
#include "qsohost/io/input_table.hpp"

namespace qsohost::cli {

enum class ProductKind : std::uint8_t {
  LightCurves,  // has the keywords of fits_epochs.hpp
  Fit,          // results of one fitter for one light curve: log_sigma or log_sigma_post, ...
  JointFit,     // results of one fitter for all bands: log_tau and log_sigma_<survey>_<band>
  Catalogue,    // other columns of objects: called "catalog", or with ra and dec
  Other,
};

struct Product {
  std::filesystem::path file;
  ProductKind kind = ProductKind::Other;
  std::string extension{};  // EXTNAME: "catalog", "loo.ztf.g"
  std::string stage{};      // of a fit: the label, "loo"
  std::string group{};      // of a fit: "ztf.g"; "" of a joint one
  std::uint64_t rows = 0;
  std::vector<InputColumn> columns{};
  FitsEpochs epochs{};                 // of light curves
  std::vector<std::string> history{};  // the chain as the header tells it
};

// One block of rows of some columns; a column that the product lacks is absent.
struct Rows {
  std::uint64_t first = 0;  // position of the first row in the file
  std::uint64_t count = 0;
  std::vector<Cells> columns;  // in the order asked for
  std::filesystem::path file;  // for messages

  // A value a row, of the column at this position in the order asked for; numbers are NaN where
  // missing. Throw RunError for a column with another number of values.
  std::vector<double> numbers(std::size_t column) const;
  std::vector<std::string> texts(std::size_t column) const;  // integers as digits
  // Of arrays, or of fixed cells: the values of all rows.
  std::vector<double> array_numbers(std::size_t column) const;
  std::uint64_t length(std::size_t column, std::uint64_t row) const;
  // Throws RunError where another of these columns has not as many values as the first.
  void require_equal_lengths(std::initializer_list<std::size_t> columns) const;

 private:
  const Column& one_per_row(std::size_t column) const;
};

class RunProducts {
 public:
  // `folder`: a run directory, or any folder with products. Files that are no FITS tables, and
  // tables that no one here wrote, are told in `left_out`. Throws UsageError if it is no folder.
  explicit RunProducts(const std::filesystem::path& folder);

  const std::filesystem::path& folder() const { return folder_; }
  const std::string& chain() const { return chain_; }                 // its name
  const std::vector<Product>& products() const { return products_; }  // by name of file
  const std::vector<std::string>& left_out() const { return left_out_; }
  // From run.db; none if the folder has none.
  const std::optional<RunStatus>& status() const { return status_; }

  // The fits of single light curves, or the joint ones.
  std::vector<const Product*> of_kind(ProductKind kind) const;

 private:
  std::filesystem::path folder_;
  std::string chain_;
  std::vector<Product> products_;
  std::vector<std::string> left_out_;
  std::optional<RunStatus> status_;
};

// Reads columns of a product in blocks of at most `block` rows, in the order of the file. Names
// that the product lacks are a RunError.
void each_block(const Product& product, std::span<const std::string> columns,
                const std::function<void(const Rows&)>& visit, std::uint64_t block = 8192);
// The first of these names that the product has.
std::optional<std::string> first_column(const Product& product,
                                        std::initializer_list<std::string_view> names);

}  // namespace qsohost::cli
