// Ends the calls of a session when the user wants to stop, whatever the network does.
#pragma once

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <type_traits>
#include <utility>

#include "postgres/libpq.hpp"

namespace qsohost::inline v1 {

[[noreturn]] void throw_stopped();

// Ends the server's work for one connection. Call its functions on the session's thread; another
// thread may be inside libpq with the connection.
class Canceller {
 public:
  Canceller(PGconn* connection, std::function<bool()> stop);

  bool wants_stop() const { return stop_(); }

  // Requests the server to end the running statement. False if the request did not reach it within
  // a second: the network or the server is silent.
  bool cancel() noexcept;
  // Shuts the connection down in both directions: libpq's calls return with an error at once.
  void cut() noexcept;
  bool is_cut() const { return is_cut_; }

  // Returns the result of `work`, a blocking call: it runs on a separate thread, while this one
  // checks stop() ten times a second. Once that is true the statement is cancelled, or else the
  // connection cut, and TryAgain is thrown: after a second and a half at most.
  template <class F>
  std::invoke_result_t<F> run(F work) {
    if (stop_()) throw_stopped();
    auto done = std::async(std::launch::async, std::move(work));
    while (done.wait_for(kStopEvery) != std::future_status::ready) {
      if (!stop_()) continue;
      if (!cancel() || done.wait_for(kEndWithin) != std::future_status::ready) cut();
      done.wait();
      throw_stopped();
    }
    return done.get();
  }

  // The same for final work, whether the user wants to stop or not: cut after half a second.
  // Exceptions of `work` are lost.
  template <class F>
  void finish(F work) noexcept {
    try {
      const auto done = std::async(std::launch::async, work);
      if (done.wait_for(kEndWithin) != std::future_status::ready) cut();
      done.wait();
    } catch (const std::exception&) {  // no thread: without a network libpq returns at once
      cut();
      work();
    }
  }

  static constexpr std::chrono::milliseconds kStopEvery{100};
  static constexpr std::chrono::milliseconds kEndWithin{500};

 private:
  struct Socket {
    explicit Socket(int number) : fd(number) {}
    ~Socket();
    Socket(const Socket&) = delete;
    Socket& operator=(const Socket&) = delete;
    int fd;
  };
  std::function<bool()> stop_;
  std::shared_ptr<PGcancel> handle_;  // shared with a pending request
  Socket socket_;
  bool is_cut_ = false;
};

}  // namespace qsohost::inline v1
