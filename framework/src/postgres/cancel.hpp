// How the calls of a session end when the user wants to stop, whatever the network does.
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

// Ends what the server does for one connection. Its functions are called by the session's thread,
// also while another thread is inside of libpq with the connection.
class Canceller {
 public:
  Canceller(PGconn* connection, std::function<bool()> stop);

  bool wants_stop() const { return stop_(); }

  // Asks the server to end the statement that runs. False when that request did not reach it within
  // a second: the network or the server is silent.
  bool cancel() noexcept;
  // Closes the connection for both directions: libpq's calls return with an error at once.
  void cut() noexcept;
  bool is_cut() const { return is_cut_; }

  // Returns what `work` returns, a call that blocks: it runs on a thread of its own, while this one
  // asks stop() ten times a second. When that is true the statement is cancelled, or else the
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

  // The same for what has to be done at the end, whether the user wants to stop or not: cut after
  // half a second. What `work` throws is lost.
  template <class F>
  void finish(F work) noexcept {
    try {
      const auto done = std::async(std::launch::async, work);
      if (done.wait_for(kEndWithin) != std::future_status::ready) cut();
      done.wait();
    } catch (const std::exception&) {  // no thread: libpq returns at once when there is no network
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
  std::shared_ptr<PGcancel> handle_;  // shared with a request that is still under way
  Socket socket_;
  bool is_cut_ = false;
};

}  // namespace qsohost::inline v1
