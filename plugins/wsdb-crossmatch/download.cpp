#include "download.hpp"

#include <utility>

#include <qsohost/error.hpp>

namespace wsdb {

namespace {

// A server needs a minute or two to recover from a crash.
constexpr qsohost::PgRetry kRetry{.attempts = 12, .first = 0.5, .longest = 30};

}  // namespace

Download::Download(Spool& spool, std::string dsn, std::function<bool()> stop,
                   std::function<void(const std::string&)> warn)
    : spool_(spool),
      dsn_(std::move(dsn)),
      stop_(std::move(stop)),
      warn_(std::move(warn)),
      thread_([this] { run(); }) {}

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
}

void Download::attempt(qsohost::PgPatience& patience) {
  qsohost::PgTransaction snapshot = begin_snapshot(dsn_, stop_);
  spool_.start_over();
  qsohost::PgCopyOut rows(snapshot, spool_.plan().query);
  for (std::string buffer; rows.next(buffer); buffer.clear()) {
    if (spool_.add(buffer)) patience.progressed();
  }
}

}  // namespace wsdb
