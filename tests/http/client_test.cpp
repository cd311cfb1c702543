// The loop of the client when something goes wrong in it: no lane may wait for ever.
#include "http/client.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>
#include <catch2/catch.hpp>

#include <filesystem>
#include <future>
#include <new>
#include <thread>

#include "base/interrupted.hpp"
#include "qsohost/error.hpp"

using namespace qsohost;
using namespace std::chrono_literals;
using Catch::Contains;

namespace {

// What libcurl says to the next requests; see the link options.
enum class Libcurl { Works, IsFull, Throws };
std::atomic<Libcurl> libcurl{Libcurl::Works};

}  // namespace

extern "C" {
CURLMcode __real_curl_multi_add_handle(CURLM* multi, CURL* easy);   // NOLINT
CURLMcode __wrap_curl_multi_add_handle(CURLM* multi, CURL* easy) {  // NOLINT
  if (libcurl == Libcurl::IsFull) return CURLM_OUT_OF_MEMORY;
  if (libcurl == Libcurl::Throws) throw std::bad_alloc();
  return __real_curl_multi_add_handle(multi, easy);
}
}

namespace {

// A port of this machine at which nobody listens.
int closed_port() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  REQUIRE(bind(fd, reinterpret_cast<sockaddr*>(&address), length) == 0);
  REQUIRE(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) == 0);
  close(fd);
  return ntohs(address.sin_port);
}

// A token that was read with the line break behind it.
class AsksWithBrokenHeader final : public Conversation {
 public:
  std::vector<Request> begin() override {
    Request request;
    request.url = "http://127.0.0.1:1/";
    request.headers = {"Authorization: Token t0ken-of-mine\n"};
    return {request};
  }
  std::vector<Request> answer(const Request&, const Response&) override { return {}; }
  std::vector<Request> failed(const Request&, const std::string&) override { return {}; }
  void finish(Batch&, Outcomes&) override {}
};

class Asks final : public Conversation {
 public:
  explicit Asks(int requests) : requests_(requests) {}
  std::vector<Request> begin() override {
    std::vector<Request> out;
    for (int k = 0; k < requests_; ++k) {
      out.emplace_back().url = fmt::format("http://127.0.0.1:{}/{}", port_, k);
    }
    return out;
  }
  std::vector<Request> answer(const Request&, const Response&) override { return {}; }
  std::vector<Request> failed(const Request&, const std::string& reason) override {
    reasons.push_back(reason);
    return {};
  }
  void finish(Batch&, Outcomes&) override {}

  std::vector<std::string> reasons;

 private:
  int requests_;
  int port_ = closed_port();  // here, since Catch knows one thread alone
};

// Everything of one conversation. A lane that hangs keeps it, so that the test can go on.
struct Held {
  HttpClient client;
  Asks asks;
  HttpPolicy policy{};
  Counts counts{};
  std::promise<void> done{};

  Held(HttpClient::Settings settings, int requests) : client(std::move(settings)), asks(requests) {}
};

std::shared_ptr<Held> hold(HttpClient::Settings settings, HttpPolicy policy, int requests) {
  auto held = std::make_shared<Held>(std::move(settings), requests);
  held->policy = std::move(policy);
  std::thread([held] {
    try {
      held->client.hold(held->asks, held->policy, "stage", 0, held->counts);
      held->done.set_value();
    } catch (...) {
      held->done.set_exception(std::current_exception());
    }
  }).detach();
  return held;
}

struct Restored {
  ~Restored() { libcurl = Libcurl::Works; }
};

}  // namespace

TEST_CASE("a log that throws leaves no lane waiting, and retries go on") {
  HttpPolicy policy;
  policy.patience = 500ms;
  std::atomic<int> logged{0};
  const auto held = hold({.log =
                              [&](LogLevel, const std::string&) {
                                ++logged;
                                throw std::runtime_error("the disk is full");
                              }},
                         policy, 5);
  auto done = held->done.get_future();
  REQUIRE(done.wait_for(120s) == std::future_status::ready);
  done.get();
  CHECK(logged >= 2);  // that it is gone, and that it is given up
  REQUIRE(held->asks.reasons.size() == 5);
  CHECK_THAT(held->asks.reasons.back(), Contains("no good answer from 127.0.0.1"));
}

