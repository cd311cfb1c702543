// A request to DataLink of ESA's Gaia archive: epoch photometry of a list of sources, as a zip with
// a member for each source that has some.
//
// https://www.cosmos.esa.int/web/gaia-users/archive/datalink-products
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <qsohost/http.hpp>

#include "remote.hpp"

namespace gaia {

// Of an answer: a zip, a bare table, or nothing. Members are found by the source_id in their name,
// which their rows must have too; otherwise that source is doubtful. Throws TryAgain if the answer
// as a whole cannot be trusted, BadObject if that would not help.
EpochAnswer read_datalink(std::string_view body, const std::vector<std::int64_t>& ids,
                          const RemoteSettings& settings);

// As TapExchange.
class DataLinkExchange {
 public:
  using Reader = std::function<void(EpochAnswer)>;

  // `ids` are at most 5,000. `turn`: the same request sent again on purpose.
  DataLinkExchange(const RemoteSettings& settings, RemoteState& state,
                   std::vector<std::int64_t> ids, int turn, std::chrono::milliseconds delay,
                   Reader read);

  qsohost::Request begin();
  std::optional<qsohost::Request> answer(const qsohost::Request& request,
                                         const qsohost::Response& response);
  std::optional<qsohost::Request> failed(const std::string& reason);
  const std::string& failure() const { return failure_; }

 private:
  std::optional<qsohost::Request> other_structure();

  const RemoteSettings& settings_;
  RemoteState& state_;
  std::vector<std::int64_t> ids_;
  int turn_;
  std::chrono::milliseconds delay_;
  Reader read_;
  std::size_t structure_ = 0;
  int errors_ = 0;
  std::set<std::uint64_t> seen_;  // answers whose end is not known
  std::string failure_;
};

}  // namespace gaia
