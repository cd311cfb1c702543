// The options of both stages: which sources around a target belong to it.
#pragma once

#include <qsohost/option.hpp>

#include "ztf_answer.hpp"

namespace ztf {

// A member of the stage: SelectionOptions selection{this}.
struct SelectionOptions {
  explicit SelectionOptions(qsohost::OptionOwner* owner) : owner_(owner) {}

 private:
  qsohost::OptionOwner* owner_;

 public:
  qsohost::Option<double> radius{owner_,
                                 "radius_arcsec",
                                 2.0,
                                 "ZTF sources farther from the target are left out",
                                 {.unit = "arcsec", .min = 0.01, .max = 600}};
  qsohost::Option<std::string> objects{
      owner_,
      "objects",
      "all",
      "all: every ZTF source inside the radius; nearest: per band, field and quadrant only the one "
      "nearest the target",
      {.choices = {"all", "nearest"}}};

  Selection value() const { return {*radius, *objects == "nearest"}; }
};

}  // namespace ztf
