// One query to IRSA's TAP service about the exposures near some targets.
#pragma once

#include <qsohost/tap.hpp>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "neowise_answer.hpp"

namespace neowise {

enum class QueryBy : std::uint8_t { Upload, Cone, Auto };

struct Settings {
  std::string url;  // of the TAP service
  double radius_arcsec = 0;
  QueryBy query_by = QueryBy::Auto;
  int confirmations = 0;
  std::chrono::milliseconds confirm_after{0};
  std::chrono::milliseconds job_timeout{0};
};

inline constexpr std::size_t kMostAtOnce = 200;  // targets; more are sent as a job

struct Target {
  std::size_t n = 0;      // row of the batch
  double ra = 0;          // deg
  double dec = 0;         // deg
  std::int64_t rows = 0;  // that the archive has, margin included; 0: not known
};

// Counts: how many rows each target has. Counted: the rows, as CSV, compared with the counts.
// Uncounted: the rows, as a VOTable, which marks its end, where the counts could not be had.
enum class Ask : std::uint8_t { Counts, Counted, Uncounted };

// Targets that one query is about.
struct Lot {
  std::vector<Target> targets;
  bool by_cone = false;  // one target, whose position is in the query itself
  // Not 0: earlier queries had nothing about these targets.
  int round = 0;
  int repeats = 0;  // earlier queries of this round failed
  // A target with rows. An answer that lacks it is wrong about the others too.
  std::optional<Target> witness{};
};

class Query {
 public:
  Query(const Settings& settings, Ask ask, Lot lot, std::chrono::milliseconds delay);
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // As of TapExchange. None: it is over, successfully or not.
  qsohost::Request begin() { return tap_.begin(); }
  std::optional<qsohost::Request> answer(const qsohost::Request& request,
                                         const qsohost::Response& response) {
    return tap_.answer(request, response);
  }
  std::optional<qsohost::Request> failed(const std::string& reason) { return tap_.failed(reason); }
  const std::string& failure() const { return tap_.failure(); }  // "": none

  bool is_answered() const { return is_answered_; }  // by a table, even if a cut one
  bool is_job() const { return lot_.targets.size() > kMostAtOnce; }
  Ask kind() const { return ask_; }
  const Lot& lot() const { return lot_; }
  const RowCounts& counts() const { return counts_; }
  Exposures& exposures() { return exposures_; }

 private:
  void read(const qsohost::TapAnswer& answer);
  void check_targets(const std::vector<std::size_t>& answered) const;
  void check_counts(const Exposures& exposures);
  void check_page(const Exposures& exposures) const;

  Ask ask_;
  Lot lot_;
  RowCounts counts_;
  Exposures exposures_;
  std::map<std::size_t, int> wrong_totals_;  // answers with so many rows, which are not all
  bool is_answered_ = false;
  qsohost::TapExchange tap_;
};

}  // namespace neowise
