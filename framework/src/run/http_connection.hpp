// Connects the HTTP stages of a run to the network, or to a recording.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "http/client.hpp"
#include "qsohost/host/chain.hpp"
#include "qsohost/host/run.hpp"
#include "run/run_db.hpp"

namespace qsohost::inline v1 {

// True if no further request about the batch will be sent: no fetcher has an object left that
// failed or is bad. Results of fitters do not matter.
bool is_settled(const BatchRecord& batch, const Chain& chain);

class HttpConnection {
 public:
  // Connects every HttpStage of a chain, which is not open yet. `run_db`: the ledger's file, empty
  // in a dry run; `settled`: committed batches that need no further request.
  HttpConnection(Chain& chain, const RunOptions& options, const std::filesystem::path& run_db,
                 const std::set<std::uint64_t>& settled);

  // The batch is committed; when all its objects are settled, its stored responses are dropped.
  void committed(const BatchRecord& batch);
  // No object of the run needs a further request.
  void drop_answers();
  std::string waiting() const;
  std::vector<FetchProgress> fetching() const;
  std::vector<std::string> notes() const;

 private:
  void connect_network(const RunOptions& options, const std::filesystem::path& run_db,
                       const std::set<std::uint64_t>& settled);
  void connect_recording(const RunOptions& options);

  const Chain& chain_;
  std::unique_ptr<AnswerStore> answers_;
  std::unique_ptr<AnswerStore> recording_;
  std::unique_ptr<Http> http_;
  HttpClient* client_ = nullptr;  // http_, if it is the network
};

}  // namespace qsohost::inline v1
