#include "qsohost/host/examine.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>

#include "base/caught.hpp"
#include "base/interrupted.hpp"
#include "base/secrets.hpp"
#include "chain/stage_call.hpp"
#include "http/client.hpp"
#include "qsohost/error.hpp"
#include "qsohost/examination.hpp"
#include "run/named_stage.hpp"
#include "run/stage_context.hpp"

namespace qsohost::inline v1 {

namespace {

using Clock = std::chrono::steady_clock;

// An archive that is down is told so at once; a run would be patient.
HttpPolicy brief_policy() {
  HttpPolicy policy;
  policy.max_connections = 1;
  policy.timeout = std::chrono::seconds(60);
  policy.max_attempts = 2;
  policy.patience = std::chrono::seconds(60);
  return policy;
}

// One request.
class Question final : public Conversation {
 public:
  explicit Question(Request request) : request_(std::move(request)) {
    // Otherwise a denial would end the run that this is not.
    for (const int status : {401, 403}) {
      if (std::ranges::count(request_.accept, status) > 0) continue;
      request_.accept.push_back(status);
      denials_.push_back(status);
    }
  }

  std::vector<Request> begin() override { return {request_}; }
  std::vector<Request> answer(const Request& /*request*/, const Response& response) override {
    response_ = response;
    return {};
  }
  std::vector<Request> failed(const Request& /*request*/, const std::string& reason) override {
    reason_ = reason;
    return {};
  }

  Response result() const {
    if (!response_) throw TryAgain(reason_);
    if (std::ranges::count(denials_, response_->status) > 0) {
      throw TryAgain(
          fmt::format("the archive denies access (HTTP {}); is the token or password right, and "
                      "still valid?",
                      response_->status));
    }
    return *response_;
  }

 private:
  Request request_;
  std::vector<int> denials_;
  std::optional<Response> response_;
  std::string reason_;
};

class StageExamination final : public Examination {
 public:
  StageExamination(const ChainStage& stage, Http& http, Context& context,
                   std::vector<ExaminedArchive>& archives)
      : stage_(stage), http_(http), context_(context), archives_(archives) {}

  void about(std::string archive, std::string url,
             const std::function<void()>& questions) override {
    ExaminedArchive& now = archives_.emplace_back();
    now.label = stage_.label;
    now.use = stage_.use;
    now.archive = std::move(archive);
    now.url = std::move(url);
    try {
      questions();
    } catch (const Interrupted&) {
      throw;
    } catch (...) {
      change("no good answer: " + current_exception_message());
    }
  }
  Response ask(Request request) override {
    Question question(std::move(request));
    Counts counts;
    const auto start = Clock::now();
    http_.hold(question, brief_policy(), stage_.label, 0, counts);
    current().seconds.push_back(std::chrono::duration<double>(Clock::now() - start).count());
    return question.result();
  }
  void release(std::string text) override { current().release = std::move(text); }
  void note(std::string text) override { current().notes.push_back(std::move(text)); }
  void change(std::string text) override {
    current().changes.push_back(without_secrets(std::move(text)));
  }
  Context& context() override { return context_; }

 private:
  ExaminedArchive& current() {
    if (archives_.empty()) throw std::logic_error("a question that is about no archive");
    return archives_.back();
  }

  const ChainStage& stage_;
  Http& http_;
  Context& context_;
  std::vector<ExaminedArchive>& archives_;
};

void examine_stage(ChainStage& stage, const ExamineOptions& options,
                   std::vector<ExaminedArchive>& archives) {
  // One client a stage, so that a denial at one says nothing about the others.
  HttpClient client(HttpClient::Settings{.log = options.log, .interrupts = options.interrupts});
  StageContext context(RunInfo{}, stage.label, options.log,
                       [&] { return options.interrupts != nullptr && *options.interrupts > 0; });
  StageExamination examination(stage, client, context, archives);
  try {
    guarded(stage, nullptr, [&] { stage.stage->examine(examination); });
  } catch (const Interrupted&) {
    throw RunError("interrupted; start it again");
  }
}

std::vector<ChainStage*> wanted_stages(Chain& chain, const std::vector<std::string>& only) {
  std::vector<ChainStage*> wanted;
  std::vector<std::string> labels;
  for (ChainStage& stage : chain.stages()) labels.push_back(stage.label);
  for (const std::string& name : only) {
    const bool is_known = std::ranges::any_of(chain.stages(), [&](const ChainStage& stage) {
      return stage.label == name || stage.use == name;
    });
    if (is_known) continue;
    throw UsageError(fmt::format("the chain has no stage '{}'; name one of its stages: {}", name,
                                 fmt::join(labels, ", ")));
  }
  for (ChainStage& stage : chain.stages()) {
    const auto is_meant = [&](const std::string& name) {
      return stage.label == name || stage.use == name;
    };
    if (only.empty() || std::ranges::any_of(only, is_meant)) wanted.push_back(&stage);
  }
  return wanted;
}

}  // namespace

std::vector<ExaminedArchive> examine(Chain& chain, const ExamineOptions& options) {
  std::vector<ExaminedArchive> archives;
  for (ChainStage* stage : wanted_stages(chain, options.only)) {
    examine_stage(*stage, options, archives);
  }
  return archives;
}

std::vector<ExaminedArchive> examine(Plugins& plugins, const std::string& stage,
                                     const std::vector<std::pair<std::string, std::string>>& set,
                                     const ExamineOptions& options) {
  ChainStage named = create_named(plugins, stage, set);
  std::vector<ExaminedArchive> archives;
  examine_stage(named, options, archives);
  return archives;
}

}  // namespace qsohost::inline v1
