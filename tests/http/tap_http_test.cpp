// A job over HTTP, with the redirects that services answer with.
#include <fmt/format.h>
#include <httplib.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

#include "http/client.hpp"
#include "qsohost/tap.hpp"

using namespace qsohost;

namespace {

const std::string kRows = "source_id\n1\n2\n";

// A service on loopback that redirects as services do.
class Service {
 public:
  Service() {
    http_.Post("/tap/async", [this](const httplib::Request&, httplib::Response& r) {
      r.status = 303;
      r.set_header("Location", fmt::format("/tap/async/{}", ++jobs));
    });
    http_.Get("/tap/async/1/phase", [](const httplib::Request&, httplib::Response& r) {
      r.set_content("COMPLETED", "text/plain");
    });
    http_.Get("/tap/async/1/results/result", [](const httplib::Request&, httplib::Response& r) {
      r.set_redirect("/files/1.csv", 302);
    });
    http_.Get("/files/1.csv", [](const httplib::Request&, httplib::Response& r) {
      r.set_content(kRows, "text/csv");
    });
    http_.Get("/tap/async/1", [](const httplib::Request&, httplib::Response& r) {
      r.set_content("<uws:job/>", "text/xml");
    });
    http_.Delete("/tap/async/1", [this](const httplib::Request&, httplib::Response& r) {
      ++deleted;
      r.set_redirect("/tap/async", 303);
    });
    http_.Get("/tap/async", [this](const httplib::Request&, httplib::Response& r) {
      ++listed;
      r.set_content("<uws:jobs/>", "text/xml");
    });
    port_ = http_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { http_.listen_after_bind(); });
  }
  ~Service() {
    http_.stop();
    thread_.join();
  }
  std::string url() const { return fmt::format("http://127.0.0.1:{}/tap", port_); }

  std::atomic<int> jobs{0};
  std::atomic<int> deleted{0};
  std::atomic<int> listed{0};

 private:
  httplib::Server http_;
  int port_ = 0;
  std::thread thread_;
};

class OneQuery final : public Conversation {
 public:
  explicit OneQuery(TapQuery query)
      : tap_(std::move(query), [this](const TapAnswer& answer) { body = answer.body; }) {}
  std::vector<Request> begin() override { return {tap_.begin()}; }
  std::vector<Request> answer(const Request& request, const Response& response) override {
    return list(tap_.answer(request, response));
  }
  std::vector<Request> failed(const Request& /*request*/, const std::string& reason) override {
    return list(tap_.failed(reason));
  }
  void finish(Batch&, Outcomes&) override {}
  const std::string& failure() const { return tap_.failure(); }

  std::string body;

 private:
  static std::vector<Request> list(std::optional<Request> next) {
    if (!next) return {};
    return {std::move(*next)};
  }
  TapExchange tap_;
};

}  // namespace

TEST_CASE("a job over HTTP: redirects without a host, and one that is not followed") {
  Service service;
  TapQuery query;
  query.url = service.url();
  query.adql = "SELECT source_id FROM gaiadr3.gaia_source";
  query.format = "csv";
  query.as_job = true;
  query.deletes_job = true;
  OneQuery asked(query);
  Counts counts;
  HttpClient({}).hold(asked, {}, "stage", 0, counts);
  CHECK(asked.failure().empty());
  CHECK(asked.body == kRows);
  CHECK(service.jobs == 1);
  CHECK(service.deleted == 1);
  CHECK(service.listed == 0);  // of thousands of jobs, perhaps
}
