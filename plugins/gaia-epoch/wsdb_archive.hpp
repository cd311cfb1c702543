// epoch_photometry in a PostgreSQL database: the identifiers of a batch go into a temporary table,
// which the server joins with it.
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
  // Looks at the table; throws RunError if it, a column or a right is missing, and when there is
  // no connection after several attempts.
  WsdbArchive(std::string dsn, const std::string& table, const std::vector<Wanted>& wanted,
              qsohost::Context& context);

  // From several threads at once, each with a session of its own. A lost connection is made again,
  // and the question asked again, with growing waits of some minutes in all; then RunError.
  std::vector<Block> look_up(std::span<const std::int64_t> ids) override;

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
