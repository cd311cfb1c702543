// A catalogue of positions in memory, as the cross-match service of the CDS looks through it.
#pragma once

#include <vector>

#include "sphere.hpp"
#include "tap/table.hpp"

namespace qsohost::skysim {

class VizierCatalogue {
 public:
  // Reads all rows. Columns RA_ICRS, DE_ICRS, pmRA and pmDE: positions at 2016.0 and motions.
  explicit VizierCatalogue(const TapTable& table);

  struct Match {
    std::size_t row = 0;
    double arcsec = 0;
  };
  // Rows at most this far away, nearest first. Their positions are those at 2000.0.
  std::vector<Match> within(const Position& position, double arcsec) const;

  std::size_t size() const { return rows_.size(); }
  const std::vector<TapCell>& row(std::size_t number) const { return rows_[number]; }

 private:
  struct Place {
    Position position;
    std::size_t row = 0;
  };
  std::vector<std::vector<TapCell>> rows_;
  std::vector<Place> places_;  // by declination
};

}  // namespace qsohost::skysim
