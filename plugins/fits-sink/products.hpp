// The files that a sink writes, and the columns of the batch in each.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <qsohost/io/fits_epochs.hpp>
#include <qsohost/plugin.hpp>

namespace products {

struct ProductColumn {
  qsohost::Port from;  // where it is in the batch
  std::string name;    // in the file
};

struct Product {
  std::string what;
  std::string survey;  // of the epochs; "": a catalogue
  std::string group;   // the fitted one; "" if not a fitter's
  std::string band;    // of the group
  std::vector<ProductColumn> columns;
  std::vector<std::string> epochs;  // groups: a row without epochs in any of them is empty

  std::string key() const { return group.empty() ? what : what + "." + group; }
};

struct Plan {
  std::vector<Product> products;
  std::vector<std::string> problems;  // reported by --check
};

// `what`: "catalog", "targets", a survey, or the label of a fitter. `columns`: those chosen, or
// empty for all of a catalogue or fitter, the default ones of a survey (Port::in_product).
Plan plan_products(const std::string& what, const std::vector<std::string>& columns,
                   const qsohost::Schema& schema);

// What is wrong if it has more columns than a FITS table can; else "". `has_key`: chunks have one
// more, to sort by.
std::string count_problem(const Product& product, bool has_key, const qsohost::Schema& schema);

// The description of its light curves for the header.
qsohost::FitsEpochs epochs_of(const Product& product, const qsohost::Schema& schema);

// The path with {name}, {what}, {survey}, {group} and {band} replaced; an empty pattern is the
// product's default name.
std::string path_of(const Product& product, const std::string& pattern, const std::string& name);

// Unknown placeholders, and patterns that map several products to one path.
std::vector<std::string> path_problems(const std::vector<Product>& products,
                                       const std::string& pattern);

}  // namespace products
