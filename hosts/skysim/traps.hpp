// What real archives do now and then, or at one site only: each can be switched on by its name.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "random.hpp"

namespace qsohost::skysim {

// Which of these names a value that is not a rate:
//   booleans         how CSV and TABLEDATA spell true: True, true or t
//   aip-id           the name of source_id in AIP's answers: datalinkID
//   structures       the names that DataLink takes, old (INDIVIDUAL) or new (DATAMODEL_STANDARD)
// The others happen at a rate from 0 to 1 (0.1 if none is given):
//   stuck-job        a job never leaves the phase EXECUTING
//   html-502         an Apache page, status 502
//   html-200         a page "Service unavailable" with status 200, where rows are wanted
//   pool-empty       status 500: the database has no free connection
//   null-500         status 500 with the body "null"
//   quota            uploads are refused: all users share one quota
//   see-other        sync answers 303 with the address of the rows
//   query-in-url     IRSA: "QUERY must be set" unless a multipart request has it in the URL
//   datalink-down    DataLink: a page, status 503
//   poisoned-id      DataLink: this fraction of ids; a request with one of them gets status 500
//   trickle          DataLink: some kB a second on a connection, as really measured
//   zip-cut          DataLink: the zip ends in its central directory
//   zip-stored       DataLink: members of the zip are not compressed
//   wrong-member     DataLink: a member has the epochs and source_id of another source
//   missing-member   DataLink: a source that has epochs is left out
//   xmatch-ban       403, as if this address had another job at the same time
//   xmatch-columns   the default columns of a cross-match come in another order
//   atlas-429        a POST is throttled, and the answer names seconds
//   atlas-429-minutes   the same; it names minutes
//   atlas-stuck      a task never begins
//   atlas-error      a task ends with another error than "No data returned"
class Traps {
 public:
  // "html-502=0.05,booleans=t,stuck-job". Throws RunError.
  Traps(const std::string& list, std::uint64_t seed);

  static std::string names();  // of all, with the values that they take

  bool springs(std::string_view name);  // this time; thread-safe
  // Always the same for a key.
  bool is_set_for(std::string_view name, std::uint64_t key) const;
  // Of those that have one; "" if the trap is off.
  std::string value(std::string_view name) const;

 private:
  std::map<std::string, std::string, std::less<>> values_;
  std::map<std::string, double, std::less<>> rates_;
  std::uint64_t seed_;
  std::mutex mutex_;
  Random random_;
};

}  // namespace qsohost::skysim
