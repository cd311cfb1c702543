// Light curves as rows of gaia_epoch, ztf_objects, ztf_light_curves and truth.
#pragma once

#include "light_curves.hpp"
#include "table.hpp"

namespace qsohost::skysim {

struct CurveTables {
  Table gaia_epoch{"gaia_epoch"};
  Table ztf_objects{"ztf_objects"};
  Table ztf_light_curves{"ztf_light_curves"};
  Table truth{"truth"};

  // Nothing for a twin.
  void add(const Quasar& quasar, const LightCurves& curves);
};

}  // namespace qsohost::skysim
