// Stages that throw where the host cannot catch it.
#include <chrono>
#include <stdexcept>
#include <thread>

#include "plain_filter.hpp"

namespace {

class ThrowsInThread : public PlainFilter {
 public:
  void apply(qsohost::Batch& /*batch*/, qsohost::Counts& /*counts*/) const override {
    std::thread([] { throw std::runtime_error("the disk is full"); }).join();
  }
};

class ThrowsNumberInThread : public PlainFilter {
 public:
  void apply(qsohost::Batch& /*batch*/, qsohost::Counts& /*counts*/) const override {
    std::thread([] { throw 42; }).join();
  }
};

void give_up() {
  throw std::runtime_error("cannot say goodbye");
}

class ThrowsInClose : public PlainFilter {
 public:
  void close() noexcept override { give_up(); }
};

class ThrowsInDestructor : public PlainFilter {
 public:
  ~ThrowsInDestructor() override { give_up(); }
};

}  // namespace

QSOHOST_PLUGIN("terminates", "1.0.0",
               qsohost::stage<ThrowsInThread>("throws-in-thread", "ends the program"),
               qsohost::stage<ThrowsNumberInThread>("throws-number-in-thread", "ends the program"),
               qsohost::stage<ThrowsInClose>("throws-in-close", "ends the program"),
               qsohost::stage<ThrowsInDestructor>("throws-in-destructor", "ends the program"));
