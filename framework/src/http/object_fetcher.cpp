// One request per object, as a conversation of a batch.
#include <fmt/format.h>

#include <algorithm>
#include <exception>

#include "base/fnv.hpp"
#include "data/working_on.hpp"
#include "http/unequal_responses.hpp"
#include "qsohost/error.hpp"
#include "qsohost/http.hpp"

namespace qsohost::inline v1 {

namespace {

// Long enough for a transient error of the archive to pass.
constexpr std::chrono::seconds kBeforeConfirming{5};

// A truncated VOTable does not parse. Other formats do not show it.
bool is_whole(const Response& response) {
  if (response.is_end_known) return true;
  const std::string_view body = response.body;
  return body.substr(0, body.find_last_not_of(" \t\r\n") + 1).ends_with("VOTABLE>");
}

class ObjectConversation final : public Conversation {
 public:
  ObjectConversation(const ObjectFetcher& fetcher, const Batch& batch, Counts& counts)
      : fetcher_(fetcher), batch_(batch), counts_(counts) {
    const std::size_t rows = batch.rows();
    ends_.resize(rows);
    empty_.resize(rows);
    seen_.resize(rows);
    used_kept_.resize(rows);
    is_fresh_.resize(rows);
    is_open_.resize(rows, true);
    for (std::size_t row = 0; row < rows; ++row) epochs_.push_back(empty_epochs(row));
  }

  std::vector<Request> begin() override {
    std::vector<Request> requests;
    for (std::size_t row = 0; row < ends_.size(); ++row) {
      if (auto request = first_of(row)) requests.push_back(std::move(*request));
      is_open_[row] = !ends_[row];
    }
    return requests;
  }

  std::vector<Request> answer(const Request& request, const Response& response) override {
    const auto [row, tag] = asked_[request.tag];
    const AtObject at_object(batch_, row);
    used_kept_[row] = used_kept_[row] || response.is_kept;
    Request as_given = request;
    as_given.tag = tag;
    std::optional<Request> next;
    std::exception_ptr end;
    bool is_empty = false;
    Counts counts;  // of this response; discarded if it is not trusted
    try {
      next = fetcher_.parse(Object(batch_, row), as_given, response, epochs_[row], counts);
    } catch (const TryAgain&) {
      roll_back(row);
      throw;
    } catch (const NotFound&) {
      end = std::current_exception();
      is_empty = true;
    } catch (const BadObject&) {
      end = std::current_exception();
    }
    if (end) roll_back(row);
    if (!is_whole(response) && !is_repeated(row, response)) {
      roll_back(row);
      return ask_again(request);
    }
    seen_[row].clear();
    if (is_empty && ++empty_[row] < fetcher_.confirmations()) {
      next = request;
      next->turn = empty_[row];
      next->delay = kBeforeConfirming;
      return {std::move(*next)};
    }
    counts_.add(counts);
    ends_[row] = end;
    is_open_[row] = next.has_value();
    if (!next) return {};
    return {of_row(std::move(*next), row)};
  }

  std::vector<Request> failed(const Request& request, const std::string& reason) override {
    const std::size_t row = asked_[request.tag].row;
    roll_back(row);
    if (used_kept_[row] && !is_fresh_[row]) {
      is_fresh_[row] = true;
      seen_[row].clear();
      empty_[row] = 0;
      if (auto anew = first_of(row)) return {std::move(*anew)};
      return {};
    }
    ends_[row] = std::make_exception_ptr(TryAgain(reason));
    is_open_[row] = false;
    return {};
  }

  std::size_t unsettled() const override {
    return static_cast<std::size_t>(std::ranges::count(is_open_, true));
  }

  void finish(Batch& batch, Outcomes& outcomes) override {
    outcomes.for_each(batch, [&](const Object& object) {
      const std::size_t row = object.row();
      if (ends_[row]) std::rethrow_exception(ends_[row]);
      for (const Group& from : epochs_[row].groups()) {
        Group& to = batch.group(from.name());
        for (const Column& column : from) {
          to.at(column.name()).append_cells(column, 0, column.size());
        }
      }
      epochs_[row] = empty_epochs(row);
    });
  }

 private:
  // An open request: its tag on the wire is an index, so the plugin's own tag is kept here.
  struct Asked {
    std::size_t row = 0;
    std::uint64_t tag = 0;
  };

  std::optional<Request> first_of(std::size_t row) {
    const AtObject at_object(batch_, row);
    try {
      return of_row(fetcher_.request(Object(batch_, row)), row);
    } catch (const Error&) {
      ends_[row] = std::current_exception();
      return std::nullopt;
    }
  }

  // Groups without rows are those that the fetcher fills.
  Batch empty_epochs(std::size_t row) const {
    Batch epochs(batch_.ordinal(), batch_.first_object() + row, 1);
    for (const Group& group : batch_.groups()) {
      if (group.rows() > 0) continue;
      Group& copy = epochs.add_group(group.info());
      for (const Column& column : group) copy.add(column.info());
    }
    return epochs;
  }

  // Records a response whose end is not known; true if there was an equal one.
  bool is_repeated(std::size_t row, const Response& response) {
    const std::uint64_t hash = fnv1a(response.body, fnv1a(std::to_string(response.status)));
    const bool is_new = std::ranges::find(seen_[row], hash) == seen_[row].end();
    seen_[row].push_back(hash);
    return !is_new;
  }

  std::vector<Request> ask_again(const Request& request) {
    const std::size_t row = asked_[request.tag].row;
    if (seen_[row].size() >= kMostUnequal) {
      ends_[row] = std::make_exception_ptr(
          TryAgain(fmt::format("the archive does not say where its answers end, and of {} no two "
                               "were equal",
                               seen_[row].size())));
      return {};
    }
    Request again = request;
    again.turn += kTurnStep;
    again.delay = {};
    return {std::move(again)};
  }

  void roll_back(std::size_t row) {
    for (Group& group : epochs_[row].groups()) group.roll_back();
  }

  Request of_row(Request request, std::size_t row) {
    asked_.push_back({row, request.tag});
    request.tag = asked_.size() - 1;
    request.fresh = request.fresh || is_fresh_[row];
    if (request.about.empty()) request.about = fmt::format("source {}", batch_.id(row));
    return request;
  }

  const ObjectFetcher& fetcher_;
  const Batch& batch_;
  Counts& counts_;
  std::vector<Asked> asked_;                      // by the tag in the request
  std::vector<Batch> epochs_;                     // of each row; nothing in it is closed
  std::vector<std::exception_ptr> ends_;          // NotFound, TryAgain, BadObject; none: matched
  std::vector<int> empty_;                        // number of empty responses
  std::vector<std::vector<std::uint64_t>> seen_;  // responses whose end is not known
  std::vector<bool> used_kept_;                   // used a stored response of an earlier attempt
  std::vector<bool> is_fresh_;                    // requested again, without stored responses
  std::vector<bool> is_open_;                     // needs a response
};

}  // namespace

std::unique_ptr<Conversation> ObjectFetcher::converse(const Batch& batch, Counts& counts) const {
  return std::make_unique<ObjectConversation>(*this, batch, counts);
}

}  // namespace qsohost::inline v1
