// A query to a TAP service (IVOA TAP 1.1, DALI 1.1, UWS 1.1), as part of a Conversation: sync, or
// as a job that is created, polled and read (async). Nothing here depends on an archive or its
// columns; the plugin's reader interprets the rows.
//
//   TapExchange tap(query, [&](const TapAnswer& answer) { TableReader table(answer.body); ... });
//   begin():                   return {tap.begin()};
//   answer(request, response): if (auto next = tap.answer(request, response)) return {*next};
//   failed(request, reason):   if (auto next = tap.failed(reason)) return {*next};
//
// Without a next request the query is over: either failure() is empty and the reader has received
// the rows, or failure() says why there are none.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/http.hpp"

namespace qsohost::inline v1 {

// A table that is uploaded. The query refers to it as TAP_UPLOAD.name.
struct TapUpload {
  std::string name;     // letters, digits and '_'
  std::string content;  // see to_votable()
  std::string content_type = "application/x-votable+xml";
};

struct UploadColumn {
  std::string name;
  std::string datatype;  // of VOTable: "int", "long", "double", "char" (text)
  std::string unit{};
};
// Cells as text, as many in each row as there are columns.
QSOHOST_API std::string to_votable(std::span<const UploadColumn> columns,
                                   std::span<const std::vector<std::string>> rows);

struct TapQuery {
  std::string url;  // of the service, without /sync or /async
  std::string adql{};
  std::string language = "ADQL";
  // A VOTable marks its end and says whether rows are missing; CSV is a third as long and does
  // neither. TableReader reads only TABLEDATA: some services need "votable_plain" or "votable/td".
  std::string format = "votable";
  std::string format_parameter = "FORMAT";  // "RESPONSEFORMAT" where only TAP 1.1 is understood
  // MAXREC. 0: the service's own limit, which cuts CSV silently; set that limit here, and
  // TapAnswer::is_overflow detects a full page.
  std::int64_t max_rows = 0;
  std::vector<std::pair<std::string, std::string>> parameters{};  // others, such as "jobname"
  std::vector<TapUpload> uploads{};
  // With uploads: the parameters go into the URL, and only the tables into the body. IRSA may
  // refuse a job without ("QUERY must be set").
  bool parameters_in_url = false;
  std::vector<std::string> headers{};  // of every request
  std::string about{};                 // for messages: "objects near 500 positions"
  int turn = 0;                        // the same query sent again on purpose: 1, 2, ...
  std::chrono::milliseconds delay{0};  // before it is sent
  bool as_job = false;                 // async
  // A job that takes longer is deleted, and the query fails.
  std::chrono::milliseconds job_timeout{3'600'000};
  // Deletes the job once it is read or has failed, for services where results count against a
  // quota; a resumed run uses the stored result. False: the service deletes it in time.
  bool deletes_job = false;
};

// A response that is not an error document.
struct TapAnswer {
  const std::string& body;
  // More rows exist than were sent: a VOTable says so, CSV has as many as max_rows.
  bool is_overflow = false;
};

// One request is pending at a time. Errors are recognised by content, whatever the status: VOTables
// with QUERY_STATUS ERROR, HTML, empty bodies and "null" are not trusted, and the host retries. A
// response that is not a VOTable and has no known end (Response::is_end_known) is requested until
// two are equal.
//
// A job that ends in an error or cannot be polled is created again, up to twice; the stored
// response of the last one replaces those before. One of an earlier attempt that the service has
// deleted since (404) is created again at once. One thread at a time.
class QSOHOST_API TapExchange {
 public:
  // Receives the rows. Throws TryAgain when they cannot be trusted, so that the host retries, or
  // BadObject when that would not help: then the query fails. Either way it must not have changed
  // anything.
  using Reader = std::function<void(const TapAnswer&)>;

  TapExchange(TapQuery query, Reader read);
  ~TapExchange();
  TapExchange(TapExchange&&) noexcept;

  Request begin();
  // May throw TryAgain; then nothing has changed.
  std::optional<Request> answer(const Request& request, const Response& response);
  // The host has given up on the pending request.
  std::optional<Request> failed(const std::string& reason);

  const std::string& failure() const;  // "": none
  bool is_timed_out() const;           // it failed because its job took longer than job_timeout

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qsohost::inline v1
