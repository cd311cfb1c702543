// HTTP requests to an archive, without touching the network: a plugin gives requests and reads
// responses; the host does the rest. Connections and how many of them an archive sustains,
// Retry-After, back-off, timeouts, storing responses for a resumed run, --record and --replay are
// the host's. So a test needs no server, and no plugin can overload an archive.
//
// Most surveys need one request per object: derive from ObjectFetcher. Where one request can ask
// for many objects, or a job must be polled, derive from HttpFetcher and hold a Conversation.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

// Two requests that are equal in method, url, body and turn are the same request: a resumed run
// that has stored its response does not send it again.
struct Request {
  std::string url{};  // http or https, with its query, everything escaped (see escape())
  std::string method = "GET";
  std::string body{};                  // of a POST
  std::string content_type{};          // of the body
  std::vector<std::string> headers{};  // "Accept: text/csv"; nothing secret
  std::string about{};                 // what it requests, for messages: "source 4711"
  std::uint64_t tag = 0;               // the plugin's own, comes back with the response
  int turn = 0;                        // sent again on purpose: 1, 2, ...
  // From when it was given to when it is sent, at least. A request with a delay is sent again,
  // after a failure, no sooner than after half a second (or the delay, if that is shorter).
  std::chrono::milliseconds delay{0};
  bool keep = true;  // false: not stored, of no use later (the state of a job)
  // Statuses that count as success, besides 200 to 299: {404} where that means "nothing there". Not
  // 408, 425 and 503, which mean "later". 429 only if the plugin itself waits as long as the text
  // of the response says; otherwise the host obeys Retry-After.
  std::vector<int> accept{};
  // True: ignores a stored response, sends the request, and stores the new response in its place.
  // For a job that the archive has deleted since.
  bool fresh = false;
  // True: every batch of the stage may ask this (the columns of a table), so the response is stored
  // for all of them. Only one batch sends it, if the plugin remembers the response; which one must
  // not matter to a run that computes from stored responses.
  bool of_stage = false;
};

struct Response {
  int status = 0;
  std::string url;  // after redirects, if any
  // Content-Type, Content-Length, Location, Retry-After and Date alone: these are stored with a
  // response, and a resumed run must see what the first one saw. No cookies.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body{};  // decompressed
  // False: the archive did not announce where the response ends (no Content-Length, not chunked),
  // so it may have been cut between two lines. A Conversation must trust such a response only if
  // its format marks its end (a VOTable), or if another response agrees; ObjectFetcher does so by
  // itself.
  bool is_end_known = true;
  // True: stored by an earlier attempt at this batch; no request was sent now.
  bool is_kept = false;

  // Value of the first header of that name, ignoring case; "" if there is none.
  QSOHOST_API std::string_view header(std::string_view name) const;
};

// Percent-encodes everything but A-Z a-z 0-9 - . _ ~ (RFC 3986).
QSOHOST_API std::string escape(std::string_view text);

