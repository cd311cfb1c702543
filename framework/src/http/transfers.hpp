// Requests in flight: one curl-multi handle, used by one thread. Results are reported as they are;
// judgement.hpp decides what they mean.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "qsohost/http.hpp"

namespace qsohost::inline v1 {

struct TransferLimits {
  std::chrono::milliseconds timeout{120'000};
  std::size_t max_body = std::size_t{256} << 20;
  std::string user_agent;
};

struct TransferEnd {
  enum class Kind : std::uint8_t {
    Response,     // complete, whatever its status
    Unreachable,  // no such host, or it refuses connections
    TimedOut,     // in total, or too slow
    Broken,       // reset or cut short
    TooBig,       // more than max_body
    BadCertificate,
    Redirected,  // to a URL that is not allowed
    Unusable,    // the request itself
  };
  Kind kind = Kind::Response;
  Response response;
  std::string detail;  // for messages; empty for a Response
  std::uint64_t bytes_received = 0;
};

class Transfers {
 public:
  struct Finished {
    std::uint64_t id = 0;
    TransferEnd end;
  };

  Transfers();
  ~Transfers();

  // However it ends, even if it cannot begin, poll() reports it.
  void start(std::uint64_t id, const Request& request, const TransferLimits& limits);
  void cancel(std::uint64_t id);
  // Moves bytes; returns at once if a transfer has finished, else after `timeout` at the latest.
  std::vector<Finished> poll(std::chrono::milliseconds timeout);
  void wake();  // ends a poll; any thread

 private:
  struct Transfer;
  void begin(Transfer& transfer);
  void finish(Transfer& transfer, int code);
  void give_up_slow();

  std::shared_ptr<void> multi_;
  std::map<std::uint64_t, std::unique_ptr<Transfer>> transfers_;
  std::vector<Finished> finished_;
};

}  // namespace qsohost::inline v1
