// How far the fetchers of a run are inside of the batches in flight. Any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/host/fetch_progress.hpp"

namespace qsohost::inline v1 {

class FetchBoard {
 public:
  // What one conversation has announced; its end removes the requests, not the settled objects.
  class Entry {
   public:
    Entry(FetchBoard& board, std::string stage) : board_(board), stage_(std::move(stage)) {}
    ~Entry();
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    void update(std::size_t unsettled, std::size_t requests);

   private:
    FetchBoard& board_;
    std::string stage_;
    std::size_t unsettled_ = 0, requests_ = 0;
    bool is_begun_ = false;
  };

  // In the order of their first conversation.
  std::vector<FetchProgress> read() const;

 private:
  struct Line {
    std::string stage;
    std::uint64_t objects = 0, settled = 0, requests = 0;
    std::chrono::steady_clock::time_point begin = std::chrono::steady_clock::now();
  };
  Line& line_of(const std::string& stage);  // call with mutex_ held

  mutable std::mutex mutex_;
  std::vector<Line> lines_;
};

}  // namespace qsohost::inline v1
