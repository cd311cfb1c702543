#include "http/canned.hpp"

#include <deque>
#include <utility>
#include <vector>

#include "http/conversation_runner.hpp"
#include "http/judgement.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace {

struct Asked {
  Request request;
  int attempts = 0;
  int refusals = 0;
};

TransferEnd transfer_of(Response response) {
  TransferEnd end;
  if (response.status == 0) {
    end.kind = TransferEnd::Kind::Broken;
    end.detail = "the connection broke";
  }
  end.response = std::move(response);
  return end;
}

}  // namespace

void CannedHttp::hold(Conversation& conversation, const HttpPolicy& policy,
                      std::string_view /*stage*/, std::uint64_t /*ordinal*/, Counts& counts) {
  std::deque<Asked> open;
  bool has_good = false;
  const auto give = [&](std::vector<Request> requests) {
    for (Request& request : requests) open.push_back({std::move(request)});
  };
  give(conversation.begin());
  while (!open.empty()) {
    Asked asked = std::move(open.front());
    open.pop_front();
    check_request(asked.request);
    const TransferEnd end = transfer_of(answer_(asked.request));
    Judgement verdict = judge_transfer(end, asked.request.accept);
    if (verdict.meaning == Severity::Forbidden) throw_forbidden(asked.request, verdict.reason);
    counts.add("answers", verdict.meaning == Severity::Answer ? "given" : "refused");
    if (verdict.meaning == Severity::Answer) {
      try {
        give(conversation.answer(asked.request, end.response));
        has_good = true;
        continue;
      } catch (const TryAgain& e) {
        verdict.meaning = Severity::Problem;
        verdict.reason = e.what();
      }
    }
    ++asked.attempts;
    if (verdict.meaning == Severity::Refusal) ++asked.refusals;
    const bool is_final =
        verdict.meaning == Severity::Final || verdict.meaning == Severity::HostFinal;
    if (is_final || asked.attempts >= policy.max_attempts || asked.refusals >= kMostRefusals) {
      if (verdict.is_denied && !has_good && open.empty()) {
        throw_forbidden(asked.request, verdict.reason);
      }
      give(conversation.failed(asked.request, verdict.reason));
    } else {
      open.push_back(std::move(asked));
    }
  }
}

}  // namespace qsohost::inline v1
