// The epochs that ou-loo cleaned, with what the sky knows of them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "product_table.hpp"

namespace qsohost::skysim {

// A light curve as the end of a product's name has it: "quick_loo_ztf_g.fits" -> ztf, g.
struct LightCurveName {
  std::string survey;
  std::string band;
};

// FailsCuts: an outlier that the survey flags, so that cuts on quality remove it too.
enum class Kind : std::uint8_t { Good, Outlier, FailsCuts, Neighbour };

struct CleanedEpoch {
  double time = 0;
  std::optional<std::int64_t> id;  // if the product has it
  Kind kind = Kind::Good;
  bool is_removed = false;
};

// What ou-loo removed from the light curve of one object.
struct Removal {
  std::filesystem::path file;
  std::int64_t source_id = 0;
  std::vector<double> times;
  std::vector<double> ids;
};

// The light curves of one survey and band.
class CleanedCurves {
 public:
  // Reads the first of `files` that has this light curve. Throws Error if none has it.
  CleanedCurves(const LightCurveName& name, const std::vector<std::filesystem::path>& files,
                ProductTable& truth);

  // Throws Error if a removed epoch is not there, or if it shares its exposure with one of another
  // kind and there is no epoch_id to tell them apart.
  std::vector<CleanedEpoch> epochs(const Removal& removal, std::size_t row_of_truth) const;

 private:
  std::vector<CleanedEpoch> epochs_of(std::int64_t source_id, std::size_t row_of_truth) const;
  bool is_of_neighbour(std::size_t row_of_truth, double time, double mag) const;
  Kind kind_of_own(std::size_t row_of_truth, double time) const;
  CleanedEpoch& find(std::vector<CleanedEpoch>& epochs, const Removal& removal,
                     std::size_t removed) const;

  std::string time_column_;
  std::string id_column_;
  ProductTable curves_;
  std::map<std::int64_t, std::size_t> rows_;
  Arrays times_, mags_, ids_;
  Arrays outlier_times_, reasons_, neighbour_times_, neighbour_mags_;
};

}  // namespace qsohost::skysim
