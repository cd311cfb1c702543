#include "serve.hpp"

#include <fmt/format.h>
#include <httplib.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "archives/atlas.hpp"
#include "archives/datalink.hpp"
#include "archives/xmatch.hpp"
#include "faults.hpp"
#include "faulty_answers.hpp"
#include "form.hpp"
#include "qsohost/error.hpp"
#include "table_text.hpp"
#include "tap/archives.hpp"
#include "throttle.hpp"
#include "traps.hpp"
#include "ztf_query.hpp"

namespace qsohost::skysim {

namespace {

using Seconds = std::chrono::duration<double>;
constexpr std::size_t kThreads = 128;    // one for each connection
constexpr double kJob = 53.6;            // seconds, of 10,000 positions at IRSA, measured
constexpr double kJobUnthrottled = 0.2;  // here, with no throttle
constexpr const char* kCurves = "/cgi-bin/ZTF/nph_light_curves";

class Counts {
 public:
  void add(const std::string& what, std::uint64_t n = 1) {
    const std::lock_guard lock(mutex_);
    counts_[what] += n;
  }
  void connection(int port) {
    const std::lock_guard lock(mutex_);
    ports_.insert(port);
  }
  std::string json() const {
    const std::lock_guard lock(mutex_);
    std::string out = fmt::format("\"connections\": {}", ports_.size());
    for (const auto& [what, n] : counts_) out += fmt::format(",\n  {}: {}", json_text(what), n);
    return out;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::uint64_t> counts_;
  std::set<int> ports_;
};

// The library prefers Brotli at its slowest level: a second for each light curve. Gzip is fast. And
// it does not know targets that are whole URLs (RFC 9112, 3.2.2), which clients may send. The
// request is the library's own object and not constant.
httplib::Server::HandlerResponse adjusted(const httplib::Request& request,
                                          httplib::Response& /*response*/) {
  auto& own = const_cast<httplib::Request&>(request);
  keep_form(own);
  const auto [first, last] = own.headers.equal_range("Accept-Encoding");
  for (auto it = first; it != last; ++it) {
    if (it->second.find("gzip") != std::string::npos) it->second = "gzip";
  }
  constexpr std::string_view scheme = "http://";
  if (own.path.starts_with(scheme)) {
    own.path.erase(0, std::min(own.path.find('/', scheme.size()), own.path.size()));
  }
  return httplib::Server::HandlerResponse::Unhandled;
}

class Server {
 public:
  explicit Server(const ServeOptions& options)
      : options_(options),
        store_(options.folder),
        throttle_(options.throttle == "irsa", options.time_scale, options.seed),
        faults_(options.faults, options.seed),
        traps_(options.traps, options.seed) {
    const Conditions conditions{
        faults_, traps_, options.throttle == "irsa" ? kJob / options.time_scale : kJobUnthrottled,
        options.time_scale};
    // cppcheck-suppress useInitializationList  // needs the conditions
    archives_ = tap_archives(options.folder, options.gaia_release, conditions);
    archives_.push_back(
        std::make_unique<DataLinkService>(options.folder, options.gaia_release, conditions));
    archives_.push_back(std::make_unique<XMatchService>(options.folder, conditions));
    archives_.push_back(std::make_unique<AtlasService>(options.folder, conditions));
    set_up();
  }
  void run();

 private:
  using Request = httplib::Request;
  using Response = httplib::Response;

  void set_up();
  void light_curves(const Request& request, Response& response);
  void give(Response& response, const ZtfQuery& query, Fault fault);
  void commit(Fault fault, const Request& request, Response& response, const ZtfQuery& query);
  void refuse(Response& response, int status, std::string_view message);
  std::string status() const;

