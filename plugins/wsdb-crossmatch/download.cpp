#include "download.hpp"

#include <utility>

#include <qsohost/error.hpp>

namespace wsdb {

namespace {

// A server needs a minute or two to recover from a crash.
constexpr qsohost::PgRetry kRetry{.attempts = 12, .first = 0.5, .longest = 30};

}  // namespace

Download::Download(Spool& spool, std::string dsn, qsohost::PgTransaction snapshot,
                   std::function<bool()> stop, std::function<void(const std::string&)> warn)
    : spool_(spool), dsn_(std::move(dsn)), stop_(std::move(stop)), warn_(std::move(warn)) {
  snapshot_.emplace(std::move(snapshot));
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
  snapshot_.reset();
}

void Download::attempt(qsohost::PgPatience& patience) {
  try {
    if (!snapshot_) snapshot_.emplace(begin_snapshot(dsn_, stop_));
    spool_.start_over();
    qsohost::PgCopyOut rows(*snapshot_, spool_.plan().query);
    for (std::string buffer; rows.next(buffer); buffer.clear()) {
      if (spool_.add(buffer)) patience.progressed();
    }
  } catch (...) {
    snapshot_.reset();
    throw;
  }
}

}  // namespace wsdb
