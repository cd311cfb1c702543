// What a service was asked, for the report of /status: whether its users are polite.
#pragma once

#include <httplib.h>

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace qsohost::skysim {

class ServiceLog {
 public:
  // One request, in flight during its lifetime.
  class Visit {
   public:
    Visit(ServiceLog& log, const httplib::Request& request);
    ~Visit();
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;

   private:
    ServiceLog& log_;
  };

  void add(const std::string& what, std::uint64_t n = 1);
  void raise(const std::string& what, std::uint64_t value);  // to this, unless it is higher already
  void lower_to(const std::string& what, std::uint64_t value);
  std::uint64_t count(const std::string& what) const;
  // requests, in flight, most in flight, longest GET (bytes of its URL), user agents with their
  // requests, and what was added.
  std::string json() const;

 private:
  mutable std::mutex mutex_;
  std::uint64_t in_flight_ = 0;
  std::map<std::string, std::uint64_t> counts_{{"requests", 0}, {"most in flight", 0}};
  std::map<std::string, std::uint64_t> agents_;
};

std::string json_text(std::string_view text);

}  // namespace qsohost::skysim
