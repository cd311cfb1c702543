// Trusted responses, kept in SQLite: in run.db until no later run can need them, and for --record
// and --replay in a separate file.
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
  // Responses are kept per batch and stage, or for every batch of the stage. A recording has no
  // batches.
  static constexpr std::uint64_t kEveryBatch = std::uint64_t{1} << 62;
  struct Owner {
    std::string stage;
    std::uint64_t ordinal = 0;
  };

  using Log = std::function<void(LogLevel, const std::string&)>;

  // The store of a ledger, which is there already. Throws RunError.
  AnswerStore(const std::filesystem::path& run_db, Log log);
  // A recording to add to; made if there is none. Throws RunError if it is damaged, and UsageError
  // if it is of another version or program; such a file is not changed.
  static std::unique_ptr<AnswerStore> record(const std::filesystem::path& file, Log log);
  // An existing recording, which may be on read-only media or of an earlier version. Throws
  // likewise.
  static std::unique_ptr<AnswerStore> look_at(const std::filesystem::path& file, Log log);
  ~AnswerStore();
  AnswerStore(const AnswerStore&) = delete;
  AnswerStore& operator=(const AnswerStore&) = delete;

  // Any thread. put() replaces an earlier response.
  void put(const Owner& owner, const Request& request, const Response& response);
  // A damaged response is dropped with a warning, so that it is requested again; in a recording,
  // where no request can be sent, it throws RunError.
  std::optional<Response> find(const Owner& owner, const Request& request) const;
  // What identifies a request in a store; its token is left out.
  static std::uint64_t identity(const Request& request);
  std::uint64_t count(const Owner& owner) const;
  std::vector<std::uint64_t> ordinals() const;
  void drop(std::uint64_t ordinal);  // at every stage
  void drop_all();

 private:
  AnswerStore(std::shared_ptr<SqliteFile> db, Log log) : db_(std::move(db)), log_(std::move(log)) {}
  void warn(const std::string& text) const;
  void drop_damaged(const Owner& owner, const Request& request) const;

  std::shared_ptr<SqliteFile> db_;
  Log log_;
  bool is_read_only_ = false;
  bool has_ends_ = true;  // whether ends of responses were recorded; old recordings lack it
};

}  // namespace qsohost::inline v1
