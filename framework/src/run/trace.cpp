#include "run/trace.hpp"

#include <fmt/format.h>

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

Trace::Trace(const std::filesystem::path& file) : out_(file) {
  if (!out_) {
    throw UsageError(
        fmt::format("{}: cannot be written; check that its folder is there", file.string()));
  }
  out_ << "[";
}

Trace::~Trace() {
  out_ << "\n]\n";
}

void Trace::add(const std::string& stage, std::uint64_t batch, Clock::time_point begin,
                Clock::time_point end) {
  const auto us = [](Clock::duration d) {
    return std::chrono::duration<double, std::micro>(d).count();
  };
  const std::lock_guard lock(mutex_);
  const bool is_first = threads_.empty();
  const int thread =
      threads_.try_emplace(std::this_thread::get_id(), threads_.size()).first->second;
  // Labels are letters, digits, '_' and '-': nothing to escape.
  out_ << fmt::format(
      "{}\n{{\"name\":\"{}\",\"cat\":\"stage\",\"ph\":\"X\",\"ts\":{:.1f},\"dur\":{:.1f},"
      "\"pid\":1,\"tid\":{},\"args\":{{\"batch\":{}}}}}",
      is_first ? "" : ",", stage, us(begin - zero_), us(end - begin), thread, batch);
}

}  // namespace qsohost::inline v1
