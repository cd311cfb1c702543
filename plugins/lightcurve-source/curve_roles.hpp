// What a light curve's columns are in the batch, whatever the form of its file: names, roles,
// units.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <qsohost/io/input_columns.hpp>

#include "curve_layout.hpp"

namespace curves {

const qsohost::InputColumn& field_of(const std::vector<InputFile>& files, const Origin& origin);

bool has(const Curve& curve, std::string_view name);

// Adds a column, called origin.name. Throws RunError if the light curve has one of that name.
void add_origin(Curve& curve, Origin origin, const std::vector<InputFile>& files);

// The light curve that `band` defines; `find` gives file and field of a column.
Curve curve_of(const Band& band, const std::vector<InputFile>& files,
               const std::function<Origin(const std::string&)>& find);

// Once it has all columns: its time system, units, errors and numbers of epochs. Throws RunError
// for units that cannot be converted, and texts in place of numbers.
void finish(Curve& curve, const std::vector<InputFile>& files);

// The columns of objects that the user lists, appended to layout.objects or layout.elsewhere.
// Throws RunError for arrays, and for two columns of one name.
void add_chosen(const std::vector<InputFile>& files, const std::vector<std::string>& chosen,
                Layout& layout);
qsohost::ObjectNames names_with_id(const std::vector<InputFile>& files);

}  // namespace curves
