// The part of a conversation that requests by position.
#include <fmt/format.h>

#include <qsohost/error.hpp>

#include <algorithm>
#include <utility>

#include "irsa_conversation.hpp"

namespace ztf {

namespace {

using qsohost::BadObject;
using qsohost::Outcome;
using qsohost::Request;
using qsohost::Response;
using qsohost::TryAgain;

bool has_all(const std::vector<Curve>& curves, const std::map<std::int64_t, std::size_t>& rows) {
  return std::ranges::equal(curves, rows, [](const Curve& curve, const auto& n) {
    return curve.oid == n.first && curve.epochs.size() == n.second;
  });
}

}  // namespace

Request IrsaConversation::ask_position(std::size_t row) {
  Question question;
  question.place = row;
  return ask_curves(std::move(question));
}

Request IrsaConversation::ask_rows(const Question& position) {
  Question question = position;
  question.kind = Kind::Rows;
  return ask_curves(std::move(question));
}

IrsaConversation::Requests IrsaConversation::ask_positions(
    const std::vector<UploadedPosition>& positions) {
  Requests requests;
  for (const UploadedPosition& p : positions) requests.push_back(ask_position(p.n));
  return requests;
}

IrsaConversation::Requests IrsaConversation::position_answer(const Question& question,
                                                             std::vector<Curve> curves,
                                                             bool is_end_known) {
  Target& target = targets_[question.place];
  if (curves.empty()) {
    ++target.empty_answers;
    const int needed = std::max(settings_.confirmations, is_end_known ? 1 : 2);
    if (target.empty_answers < needed) return {ask_again(question)};
    target.end =
        Ending{Outcome::NotFound,
               fmt::format("no ZTF source there: {} answers without a row", target.empty_answers)};
    return {};
  }
  if (target.empty_answers > 0) {
    counts_.add("archive", "wrong empty answers", target.empty_answers);
  }
  target.curves = std::move(curves);
  if (is_end_known || (target.rows && has_all(target.curves, *target.rows))) return {};
  if (!target.rows) return {ask_rows(question)};
  return cut(question);
}

IrsaConversation::Requests IrsaConversation::rows_answer(const Question& question,
                                                         const Response& response) {
  std::map<std::int64_t, std::size_t> rows;
  try {
    rows = rows_by_object(response.body);
  } catch (const BadObject& e) {
    throw TryAgain(e.what());
  }
  if (!question.oids.empty()) return ids_rows_answer(question, rows);
  Target& target = targets_[question.place];
  target.rows = std::move(rows);
  Question position = question;
  position.kind = Kind::Position;
  return has_all(target.curves, *target.rows) ? Requests() : cut(position);
}

// The response does not have all light curves.
IrsaConversation::Requests IrsaConversation::cut(Question question) {
  counts_.add("archive", "cut answers");
  Target& target = targets_[question.place];
  target.curves.clear();
  if (++question.cut < kMostCut) return {ask_again(std::move(question))};
  target.end =
      Ending{Outcome::Failed,
             fmt::format("{} answers had not all rows that the archive has", question.cut)};
  return {};
}

}  // namespace ztf
