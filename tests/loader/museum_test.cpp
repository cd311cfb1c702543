// Plugins that load, and then misbehave: what the host makes of each.
#include <dlfcn.h>

#include <cstdlib>
#include <memory>

#include "../executor/support.hpp"
#include "bad_plugins.hpp"
#include "qsohost/http.hpp"
#include "qsohost/testing.hpp"

using namespace qsohost;
using Catch::Contains;
using Settings = std::vector<std::pair<std::string, std::string>>;

namespace {

constexpr const char* throwing_chain = R"(
[chain]
name = "throws"
[[stage]]
use = "throwing-source"
label = "source"
[[stage]]
use = "throwing-fetcher"
label = "fetch"
[[stage]]
use = "throwing-filter"
label = "filter"
[[stage]]
use = "throwing-fitter"
label = "fit"
[[stage]]
use = "throwing-sink"
label = "sink"
)";

struct ThrowingRun : FauxRun {
  ThrowingRun() {
    text = throwing_chain;
    plugins.add_file(bad_plugin("throws"));
  }
};

// What is said of each thing that is thrown.
struct Thrown {
  std::string what;
  std::string words;
};

std::vector<Thrown> all_thrown(const std::string& call) {
  return {{"number", "a value of type 'int', which is no std::exception"},
          {"struct", "NoException', which is no std::exception"},
          {"own", "thrown by " + call},
          {"chain", "thrown by " + call}};
}

struct Call {
  std::string stage;
  std::string name;
};

void ask(const std::string& stage, const std::string& call, const std::string& what) {
  const PluginPath path(bad_plugin("throws").parent_path());
  Harness harness(stage, {{"where", '"' + call + '"'}, {"what", '"' + what + '"'}});
  harness.targets({{1, 10, 20}});
  // An empty page, or a refusal until the host gives up.
  harness.answers([&](const Request&) -> Response {
    return {call == "failed" ? 404 : 200, {}, {}, {}};
  });
  harness.run();
}

}  // namespace

TEST_CASE("what validate() and declare() throw is a problem of the stage's line") {
  const auto label = GENERATE(as<std::string>{}, "source", "fetch", "filter", "fit", "sink");
  const auto call = GENERATE(as<std::string>{}, "validate", "declare");
  for (const auto& [what, words] : all_thrown(call)) {
    ThrowingRun r;
    CHECK_FALSE(r.load({{label + ".where", call}, {label + ".what", what}}));
    REQUIRE(r.problems.size() == 1);
    INFO(r.problems[0].text());
    CHECK(r.problems[0].place.line > 0);
    CHECK_THAT(r.problems[0].message, Contains(label) && Contains(words));
  }
}

TEST_CASE("what any other call throws fails the run and names the stage") {
  const auto [label, call] = GENERATE(values<Call>({{"source", "open"},
                                                    {"source", "read"},
                                                    {"source", "size"},
                                                    {"fetch", "open"},
                                                    {"fetch", "lanes"},
                                                    {"fetch", "fetch"},
                                                    {"fetch", "fetch-one"},
                                                    {"filter", "open"},
                                                    {"filter", "apply"},
                                                    {"fit", "open"},
                                                    {"fit", "fit"},
                                                    {"sink", "open"},
                                                    {"sink", "write"},
                                                    {"sink", "finish"},
                                                    {"sink", "keeps_chunks"}}));
  for (const auto& [what, words] : all_thrown(call)) {
    ThrowingRun r;
    r.options.progress = [](const Progress&) {};  // size() is asked for the sake of progress
    const RunReport report = r.run({{label + ".where", call}, {label + ".what", what}});
    INFO(label << " " << call << " " << what << ": " << report.error);
    CHECK(report.end == RunEnd::Failed);
    CHECK_THAT(report.error, Contains("stage '" + label + "' (throwing-") &&
                                 Contains("of plugin throws 1.0.0)") && Contains(words));
    if (call == "fit") CHECK_THAT(report.error, Contains("object "));
  }
}

TEST_CASE("what a call of an HTTP fetcher throws names the stage") {
  const auto [stage, call] = GENERATE(values<Call>({{"throwing-conversation", "policy"},
                                                    {"throwing-conversation", "converse"},
                                                    {"throwing-conversation", "begin"},
                                                    {"throwing-conversation", "answer"},
                                                    {"throwing-conversation", "failed"},
                                                    {"throwing-conversation", "finish"},
                                                    {"throwing-request", "request"},
                                                    {"throwing-request", "parse"},
                                                    {"throwing-request", "confirmations"}}));
  for (const auto& [what, words] : all_thrown(call)) {
    INFO(stage << " " << call << " " << what);
    CHECK_THROWS_WITH(ask(stage, call, what), Contains("stage '" + stage + "'") && Contains(words));
  }
  CHECK_NOTHROW(ask(stage, "nowhere", "number"));
}

TEST_CASE("objects made by a plugin are given back to it") {
  Plugins plugins;
  plugins.add_file(bad_plugin("own_memory"));
  for (int i = 0; i < 3; ++i) {
    const StagePtr stage = plugins.create("own-memory");
    CHECK_THROWS_WITH(plugins.create("own-memory"), Contains("the one place is taken"));
  }
}

TEST_CASE("stages outlive the list of plugins that they came from") {
  StagePtr stage;
  {
    Plugins plugins;
    plugins.add_file(bad_plugin("throws"));
    stage = plugins.create("throwing-filter");
  }
  const auto file = bad_plugin("throws");
  void* library = ::dlopen(file.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  CHECK(library != nullptr);
  for (int i = 0; library != nullptr && i < 8; ++i) ::dlclose(library);  // it stays all the same
  CHECK(stage->options().size() == 2);
  CHECK_NOTHROW(stage->validate());
  stage->options().at(0)->set({OptionValue::Scalar{std::string("validate")}});
  stage->options().at(1)->set({OptionValue::Scalar{std::string("own")}});
  std::exception_ptr kept;
  try {
    stage->validate();
  } catch (...) {
    kept = std::current_exception();
  }
  stage.reset();
  CHECK_THROWS_WITH(std::rethrow_exception(kept), "thrown by validate");
}

TEST_CASE("an Object that outlives its batch throws instead of reading freed memory") {
  FauxRun r;
  r.plugins.add_file(bad_plugin("keeps"));
  r.options.threads = r.options.in_flight = 1;  // the first batch is gone when the second comes
  r.text = R"(
[chain]
name = "keeps"
batch_rows = 10
[[stage]]
use = "faux-source"
label = "source"
[[stage]]
use = "keeps-object"
label = "keeps"
)";
  const RunReport report = r.run();
  CHECK(report.end == RunEnd::Failed);
  CHECK(report.objects == 10);
  CHECK_THAT(report.error, Contains("stage 'keeps'") && Contains("object 11") &&
                               Contains("used an Object whose batch is gone") &&
                               Contains("copy what is needed later"));
}
