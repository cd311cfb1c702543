#include <catch2/catch.hpp>

#include <cstdlib>

#include "qsohost/context.hpp"

using namespace qsohost;
using Catch::Contains;

namespace {

class PlainContext final : public Context {
 public:
  const RunInfo& run() const override { return run_; }
  void log(LogLevel, std::string_view) override {}
  bool stop_requested() const override { return false; }

 private:
  RunInfo run_;
};

}  // namespace

TEST_CASE("a secret has no line break at its end, as files of secrets have") {
  const PlainContext context;
  ::setenv("QSOHOST_TEST_SECRET", "to ken\r\n\n", 1);
  CHECK(context.secret({"QSOHOST_TEST_SECRET"}) == "to ken");
  ::unsetenv("QSOHOST_TEST_SECRET");
  CHECK_THROWS_WITH(context.secret({"QSOHOST_TEST_SECRET"}), Contains("QSOHOST_TEST_SECRET"));
}
