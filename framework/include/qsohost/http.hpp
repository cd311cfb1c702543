// Asking an archive over HTTP, without touching the network: a plugin says what to ask and reads
// what is answered; the host does the rest. Connections, how many of them an archive bears,
// Retry-After, back-off, time-outs, keeping answers for a resumed run, --record and --replay are
// the host's. So a test needs no server, and no plugin can be impolite.
//
// Most surveys need one question an object: derive from ObjectFetcher. Where one request can ask
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

// Two requests that are equal in method, url, body and turn are one question: a resumed run that
// has its answer does not ask again.
struct Request {
  std::string url{};  // http or https, with its query, everything escaped (see escape())
  std::string method = "GET";
  std::string body{};                  // of a POST
  std::string content_type{};          // of the body
  std::vector<std::string> headers{};  // "Accept: text/csv"; nothing secret
  std::string about{};                 // what it asks for, for messages: "source 4711"
  std::uint64_t tag = 0;               // the plugin's own, comes back with the answer to it
  int turn = 0;                        // asked again on purpose: 1, 2, ...
  std::chrono::milliseconds delay{0};  // not sent earlier than so long after it was given
  bool keep = true;                    // false: worth nothing later (the state of a job)
  // Statuses that are answers too, besides 200 to 299: {404} where that means "nothing there". Not
  // 408, 425, 429 and 503, which say "later".
  std::vector<int> accept{};
  // True: an answer that was kept is void, so the archive is asked, and the new answer is kept in
  // its place. For a job that the archive has forgotten since.
  bool fresh = false;
};

struct Response {
  int status = 0;
  std::string url;  // after redirects, if any
  // Content-Type, Content-Length, Location, Retry-After and Date alone: these are stored with an
  // answer, and a resumed run must see what the first one saw. No cookies.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body{};  // decompressed
  // False: the archive did not announce where the answer ends (no Content-Length, not chunked), so
  // it may have been cut between two lines. A Conversation believes such an answer only if its
  // format says where it ends (a VOTable), or if another answer agrees; ObjectFetcher sees to that
  // by itself.
  bool is_end_known = true;
  // True: an earlier attempt at this batch got it and it was kept; nobody was asked now.
  bool is_kept = false;

  // Value of the first header of that name, whatever its case; "" if there is none.
  QSOHOST_API std::string_view header(std::string_view name) const;
};

// Percent-encodes everything but A-Z a-z 0-9 - . _ ~ (RFC 3986).
QSOHOST_API std::string escape(std::string_view text);

// How an archive wants to be asked. Whatever stands here, the host asks less when the archive shows
// that it has enough: 429, 5xx, time-outs, resets, untrustworthy answers, rising latency.
// Retry-After is obeyed, but for no longer than five minutes or half of `patience` at a time: then
// the archive is asked whether that was meant.
struct HttpPolicy {
  int max_connections = 0;                     // to one remote host; 0: as many as it bears
  std::chrono::milliseconds timeout{120'000};  // of one request
  int max_attempts = 8;                        // of one request, while the archive answers others
  // With no good answer at all while something waits; then it is given up.
  std::chrono::milliseconds patience{600'000};
  std::size_t max_body = std::size_t{256} << 20;  // bytes, decompressed; more is refused
  std::string contact;                            // e-mail or URL that goes into the User-Agent
};

// What is asked and answered for one batch. One thread at a time, never two.
class QSOHOST_API Conversation {
 public:
  virtual ~Conversation();
  // The first questions.
  virtual std::vector<Request> begin() = 0;
  // An answer with status 200 to 299, or one that the request accepts; gives further questions, if
  // any. Answers come in any order. The tag of `request` is the one that it was given with.
  // Throws TryAgain when it cannot be trusted (cut short, an error in disguise): the host asks
  // again, later and with fewer connections. What it had changed by then it must have taken back.
  virtual std::vector<Request> answer(const Request& request, const Response& response) = 0;
  // The host gave up on this question, for this reason. May give other questions that lead to the
  // same end by another way. Not called for 401, nor for 403 from an archive that has answered
  // nothing well in this run, unless the request accepts them: then the token or the account is
  // wrong for all objects, and the run stops.
  virtual std::vector<Request> failed(const Request& request, const std::string& reason) = 0;
  // No question is open. Appends the epochs of every object, in row order, and says how each ended.
  virtual void finish(Batch& batch, Outcomes& outcomes) = 0;
};

// The host's side.
class QSOHOST_API Http {
 public:
  virtual ~Http();
  // Asks until no question is open. `stage` and `ordinal` say whose answers are kept together; how
  // much was asked goes to `counts`.
  virtual void hold(Conversation& conversation, const HttpPolicy& policy, std::string_view stage,
                    std::uint64_t ordinal, Counts& counts) = 0;
};

class QSOHOST_API HttpFetcher : public Fetcher {
 public:
  ~HttpFetcher() override;
  virtual HttpPolicy policy() const { return {}; }
  // The batch, its columns and `counts` outlive the conversation.
  virtual std::unique_ptr<Conversation> converse(const Batch& batch, Counts& counts) const = 0;

  void connect(Http& http) { http_ = &http; }  // by the host, once the stage is open
  void fetch(Batch& batch, Outcomes& outcomes) final;
  // Batches that talk at the same time. That does not make more connections; it keeps those there
  // are busy while the last questions of a batch wait for their answers.
  int lanes() const override { return 4; }

 private:
  Http* http_ = nullptr;
};

// The simple form: each object is asked about on its own. An answer that does not say where it ends
// (Response::is_end_known; VOTables say so themselves) is asked for again until two are equal, and
// is parsed each time; only then it counts.
//
// An object that fails although an answer of an earlier attempt was used for it is asked about once
// more from request() on, with nothing that was kept: an archive may have forgotten a job.
class QSOHOST_API ObjectFetcher : public HttpFetcher {
 public:
  ~ObjectFetcher() override;
  virtual Request request(const Object& object) const = 0;
  // Appends the epochs that the answer holds to the fetcher's groups in `epochs`, a batch of this
  // object alone, or returns a further question (and then appends nothing). Throws NotFound
  // (nothing there), TryAgain (the answer cannot be trusted), BadObject. `request` is as request()
  // or parse() returned it, its tag included; `turn` counts up where the host asks again. Any
  // thread.
  virtual std::optional<Request> parse(const Object& object, const Request& request,
                                       const Response& response, Batch& epochs,
                                       Counts& counts) const = 0;
  // How often "nothing there" must be answered before it is believed; archives under load are
  // known to answer so wrongly.
  virtual int confirmations() const { return 1; }

  std::unique_ptr<Conversation> converse(const Batch& batch, Counts& counts) const final;
};

}  // namespace qsohost::inline v1
