// What tests of interruptions share. A Python test runs them, does what they ask for on standard
// output, and answers on standard input.
#pragma once

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <string>
#include <thread>

#include "qsohost/postgres.hpp"

using Clock = std::chrono::steady_clock;
inline constexpr double kMost = 8;  // seconds: two are promised, and faults take 15 and more

inline std::string dsn() {
  const char* const text = std::getenv("QSO_TEST_DSN");
  REQUIRE(text != nullptr);
  return text;
}

inline void ask_test(const char* what) {
  std::cout << what << std::endl;
  std::string answer;
  std::getline(std::cin, answer);
}

inline double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// The user, who stops a moment after the work says that it waits from now on.
class User {
 public:
  ~User() {
    if (thread_.joinable()) thread_.join();
  }
  std::function<bool()> stop() {
    return [this] { return stops_.load(); };
  }
  void stop_soon() {
    thread_ = std::thread([this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(500));
      stopped_ = Clock::now();
      stops_ = true;
    });
  }
  // How long after that `work`, which calls stop_soon(), has ended with the words for it.
  template <class F>
  double seconds_to_end(const F& work) {
    CHECK_THROWS_WITH(work(), Catch::Contains("interrupted"));
    REQUIRE(thread_.joinable());
    thread_.join();
    return seconds_since(stopped_);
  }

 private:
  std::thread thread_;
  std::atomic<bool> stops_{false};
  Clock::time_point stopped_;
};

inline void put_rows(qsohost::PgCopyIn& copy, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) {
    copy.begin_row(1);
    copy.put(i);
  }
}

inline const std::string kManyRows = "SELECT repeat('x', 1000), generate_series(1, 100000000)";

// Some megabytes, so that it goes on in mid-stream.
inline void read_some(qsohost::PgCopyOut& copy) {
  std::string buffer;
  while (buffer.size() < (std::size_t{4} << 20)) REQUIRE(copy.next(buffer));
}