TEST_CASE("a request that libcurl refuses is retried, then fails") {
  const Restored restored;
  libcurl = Libcurl::IsFull;
  HttpPolicy policy;
  policy.max_attempts = 2;
  const auto held = hold({}, policy, 3);
  auto done = held->done.get_future();
  REQUIRE(done.wait_for(120s) == std::future_status::ready);
  done.get();
  REQUIRE(held->asks.reasons.size() == 3);
  CHECK_THAT(held->asks.reasons[0],
             Contains("libcurl does not take the request") && Contains("asked 2 times"));
}

TEST_CASE("whatever is thrown in the HTTP thread ends every conversation with an error") {
  const Restored restored;
  libcurl = Libcurl::Throws;
  std::vector<std::string> log;
  const auto held = hold({.log =
                              [&](LogLevel level, const std::string& text) {
                                if (level == LogLevel::Error) log.push_back(text);
                              }},
                         {}, 5);
  auto done = held->done.get_future();
  REQUIRE(done.wait_for(120s) == std::future_status::ready);
  CHECK_THROWS_AS(done.get(), RunError);
  CHECK(held->asks.reasons.empty());  // of no object anything is said
  // Those that come later do not wait either.
  libcurl = Libcurl::Works;
  Asks later(1);
  CHECK_THROWS_AS(held->client.hold(later, held->policy, "stage", 1, held->counts), RunError);
  REQUIRE(log.size() == 1);
  CHECK_THAT(log[0], Contains("out of memory"));
}

TEST_CASE("an interrupted run does not wait for an archive, and fails no object") {
  for (const int interrupted : {1, 2}) {
    static std::atomic<int> interrupts;  // the client may outlive the test for an instant
    interrupts = 0;
    const auto held = hold({.log = {}, .interrupts = &interrupts}, {}, 5);
    auto done = held->done.get_future();
    CHECK(done.wait_for(1s) == std::future_status::timeout);  // it waits, up to its patience
    interrupts = interrupted;
    REQUIRE(done.wait_for(interrupted == 1 ? 40s : 4s) == std::future_status::ready);
    CHECK_THROWS_AS(done.get(), Interrupted);
    CHECK(held->asks.reasons.empty());
  }
}

TEST_CASE("a header that is refused is named, and its value is not shown") {
  HttpClient client{HttpClient::Settings{}};
  AsksWithBrokenHeader asks;
  Counts counts;
  CHECK_THROWS_WITH(client.hold(asks, {}, "survey", 0, counts),
                    Contains("'Authorization'") && !Contains("t0ken"));
}

namespace {

// Asks one thing, and notes what came.
class AsksOnce final : public Conversation {
 public:
  explicit AsksOnce(Request request) : request_(std::move(request)) {}
  std::vector<Request> begin() override { return {request_}; }
  std::vector<Request> answer(const Request&, const Response& response) override {
    body = response.body;
    return {};
  }
  std::vector<Request> failed(const Request&, const std::string& reason) override {
    failure = reason;
    return {};
  }
  std::string body, failure;

 private:
  Request request_;
};

}  // namespace

TEST_CASE("a response of the stage is found by every batch, another one by its own batch") {
  std::string folder = (std::filesystem::temp_directory_path() / "qsohost-client-XXXXXX").string();
  REQUIRE(mkdtemp(folder.data()) != nullptr);
  AnswerStore answers(folder + "/run.db", {});
  Request columns;
  columns.url = "http://127.0.0.1:1/columns";
  columns.of_stage = true;
  Request epochs;
  epochs.url = "http://127.0.0.1:1/epochs";
  Response response;
  response.status = 200;
  response.body = "source_id,mag\n";
  answers.put({"gaia", AnswerStore::kEveryBatch}, columns, response);
  answers.put({"gaia", 0}, epochs, response);
  answers.drop(0);  // it is done
  HttpClient::Settings settings;
  settings.stores = {&answers, nullptr, StoreUse::Offline};
  HttpClient client(settings);
  Counts counts;
  AsksOnce of_stage(columns);
  client.hold(of_stage, {}, "gaia", 7, counts);
  CHECK(of_stage.body == response.body);
  AsksOnce of_batch(epochs);
  client.hold(of_batch, {}, "gaia", 7, counts);
  CHECK_THAT(of_batch.failure, Contains("no response to this request is stored"));
  AsksOnce of_other(columns);
  client.hold(of_other, {}, "neowise", 7, counts);
  CHECK_THAT(of_other.failure, Contains("no response to this request is stored"));
  std::filesystem::remove_all(folder);
}