// Limits for requests to an archive. Whatever they are, the host sends fewer requests when the
// archive shows signs of overload: 429, 5xx, timeouts, resets, untrustworthy responses, rising
// latency. Retry-After is obeyed, but for at most five minutes or half of `patience` at a time:
// then the host retries, in case the archive did not mean it.
struct HttpPolicy {
  int max_connections = 0;                     // to one archive; 0: as many as it sustains
  std::chrono::milliseconds timeout{120'000};  // of one request
  int max_attempts = 8;                        // of one request, while others succeed
  // Time without any good response while requests are pending; then they are given up.
  std::chrono::milliseconds patience{600'000};
  std::size_t max_body = std::size_t{256} << 20;  // bytes, decompressed; more is refused
  std::string contact{};                          // e-mail or URL that goes into the User-Agent
};

// All requests and responses for one batch. Called from one thread at a time.
class QSOHOST_API Conversation {
 public:
  virtual ~Conversation();
  // The first requests.
  virtual std::vector<Request> begin() = 0;
  // Handles a response with status 200 to 299, or one that the request accepts; returns further
  // requests, if any. Responses come in any order. `request` has the tag that the plugin gave it.
  // Throws TryAgain when the response cannot be trusted (cut short, an error in disguise): the host
  // retries later, with fewer connections. It must first undo whatever it had changed.
  virtual std::vector<Request> answer(const Request& request, const Response& response) = 0;
  // The host gave up on this request, for this reason. May return other requests that get the same
  // data another way. Unless a request accepts it, 401 ends the run at any time, for the token is
  // wrong for all objects; 403 ends it only where an archive that has given no good response in
  // this run, its earlier attempts included, denies the first eight requests, or all that there
  // are: otherwise it is about this request alone.
  virtual std::vector<Request> failed(const Request& request, const std::string& reason) = 0;
  // Of an HttpFetcher, called when no request is pending. Appends the epochs of every object, in
  // row order, and sets the outcome of each. By default does nothing, as for a Source.
  virtual void finish(Batch& batch, Outcomes& outcomes);
  // Objects of the batch about which more has to be asked, for the display of progress inside a
  // batch; called after begin() and after each response. 0 where it is not known.
  virtual std::size_t unsettled() const { return 0; }
};

// The host's side.
class QSOHOST_API Http {
 public:
  virtual ~Http();
  // Sends requests until none is pending. Responses are stored under `stage` and `ordinal`; the
  // number of requests goes to `counts`.
  virtual void hold(Conversation& conversation, const HttpPolicy& policy, std::string_view stage,
                    std::uint64_t ordinal, Counts& counts) = 0;
};

// A stage that sends requests: every HttpFetcher; a Source or Fetcher that derives from this class
// too.
class QSOHOST_API HttpStage {
 public:
  virtual ~HttpStage();
  virtual HttpPolicy policy() const { return {}; }
  void connect(Http& http) { http_ = &http; }  // by the host, before it opens the stage

 protected:
  // Throws RunError if the host did not connect the stage.
  Http& http() const;

 private:
  Http* http_ = nullptr;
};

// The `ordinal` for Http::hold() in open() and read() of a Source: its responses belong to no
// batch. They stay until the run is done and nothing is unsettled, so a resumed run reads the same
// rows without a request. `part` counts the conversations of the source, from 0.
//
// hold() ends with an exception once the user stops the run; a Source must let it pass.
inline constexpr std::uint64_t source_ordinal(std::uint64_t part) {
  return (std::uint64_t{1} << 48) + part;
}

class QSOHOST_API HttpFetcher : public Fetcher, public HttpStage {
 public:
  ~HttpFetcher() override;
  // The batch, its columns and `counts` outlive the conversation.
  virtual std::unique_ptr<Conversation> converse(const Batch& batch, Counts& counts) const = 0;

  void fetch(Batch& batch, Outcomes& outcomes) final;
  // Batches with requests at the same time. That does not open more connections; it keeps the open
  // ones busy while the last requests of a batch wait for their responses.
  int lanes() const override { return 4; }
};

// The simple form: a request per object. A response without a known end (Response::is_end_known;
// VOTables mark their end themselves) is requested again until two are equal, and is parsed each
// time; only then it counts.
//
// An object that fails after a response stored by an earlier attempt was used for it is requested
// once more from request() on, without stored responses: the archive may have deleted a job.
class QSOHOST_API ObjectFetcher : public HttpFetcher {
 public:
  ~ObjectFetcher() override;
  virtual Request request(const Object& object) const = 0;
  // Appends the epochs of the response to the fetcher's groups in `epochs`, a batch of this object
  // alone, or returns a further request (and then appends nothing). Throws NotFound (nothing
  // there), TryAgain (the response cannot be trusted), BadObject. `request` is as request() or
  // parse() returned it, its tag included; `turn` counts up where the host sends it again. Any
  // thread.
  virtual std::optional<Request> parse(const Object& object, const Request& request,
                                       const Response& response, Batch& epochs,
                                       Counts& counts) const = 0;
  // The number of "nothing there" responses needed before one is trusted; archives under load are
  // known to send it wrongly.
  virtual int confirmations() const { return 1; }

  std::unique_ptr<Conversation> converse(const Batch& batch, Counts& counts) const final;
};

}  // namespace qsohost::inline v1
