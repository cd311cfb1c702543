// What is written of relations: numbers, objects and a plot.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "plot/figure.hpp"
#include "relate/relate.hpp"

namespace qsohost::cli {

std::string y_label(const Sample& sample);  // with unit and frame
// Rows left out, for each of sample.reasons.
std::vector<std::size_t> counts_by_reason(const Sample& sample);

// A single relation is an object with the keys robust, hierarchical and so on, several are one with
// the key "fits", which has one for each. Slopes are by name where there are several regressors.
// Numbers that are not finite are null.
std::string relations_as_json(const std::vector<Relation>& relations);

// .fits or .csv: one row for each row of the fits, those left out included.
void write_relation_table(const std::filesystem::path& file,
                          const std::vector<Relation>& relations);

// y against the first regressor, without what the robust line says of the others; medians in bins
// and both lines.
plot::Figure relation_figure(const Relation& relation);

}  // namespace qsohost::cli
