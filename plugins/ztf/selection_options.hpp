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
  qsohost::Choice<Objects> objects{
      owner_,
      "objects",
      Objects::Nearest,
      {{"nearest", Objects::Nearest}, {"all", Objects::All}},
      "nearest: of the ZTF sources inside the radius, per band, field and quadrant only the one "
      "nearest the target, if it is within 0.7 arcsec of the nearest of all; and one epoch an "
      "exposure: without catflags before with, then of the nearer source. all: every one, also a "
      "neighbour, whose epochs are then taken for the target's"};
  qsohost::Choice<Align> align_oids{
      owner_,
      "align_oids",
      Align::None,
      {{"none", Align::None}, {"median", Align::Median}},
      "median: magnitudes of the target's sources (oid) in other fields and quadrants are shifted "
      "to "
      "those of the source with most epochs, by the median of the differences between epochs at "
      "most 1 d apart, if there are 5; one without such epochs is not shifted, for the target "
      "varies "
      "over longer times. none: not shifted"};
  qsohost::Choice<Duplicates> duplicates{
      owner_,
      "duplicates",
      Duplicates::Drop,
      {{"drop", Duplicates::Drop}, {"keep", Duplicates::Keep}},
      "epochs of one source (oid) and exposure (mjd, expid) that are there more than once. drop: "
      "the first is taken, the others are counted; keep: all are taken"};

  Selection value() const { return {*radius, *objects, *duplicates, *align_oids}; }
};

}  // namespace ztf
