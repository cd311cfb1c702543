#include "data/working_on.hpp"

#include <signal.h>
#include <unistd.h>

#include <cstddef>
#include <memory>

namespace qsohost::inline v1 {

namespace {

// This TLS model needs no call or allocation for access: a signal handler reads it.
[[gnu::tls_model("initial-exec")]] thread_local WorkingOn* now = nullptr;

// A handler needs its own stack when infinite recursion has exhausted the thread's.
class SignalStack {
 public:
  SignalStack() {
    stack_t before{};
    if (sigaltstack(nullptr, &before) != 0 || (before.ss_flags & SS_DISABLE) == 0) return;
    const auto size = static_cast<std::size_t>(sysconf(_SC_SIGSTKSZ)) + (16U << 10);
    memory_ = std::make_unique<std::byte[]>(size);
    stack_t stack{};
    stack.ss_sp = memory_.get();
    stack.ss_size = size;
    if (sigaltstack(&stack, nullptr) != 0) memory_.reset();
  }
  ~SignalStack() {
    if (memory_ == nullptr) return;
    stack_t none{};
    none.ss_flags = SS_DISABLE;
    sigaltstack(&none, nullptr);
  }
  SignalStack(const SignalStack&) = delete;
  SignalStack& operator=(const SignalStack&) = delete;

 private:
  std::unique_ptr<std::byte[]> memory_;
};

}  // namespace

const WorkingOn* working_on() noexcept {
  return now;
}

AtWork::AtWork(const WorkingOn& what) noexcept : what_(what), before_(now) {
  static thread_local const SignalStack signal_stack;
  now = &what_;
}

AtWork::~AtWork() {
  now = before_;
}

AtObject::AtObject(const Batch& batch, std::size_t row) {
  const bool has_name = row < batch.rows() && batch.objects().find("source_id") != nullptr;
  if (now != nullptr && has_name) now->object = batch.id(row);
}

AtObject::~AtObject() {
  if (now != nullptr) now->object = "";
}

}  // namespace qsohost::inline v1
