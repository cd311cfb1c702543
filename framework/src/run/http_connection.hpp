// How the HTTP stages of a run are connected: to the network, or to a recording.
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

// True if nobody will ask the archives about the batch again: of no fetcher an object is left that
// has failed or is bad. What fitters say of objects changes no answer.
bool is_settled(const BatchRecord& batch, const Chain& chain);

class HttpConnection {
 public:
  // Connects every HttpFetcher of an open chain. `run_db`: the ledger's file, empty in a dry run;
  // `settled`: committed batches that nobody will ask about again.
  HttpConnection(Chain& chain, const RunOptions& options, const std::filesystem::path& run_db,
                 const std::set<std::uint64_t>& settled);

  // The batch is committed; when all its objects are settled, its answers are of no use any more.
  void committed(const BatchRecord& batch);
  // No object of the run is left to ask about.
  void drop_answers();
  std::string waiting() const;
  std::vector<std::string> notes() const;

 private:
  void connect_network(const RunOptions& options, const std::filesystem::path& run_db,
                       const std::set<std::uint64_t>& settled);
  void connect_recording(const RunOptions& options);

  const Chain& chain_;
  std::unique_ptr<AnswerStore> answers_;
  std::unique_ptr<AnswerStore> recording_;
  std::unique_ptr<Http> http_;
  HttpClient* client_ = nullptr;  // http_, if that is the network
};

}  // namespace qsohost::inline v1
