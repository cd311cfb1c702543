// The thread that receives the server's response.
#pragma once

#include <functional>
#include <string>
#include <thread>

#include <qsohost/postgres.hpp>

#include "spool.hpp"

namespace wsdb {

class Download {
 public:
  // In a snapshot of its own; a new one after losing the connection.
  Download(Spool& spool, std::string dsn, std::function<bool()> stop,
           std::function<void(const std::string&)> warn);
  ~Download();  // returns soon once stop() is true
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;

 private:
  void run() noexcept;
  void attempt(qsohost::PgPatience& patience);

  Spool& spool_;
  std::string dsn_;
  std::function<bool()> stop_;
  std::function<void(const std::string&)> warn_;
  std::thread thread_;
};

}  // namespace wsdb
