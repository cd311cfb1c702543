// One question to the table of objects, through TAP: a query that is answered at once, or a job
// that is made, watched and read. A job that is lost, or ends in an error, is made anew.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "irsa_request.hpp"

namespace ztf {

// One row of the table of objects.
struct Listed {
  std::int64_t oid = 0;
  std::uint8_t band = 0;    // index in kBands
  std::int64_t epochs = 0;  // nobs: rows of its light curve
};

// Objects by the number of the position that they are near.
using Listing = std::map<std::size_t, std::vector<Listed>>;

class LookUp {
 public:
  // `round` tells questions about the same positions apart; it is not asked before `delay`. The
  // settings must outlive it.
  LookUp(const Asking& asking, std::vector<Numbered> positions, int round,
         std::chrono::milliseconds delay);

  // One request is open at a time. None: it is over, well or not.
  qsohost::Request begin();
  // Throws TryAgain, and then nothing has changed.
  std::optional<qsohost::Request> answer(const qsohost::Request& request,
                                         const qsohost::Response& response);
  std::optional<qsohost::Request> failed(const std::string& reason);

  const std::vector<Numbered>& positions() const { return positions_; }
  int round() const { return round_; }
  const std::string& failure() const { return failure_; }  // "": none
  const Listing& found() const { return found_; }

 private:
  enum class Step : std::uint8_t { AtOnce, Create, Watch, Read };
  qsohost::Request watch();
  std::optional<qsohost::Request> watched(std::string_view phase);
  std::optional<qsohost::Request> job_failed(const std::string& reason);

  const Asking& asking_;
  std::vector<Numbered> positions_;
  int round_;
  std::chrono::milliseconds delay_;
  Step step_ = Step::AtOnce;
  int jobs_ = 0;
  int looks_ = 0;
  std::string job_;  // its address
  std::string failure_;
  Listing found_;
};

// Positions in one job, at most (the archive's limit).
inline constexpr std::size_t kMostPositions = 10000;

}  // namespace ztf
