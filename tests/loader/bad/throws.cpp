// Stages whose calls throw, whichever `where` names, something that `what` names.
#include <exception>
#include <qsohost/plugin.hpp>
#include <string>

using namespace qsohost;

namespace {

// Neither the class nor the text is the host's: both must be copied where it is caught.
class OwnError : public std::exception {
 public:
  explicit OwnError(std::string text) : text_(std::move(text)) {}
  const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::string text_;
};

struct NoException {};

template <class Base>
class Throws : public Base {
 public:
  void validate() const override { at("validate"); }
  void declare(const Schema& /*before*/, Ports& /*ports*/) const override { at("declare"); }
  void open(Context& /*context*/) override { at("open"); }

 protected:
  void at(const char* call) const {
    if (*where_ != call) return;
    if (*what_ == "own") throw OwnError(std::string("thrown by ") + call);
    if (*what_ == "struct") throw NoException{};
    if (*what_ == "chain") throw RunError(std::string("thrown by ") + call);
    throw 42;
  }

 private:
  Option<std::string> where_{this, "where", "", "the call that throws"};
  Option<std::string> what_{this, "what", "number", "own, struct, chain or number"};
};

class ThrowingSource final : public Throws<Source> {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    at("declare");
    ports.adds({"", "source_id", DType::I64, "", "1, 2, 3"});
  }
  bool read(Batch& batch) override {
    at("read");
    if (given_) return false;
    given_ = true;
    for (std::int64_t id = 1; id <= 3; ++id) batch.objects().at("source_id").append(id);
    return true;
  }
  std::optional<std::uint64_t> size() const override {
    at("size");
    return 3;
  }

 private:
  bool given_ = false;
};

class ThrowingFetcher final : public Throws<Fetcher> {
 public:
  int lanes() const override {
    at("lanes");
    return 1;
  }
  void fetch(Batch& batch, Outcomes& outcomes) override {
    at("fetch");
    outcomes.for_each(batch, [&](const Object& /*object*/) { at("fetch-one"); });
  }
};

class ThrowingFilter final : public Throws<Filter> {
 public:
  void apply(Batch& /*batch*/, Counts& /*counts*/) const override { at("apply"); }
};

class ThrowingFitter final : public Throws<Fitter> {
 public:
  void fit(const Object& /*object*/, Result& /*result*/) const override { at("fit"); }
};

class ThrowingSink final : public Throws<Sink> {
 public:
  void write(const Batch& /*batch*/, const Chunk& /*chunk*/) override { at("write"); }
  void finish(std::span<const Chunk> /*all*/, Products& /*files*/) override { at("finish"); }
  bool keeps_chunks() const override {
    at("keeps_chunks");
    return false;
  }
};

class ThrowingConversation final : public Throws<HttpFetcher> {
 public:
  HttpPolicy policy() const override {
    at("policy");
    return {};
  }
  std::unique_ptr<Conversation> converse(const Batch& /*batch*/,
                                         Counts& /*counts*/) const override {
    at("converse");
    return std::make_unique<Throwing>(*this);
  }

 private:
  class Throwing final : public Conversation {
   public:
    explicit Throwing(const ThrowingConversation& stage) : stage_(stage) {}
    std::vector<Request> begin() override {
      stage_.at("begin");
      return {Request{}};
    }
    std::vector<Request> answer(const Request& /*request*/, const Response& /*answer*/) override {
      stage_.at("answer");
      return {};
    }
    std::vector<Request> failed(const Request& /*request*/,
                                const std::string& /*reason*/) override {
      stage_.at("failed");
      return {};
    }
    void finish(Batch& batch, Outcomes& outcomes) override {
      stage_.at("finish");
      for (std::size_t row = 0; row < batch.rows(); ++row) outcomes.set(row, Outcome::Matched);
    }

   private:
    const ThrowingConversation& stage_;
  };
};

class ThrowingRequest final : public Throws<ObjectFetcher> {
 public:
  Request request(const Object& /*object*/) const override {
    at("request");
    return {};
  }
  std::optional<Request> parse(const Object& /*object*/, const Request& /*request*/,
                               const Response& /*response*/, Batch& /*epochs*/,
                               Counts& /*counts*/) const override {
    at("parse");
    throw NotFound("nothing there");
  }
  int confirmations() const override {
    at("confirmations");
    return 1;
  }
};

}  // namespace

QSOHOST_PLUGIN("throws", "1.0.0", stage<ThrowingSource>("throwing-source", "throws"),
               stage<ThrowingFetcher>("throwing-fetcher", "throws"),
               stage<ThrowingFilter>("throwing-filter", "throws"),
               stage<ThrowingFitter>("throwing-fitter", "throws"),
               stage<ThrowingSink>("throwing-sink", "throws"),
               stage<ThrowingConversation>("throwing-conversation", "throws"),
               stage<ThrowingRequest>("throwing-request", "throws"));
