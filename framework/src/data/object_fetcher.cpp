// One question an object, as a conversation of a batch.
#include <fmt/format.h>

#include <exception>

#include "data/working_on.hpp"
#include "qsohost/error.hpp"
#include "qsohost/http.hpp"

namespace qsohost::inline v1 {

namespace {

// Long enough for an archive to come to its senses.
constexpr std::chrono::seconds kBeforeConfirming{5};

class ObjectConversation final : public Conversation {
 public:
  ObjectConversation(const ObjectFetcher& fetcher, const Batch& batch, Counts& counts)
      : fetcher_(fetcher), batch_(batch), counts_(counts) {
    const std::size_t rows = batch.rows();
    ends_.resize(rows);
    empty_.resize(rows);
    for (std::size_t row = 0; row < rows; ++row) epochs_.push_back(empty_epochs(row));
  }

  std::vector<Request> begin() override {
    std::vector<Request> requests;
    for (std::size_t row = 0; row < ends_.size(); ++row) {
      const AtObject at_object(batch_, row);
      try {
        requests.push_back(of_row(fetcher_.request(Object(batch_, row)), row));
      } catch (const Error&) {
        ends_[row] = std::current_exception();
      }
    }
    return requests;
  }

  std::vector<Request> answer(const Request& request, const Response& response) override {
    const std::size_t row = request.tag;
    const AtObject at_object(batch_, row);
    std::vector<Request> next;
    Counts counts;  // of this answer; they go if it cannot be trusted
    try {
      auto further = fetcher_.parse(Object(batch_, row), request, response, epochs_[row], counts);
      if (further) next.push_back(of_row(std::move(*further), row));
    } catch (const TryAgain&) {
      roll_back(row);
      throw;
    } catch (const NotFound&) {
      roll_back(row);
      if (++empty_[row] < fetcher_.confirmations()) {
        next.push_back(request);
        next.back().turn = empty_[row];
        next.back().delay = kBeforeConfirming;
        return next;
      }
      ends_[row] = std::current_exception();
    } catch (const BadObject&) {
      roll_back(row);
      ends_[row] = std::current_exception();
    }
    counts_.add(counts);
    return next;
  }

  std::vector<Request> failed(const Request& request, const std::string& reason) override {
    roll_back(request.tag);
    ends_[request.tag] = std::make_exception_ptr(TryAgain(reason));
    return {};
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
  // Groups that have no rows yet are those that the fetcher fills.
  Batch empty_epochs(std::size_t row) const {
    Batch epochs(batch_.ordinal(), batch_.first_object() + row, 1);
    for (const Group& group : batch_.groups()) {
      if (group.rows() > 0) continue;
      Group& copy = epochs.add_group(group.info());
      for (const Column& column : group) copy.add(column.info());
    }
    return epochs;
  }

  void roll_back(std::size_t row) {
    for (Group& group : epochs_[row].groups()) group.roll_back();
  }

  Request of_row(Request request, std::size_t row) const {
    request.tag = row;
    if (request.about.empty()) request.about = fmt::format("source {}", batch_.id(row));
    return request;
  }

  const ObjectFetcher& fetcher_;
  const Batch& batch_;
  Counts& counts_;
  std::vector<Batch> epochs_;             // of each row; nothing in it is closed
  std::vector<std::exception_ptr> ends_;  // NotFound, TryAgain, BadObject; none: matched
  std::vector<int> empty_;                // times that nothing was there
};

}  // namespace

std::unique_ptr<Conversation> ObjectFetcher::converse(const Batch& batch, Counts& counts) const {
  return std::make_unique<ObjectConversation>(*this, batch, counts);
}

}  // namespace qsohost::inline v1
