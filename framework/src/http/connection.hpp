// How the HTTP stages of a run are connected: to the network, or to a recording.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "http/client.hpp"
#include "qsohost/chain.hpp"
#include "qsohost/run.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

class HttpConnection {
 public:
  // Connects every HttpFetcher of an open chain. `run_db`: the ledger's file, empty in a dry run;
  // `settled`: committed batches that nobody will ask about again.
  HttpConnection(Chain& chain, const RunOptions& options, const std::filesystem::path& run_db,
                 const std::set<std::uint64_t>& settled);

  // The batch is committed; when all its objects are settled, its answers are of no use any more.
  void committed(const BatchRecord& batch);
  std::string waiting() const;
  std::vector<std::string> notes() const;

 private:
  void connect_network(const RunOptions& options, const std::filesystem::path& run_db,
                       const std::set<std::uint64_t>& settled);
  void connect_recording(const std::filesystem::path& folder);

  std::optional<AnswerStore> answers_;
  std::optional<AnswerStore> recording_;
  std::unique_ptr<Http> http_;
  HttpClient* client_ = nullptr;  // http_, if that is the network
};

}  // namespace qsohost::inline v1
