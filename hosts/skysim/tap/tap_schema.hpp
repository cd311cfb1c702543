// TAP_SCHEMA (TAP 1.1, section 4): tables that describe all tables of a service, themselves too.
#pragma once

#include <vector>

#include "tap/table.hpp"

namespace qsohost::skysim {

void add_tap_schema(std::vector<TapTable>& tables);

// Names of the schemas in order; tables without a schema are in "public".
std::vector<std::string> schemas_of(const std::vector<TapTable>& tables);
std::string schema_of(const TapTable& table);

}  // namespace qsohost::skysim
