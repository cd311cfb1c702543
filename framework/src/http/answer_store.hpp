// Answers that can be trusted, kept in SQLite: in run.db until nobody can want them any more, and
// for --record and --replay in a file of their own.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/context.hpp"
#include "qsohost/http.hpp"

namespace qsohost::inline v1 {

class SqliteFile;

class AnswerStore {
 public:
  // Whose answers are kept together: those of a batch at a stage. A recording has no batches.
  struct Owner {
    std::string stage;
    std::uint64_t ordinal = 0;
  };

  using Log = std::function<void(LogLevel, const std::string&)>;

  // Opens or makes the file, or throws RunError that names it.
  AnswerStore(const std::filesystem::path& file, Log log);
  // A recording that is there already, perhaps on media that nobody can write to.
  static std::unique_ptr<AnswerStore> look_at(const std::filesystem::path& file, Log log);
  ~AnswerStore();
  AnswerStore(const AnswerStore&) = delete;
  AnswerStore& operator=(const AnswerStore&) = delete;

  // Any thread. put() replaces what there was.
  void put(const Owner& owner, const Request& request, const Response& response);
  // A damaged answer is dropped with a warning, so that it is asked for again; of a recording,
  // where nobody can be asked, it throws RunError.
  std::optional<Response> find(const Owner& owner, const Request& request) const;
  std::uint64_t count(const Owner& owner) const;
  std::vector<std::uint64_t> ordinals() const;
  void drop(std::uint64_t ordinal);  // of every stage
  void drop_all();

 private:
  AnswerStore(std::shared_ptr<SqliteFile> db, Log log) : db_(std::move(db)), log_(std::move(log)) {}
  bool has_column(const char* name) const;
  void warn(const std::string& text) const;
  void drop_damaged(const Owner& owner, const Request& request) const;

  std::shared_ptr<SqliteFile> db_;
  Log log_;
  bool is_read_only_ = false;
  bool has_ends_ = true;  // it says of which answers the end was known; old recordings do not
};

}  // namespace qsohost::inline v1
