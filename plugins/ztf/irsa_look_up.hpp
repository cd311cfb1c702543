// One query to the table of objects: the ZTF objects near some positions.
#pragma once

#include <qsohost/tap.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "irsa_request.hpp"

namespace ztf {

// One row of the table of objects.
struct ListedObject {
  std::int64_t oid = 0;
  std::uint8_t band = 0;    // index in kBands
  std::int64_t epochs = 0;  // nobs: rows of its light curve
};

// Objects by the number of the position that they are near.
using Listing = std::map<std::size_t, std::vector<ListedObject>>;

class LookUp {
 public:
  // `round` distinguishes queries about the same positions; it is not sent before `delay`.
  LookUp(const IrsaSettings& settings, std::vector<UploadedPosition> positions, int round,
         std::chrono::milliseconds delay);
  LookUp(const LookUp&) = delete;
  LookUp& operator=(const LookUp&) = delete;

  // As of TapExchange. None: it is over, successfully or not.
  qsohost::Request begin() { return tap_.begin(); }
  std::optional<qsohost::Request> answer(const qsohost::Request& request,
                                         const qsohost::Response& response) {
    return tap_.answer(request, response);
  }
  std::optional<qsohost::Request> failed(const std::string& reason) { return tap_.failed(reason); }

  const std::vector<UploadedPosition>& positions() const { return positions_; }
  int round() const { return round_; }
  const std::string& failure() const { return tap_.failure(); }  // "": none
  const Listing& found() const { return found_; }

 private:
  std::vector<UploadedPosition> positions_;
  int round_;
  Listing found_;
  qsohost::TapExchange tap_;
};

// Positions in one job, at most (the archive's limit).
inline constexpr std::size_t kMostPositions = 10000;

}  // namespace ztf
