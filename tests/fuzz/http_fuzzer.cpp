// Whatever bytes a server sends, a request ends in a response or in a reason, and is judged. The
// server is a thread on loopback that answers each connection with the input and closes it.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <thread>

#include "fuzz_file.hpp"
#include "http/judgement.hpp"
#include "http/transfers.hpp"

using namespace qsohost;
using namespace qsohost::fuzz;

namespace {

class Server {
 public:
  Server() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    socklen_t length = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);
    if (::bind(listener_, any, length) != 0 || ::listen(listener_, 16) != 0) std::abort();
    if (::getsockname(listener_, any, &length) != 0) std::abort();
    port_ = ntohs(address.sin_port);
    std::thread([this] { serve(); }).detach();
  }
  // Another address each time: ports of closed connections stay in use for a minute.
  std::string url() {
    ++count_;
    return "http://127." + std::to_string(count_ % 200 + 1) + ".0.1:" + std::to_string(port_) + "/";
  }
  void answer(std::string_view bytes) {
    const std::lock_guard lock(mutex_);
    bytes_ = bytes;
  }

 private:
  void serve() {
    for (;;) {
      const int connection = ::accept(listener_, nullptr, nullptr);
      if (connection < 0) continue;
      char buffer[4096];
      static_cast<void>(::read(connection, buffer, sizeof buffer));
      {
        const std::lock_guard lock(mutex_);
        static_cast<void>(::send(connection, bytes_.data(), bytes_.size(), MSG_NOSIGNAL));
      }
      ::shutdown(connection, SHUT_WR);
      while (::read(connection, buffer, sizeof buffer) > 0) {
      }
      ::close(connection);
    }
  }

  int listener_;
  int port_ = 0;
  unsigned count_ = 0;
  std::mutex mutex_;
  std::string bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace std::chrono_literals;
  static auto* server = new Server;  // its thread runs until the process ends
  server->answer({reinterpret_cast<const char*>(data), size});
  Transfers transfers;
  Request request;
  request.url = server->url();
  transfers.start(1, request, {.timeout = 2000ms, .max_body = 1 << 20, .user_agent = "fuzz"});
  std::vector<Transfers::Finished> finished;
  while (finished.empty()) finished = transfers.poll(100ms);
  const Judgement judgement = judge_transfer(finished[0].end, {404});
  if (judgement.meaning != Severity::Answer && judgement.reason.empty()) std::abort();
  if (judgement.retry_after && judgement.retry_after->count() < 0) std::abort();
  return 0;
}
