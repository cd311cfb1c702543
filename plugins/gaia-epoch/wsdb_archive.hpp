// epoch_photometry in a PostgreSQL database: the identifiers of a batch are uploaded to a temporary
// table, which the server joins with it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <qsohost/context.hpp>
#include <qsohost/postgres.hpp>

#include "answer.hpp"

namespace gaia {

class WsdbArchive final : public Archive {
 public:
  // Inspects the table; throws RunError if it, a column or a permission is missing, and if several
  // attempts to connect fail.
  WsdbArchive(std::string dsn, const std::string& table, const std::vector<Wanted>& wanted,
              qsohost::Context& context);

  // Thread-safe; each thread uses its own session. After a lost connection it reconnects and
  // retries the query, with growing pauses of some minutes in all; then throws RunError.
  LookUp look_up(std::span<const std::int64_t> ids, const BatchInfo& batch) override;

 private:
  using Session = std::unique_ptr<qsohost::PgConnection>;

  bool stopping() const { return context_.stop_requested(); }
  Session connect() const;
  Session take();
  void put_back(Session session);
  void inspect(qsohost::PgTransaction& transaction, const std::string& table,
               const std::vector<Wanted>& wanted);
  void warn_without_index(qsohost::PgTransaction& transaction, const qsohost::PgTable& table) const;
  std::vector<Block> ask(qsohost::PgConnection& connection,
                         std::span<const std::int64_t> ids) const;

  qsohost::Context& context_;
  std::string dsn_;
  std::vector<qsohost::PgColumn> columns_;  // source_id, then the wanted ones
  std::string query_;
  std::mutex mutex_;
  std::vector<Session> idle_;
};

}  // namespace gaia
