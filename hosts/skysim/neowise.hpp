// NEOWISE exposures of one quasar: two visits a year from 2013 to 2024, each of some dozen
// exposures in W1 and W2.
#pragma once

#include "sky.hpp"
#include "table.hpp"

namespace qsohost::skysim {

struct NeowiseTables {
  Table exposures{"neowise"};  // the rows of neowiser_p1bs_psd
  Table truth{"neowise_truth"};

  // Nothing for a twin. Faint quasars have no rows of exposures.
  void add(const Recipe& recipe, const Quasar& quasar);
};

}  // namespace qsohost::skysim
