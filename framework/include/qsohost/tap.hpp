// A query to a TAP service (IVOA TAP 1.1, DALI 1.1, UWS 1.1), as part of a Conversation: answered
// at once (sync), or by a job that is created, polled and read (async). No archive and no column is
// known here; what the rows mean is for the plugin's reader.
//
//   TapExchange tap(query, [&](const TapAnswer& answer) { TableReader table(answer.body); ... });
//   begin():                   return {tap.begin()};
//   answer(request, response): if (auto next = tap.answer(request, response)) return {*next};
//   failed(request, reason):   if (auto next = tap.failed(reason)) return {*next};
//
// When there is no next request it is over: failure() is empty, and the reader has had the rows, or
// it says why there are none.
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

// A table that is sent along. The query has it as TAP_UPLOAD.name.
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
  // A VOTable says where it ends and whether rows are missing; CSV is a third as long and says
  // neither. TableReader reads TABLEDATA alone: some services need "votable_plain" or "votable/td".
  std::string format = "votable";
  std::string format_parameter = "FORMAT";  // "RESPONSEFORMAT" where only TAP 1.1 is understood
  // MAXREC. 0: the service's own limit, which cuts CSV without a sign; give that limit here, and
  // TapAnswer::is_overflow sees a full page.
  std::int64_t max_rows = 0;
  std::vector<std::pair<std::string, std::string>> parameters{};  // others, such as "jobname"
  std::vector<TapUpload> uploads{};
  std::vector<std::string> headers{};  // of every request
  std::string about{};                 // for messages: "objects near 500 positions"
  int turn = 0;                        // the same query asked again on purpose: 1, 2, ...
  std::chrono::milliseconds delay{0};  // before it is asked
  bool as_job = false;                 // async
  // A job that is not done after so long is deleted, and the query has failed.
  std::chrono::milliseconds job_timeout{3'600'000};
  // Deletes the job once it is read, where results count against a quota. A run that is resumed
  // then has to create it again, if the batch was not settled; else the service deletes it in time.
  bool deletes_job = false;
};

// An answer that is no error document.
struct TapAnswer {
  const std::string& body;
  // There are more rows than were sent: a VOTable says so, CSV has as many as max_rows.
  bool is_overflow = false;
};

// One request is open at a time. Errors are recognised by content, whatever the status: VOTables
// with QUERY_STATUS ERROR, HTML, empty bodies and "null" are not trusted, and the host asks again.
// What is no VOTable and does not say where it ends (Response::is_end_known) is asked for until two
// answers are equal.
//
// A job that ends in an error is created anew twice. One that the service does not know any more
// (404: it was deleted while the run was interrupted) is created anew too. One thread at a time.
class QSOHOST_API TapExchange {
 public:
  // Is given the rows. Throws TryAgain when they cannot be trusted, so that the host asks again, or
  // BadObject when that would not help: then the query has failed. Either way it must have changed
  // nothing.
  using Reader = std::function<void(const TapAnswer&)>;

  TapExchange(TapQuery query, Reader read);
  ~TapExchange();
  TapExchange(TapExchange&&) noexcept;

  Request begin();
  // Throws TryAgain; then nothing has changed.
  std::optional<Request> answer(const Request& request, const Response& response);
  // The host has given up on the open request.
  std::optional<Request> failed(const std::string& reason);

  const std::string& failure() const;  // "": none

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace qsohost::inline v1
