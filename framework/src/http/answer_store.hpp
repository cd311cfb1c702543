// Answers that can be trusted, kept in SQLite: in run.db until nobody can want them any more, and
// for --record and --replay in a file of their own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "qsohost/http.hpp"

struct sqlite3;

namespace qsohost::inline v1 {

class AnswerStore {
 public:
  // Whose answers are kept together: those of a batch at a stage. A recording has no batches.
  struct Owner {
    std::string stage;
    std::uint64_t ordinal = 0;
  };

  // Opens or makes the file, or (`must_exist`) throws ChainError that names it.
  explicit AnswerStore(const std::filesystem::path& file, bool must_exist = false);
  ~AnswerStore();
  AnswerStore(const AnswerStore&) = delete;
  AnswerStore& operator=(const AnswerStore&) = delete;

  // Any thread. put() replaces what there was.
  void put(const Owner& owner, const Request& request, const Response& response);
  std::optional<Response> find(const Owner& owner, const Request& request) const;
  std::uint64_t count(const Owner& owner) const;
  std::vector<std::uint64_t> ordinals() const;
  void drop(std::uint64_t ordinal);  // of every stage

 private:
  void execute(const char* sql) const;
  std::string file_;
  std::shared_ptr<sqlite3> db_;
  mutable std::mutex mutex_;  // one call at a time
};

}  // namespace qsohost::inline v1
