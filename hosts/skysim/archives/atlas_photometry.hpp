// Forced photometry of ATLAS: the exposures of atlas.fits at a place, as the service writes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "qsohost/io/fits.hpp"
#include "sphere.hpp"

namespace qsohost::skysim {

struct AtlasRequest {
  Position position;
  double first = 0;  // MJD
  double last = 0;
  bool is_reduced = false;  // else fluxes of difference images
};

// The first line of a result.
std::string_view atlas_header();

class AtlasPhotometry {
 public:
  // Without the file there are no exposures anywhere.
  explicit AtlasPhotometry(std::filesystem::path file) : file_(std::move(file)) {}

  // "" if there are no exposures. Thread-safe.
  std::string result(const AtlasRequest& request);

 private:
  void read_positions();
  std::optional<std::uint64_t> find(const Position& position);

  std::filesystem::path file_;
  std::mutex mutex_;
  std::optional<FitsTable> table_;
  std::vector<Position> positions_;  // of its rows
};

}  // namespace qsohost::skysim
