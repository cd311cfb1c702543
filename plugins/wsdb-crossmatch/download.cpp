#include "download.hpp"

#include <utility>

#include <qsohost/error.hpp>

namespace wsdb {

namespace {

// A server that crashed recovers for a minute or two.
constexpr qsohost::PgRetry kRetry{.attempts = 12, .first = 0.5, .longest = 30};

}  // namespace

Download::Download(Spool& spool, std::string dsn, qsohost::PgConnection connection,
                   std::function<bool()> stop, std::function<void(const std::string&)> warn)
    : spool_(spool), dsn_(std::move(dsn)), stop_(std::move(stop)), warn_(std::move(warn)) {
  connection_.emplace(std::move(connection));
  thread_ = std::thread([this] { run(); });
}

Download::~Download() {
  thread_.join();
}

void Download::run() noexcept {
  try {
    qsohost::PgPatience patience(kRetry, stop_, warn_);
    patience.run([&] { attempt(patience); });
    spool_.complete();
  } catch (...) {
    spool_.fail(std::current_exception());
  }
  connection_.reset();
}

void Download::attempt(qsohost::PgPatience& patience) {
  try {
    if (!connection_) {
      connection_.emplace(dsn_, stop_);
      begin_snapshot(*connection_);
    }
    spool_.start_over();
    qsohost::PgCopyOut rows(*connection_, spool_.plan().query);
    for (std::string buffer; rows.next(buffer); buffer.clear()) {
      if (spool_.add(buffer)) patience.progressed();
    }
  } catch (...) {
    connection_.reset();
    throw;
  }
}

}  // namespace wsdb