  ServeOptions options_;
  ZtfStore store_;
  Throttle throttle_;
  Faults faults_;
  Traps traps_;
  std::vector<std::unique_ptr<ArchiveService>> archives_;
  Counts counts_;
  httplib::Server http_;
};

void Server::refuse(Response& response, int status, std::string_view message) {
  counts_.add(fmt::format("status {}", status));
  response.status = status;
  response.set_content(error_votable(message), "application/x-votable+xml");
}

// A response as it is, or without its rows.
void Server::give(Response& response, const ZtfQuery& query, Fault fault) {
  ZtfAnswer full = answer(store_, query);
  const bool is_empty = full.rows == 0;
  if (fault == Fault::Empty) {
    ZtfQuery nothing = query;
    nothing.time = Range{-2, -1};
    full = answer(store_, nothing);
    counts_.add(is_empty ? "empty answers" : "wrong empty answers");
  } else {
    counts_.add(is_empty ? "empty answers" : "right answers");
    counts_.add("rows", full.rows);
    counts_.add("objects", full.objects);
  }
  counts_.add("status 200");
  response.set_content(full.body, std::string(content_type(query.format)).c_str());
}

void Server::commit(Fault fault, const Request& request, Response& response,
                    const ZtfQuery& query) {
  counts_.add(fmt::format("fault {}", kFaultNames[static_cast<std::size_t>(fault)]));
  if (fault == Fault::Empty) return give(response, query, fault);
  send_faulty(fault, request, response, answer(store_, query).body,
              std::string(content_type(query.format)), {faults_.part(), options_.time_scale});
  if (response.status >= 400 || fault == Fault::QueryStatus) {
    counts_.add(fmt::format("status {}", response.status));
  }
}

void Server::light_curves(const Request& request, Response& response) {
  std::optional<Throttle::Request> in_flight(std::in_place, throttle_);
  const Turn turn = in_flight->turn();
  counts_.add("light-curve requests");
  counts_.connection(request.remote_port);
  ZtfQuery query;
  try {
    const auto parameters = parameters_of(request);
    query = parse_query({parameters.begin(), parameters.end()});
  } catch (const BadRequest& error) {
    counts_.add("bad requests");
    return refuse(response, 400, error.what());
  }
  counts_.add(query.centre ? "positions asked" : "ids asked", query.centre ? 1 : query.ids.size());
  std::this_thread::sleep_for(turn.wait);
  if (turn.verdict == Verdict::TimeOut) {
    counts_.add("time-outs");
    in_flight.reset();  // before the client can see the response
    return reset_connection(request);
  }
  if (turn.verdict == Verdict::WrongEmpty) {
    return give(response, query, Fault::Empty);
  }
  const Fault fault = faults_.next();
  if (fault == Fault::None) return give(response, query, fault);
  if (fault == Fault::Reset) in_flight.reset();
  commit(fault, request, response, query);
}

std::string Server::status() const {
  std::string services;
  for (const auto& archive : archives_) {
    services += fmt::format("{}\n    {}: {}", services.empty() ? "" : ",",
                            json_text(archive->name()), archive->status());
  }
  return fmt::format(
      "{{\n  {},\n  \"in flight\": {},\n  \"most in flight\": {},\n  \"services\": {{{}\n  "
      "}}\n}}\n",
      counts_.json(), throttle_.in_flight(), throttle_.most_in_flight(), services);
}

void Server::set_up() {
  http_.new_task_queue = [] { return new httplib::ThreadPool(kThreads); };
  http_.set_tcp_nodelay(true);
  http_.set_pre_routing_handler(adjusted);
  http_.set_keep_alive_max_count(1'000'000'000);
  http_.set_keep_alive_timeout(30);
  http_.set_payload_max_length(std::size_t{256} << 20);
  // Without SO_REUSEPORT, so that two servers cannot share a port.
  http_.set_socket_options([](socket_t socket) {
    const int yes = 1;
    setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  });
  const auto curves = [this](const Request& q, Response& r) { light_curves(q, r); };
  http_.Get(kCurves, curves);
  http_.Post(kCurves, curves);
  http_.Get("/status",
            [this](const Request&, Response& r) { r.set_content(status(), "application/json"); });
  for (const auto& archive : archives_) archive->add_to(http_);
}

void Server::run() {
  // Before any thread starts, so that all of them block these signals and only the waiter gets
  // them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  int port = options_.port;
  if (port == 0) {
    port = http_.bind_to_any_port("127.0.0.1");
  } else if (!http_.bind_to_port("127.0.0.1", port)) {
    port = -1;
  }
  if (port < 0) throw RunError(fmt::format("port {} cannot be used", options_.port));
  std::atomic<bool> is_over = false;
  std::jthread waiter([this, signals, &is_over] {
    int signal = 0;
    sigwait(&signals, &signal);
    // A server that does not run yet would miss it.
    while (!is_over && !http_.is_running())
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    http_.stop();
  });
  fmt::print("listening on http://127.0.0.1:{}\n", port);
  std::fflush(stdout);
  http_.listen_after_bind();
  is_over = true;
  kill(getpid(), SIGTERM);  // wakes the waiter if the server has ended by itself
}

}  // namespace

void serve(const ServeOptions& options) {
  Server(options).run();
}

}  // namespace qsohost::skysim
