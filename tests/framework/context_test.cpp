#include <dlfcn.h>
#include <sys/prctl.h>

#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <fstream>

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

// With the leak checker of the sanitizers it may: see secrets.cpp.
TEST_CASE("a process that has read a secret leaves no core file") {
  if (::dlsym(RTLD_DEFAULT, "__asan_init") != nullptr) return;
  const PlainContext context;
  ::setenv("QSOHOST_TEST_SECRET", "to ken", 1);
  ::prctl(PR_SET_DUMPABLE, 1);
  CHECK(context.secret({"QSOHOST_TEST_SECRET"}) == "to ken");
  CHECK(::prctl(PR_GET_DUMPABLE) == 0);
  ::prctl(PR_SET_DUMPABLE, 1);
  ::unsetenv("QSOHOST_TEST_SECRET");
}

TEST_CASE("a secret may be in a file; one that is empty or not there is none") {
  const PlainContext context;
  const std::string file = "qsohost-test-secret.txt";
  std::ofstream(file) << "from a file\n";
  CHECK(context.secret({"file:" + file}) == "from a file");
  std::ofstream(file) << "\n";
  CHECK_THROWS_WITH(context.secret({"file:" + file}), Contains(file) && Contains("is empty"));
  std::remove(file.c_str());
  CHECK_THROWS_WITH(context.secret({"file:" + file}), Contains(file) && Contains("cannot be read"));
}
