// A survey with no sky behind it: asks one URL for each object, "{id}" in it replaced by the
// object's, and reads what comes as CSV: a header "mjd,mag", then rows. An answer that does not
// begin so cannot be trusted; one without rows says that nothing is there.
#include <qsohost/http.hpp>
#include <qsohost/plugin.hpp>
#include <qsohost/text.hpp>
#include <string>

using namespace qsohost;

namespace {

class EchoSurvey : public ObjectFetcher {
 public:
  HttpPolicy policy() const override {
    HttpPolicy policy;
    policy.max_connections = static_cast<int>(*max_connections_);
    policy.timeout = std::chrono::milliseconds(*timeout_ms_);
    policy.patience = std::chrono::milliseconds(*patience_ms_);
    policy.max_attempts = static_cast<int>(*max_attempts_);
    policy.max_body = static_cast<std::size_t>(*max_body_);
    policy.contact = *contact_;
    return policy;
  }
  int lanes() const override { return static_cast<int>(*lanes_); }
  int confirmations() const override { return static_cast<int>(*confirmations_); }

  Request request(const Object& object) const override {
    Request request;
    request.url = *url_;
    if (const std::size_t at = request.url.find("{id}"); at != std::string::npos) {
      request.url.replace(at, 4, object.id());
    }
    if (!post_->empty()) {
      request.method = "POST";
      request.body = *post_;
      request.content_type = "text/plain";
    }
    return request;
  }

  std::optional<Request> parse(const Object& /*object*/, const Request& /*request*/,
                               const Response& response, Batch& epochs,
                               Counts& counts) const override {
    std::string_view text = response.body;
    const std::string_view head = "mjd,mag\n";
    if (!text.starts_with(head)) throw TryAgain("the answer does not begin with 'mjd,mag'");
    if (!text.ends_with('\n')) throw TryAgain("the answer is cut short");
    text.remove_prefix(head.size());
    if (text.empty()) throw NotFound("no rows");
    while (!text.empty()) {
      const std::string line(text.substr(0, text.find('\n')));
      const std::size_t comma = line.find(',');
      if (comma == std::string::npos) throw BadObject("a row is not 'mjd,mag': " + line);
      mjd_(epochs).append(std::stod(line.substr(0, comma)));
      mag_(epochs).append(std::stof(line.substr(comma + 1)));
      err_(epochs).append(0.1F);
      text.remove_prefix(line.size() + 1);
    }
    counts.add("echo.g", "answers");
    return std::nullopt;
  }

 private:
  Option<std::string> url_{this, "url", required, "where to ask; {id} becomes the object's"};
  Option<std::string> post_{this, "post", "", "body to send"};
  Option<std::int64_t> lanes_{this, "lanes", 4, "lanes"};
  Option<std::int64_t> confirmations_{this, "confirmations", 1, "times nothing must be there"};
  Option<std::int64_t> max_connections_{this, "max_connections", 0, "at a time; 0: any"};
  Option<std::int64_t> timeout_ms_{this, "timeout_ms", 20000, "of a request"};
  Option<std::int64_t> patience_ms_{this, "patience_ms", 60000, "without a good answer"};
  Option<std::int64_t> max_attempts_{this, "max_attempts", 8, "of a request"};
  Option<std::int64_t> max_body_{this, "max_body", 1 << 20, "bytes"};
  Option<std::string> contact_{this, "contact", "", "for the User-Agent"};
  OutGroup epochs_{this, {"echo.g", "echo", "g", "mjd", "mag", "magerr", "MJD UTC"}};
  Out<double> mjd_{this, "echo.g", "mjd", "d", "time"};
  Out<float> mag_{this, "echo.g", "mag", "mag", "magnitude"};
  Out<float> err_{this, "echo.g", "magerr", "mag", "its error"};
};

}  // namespace

QSOHOST_PLUGIN("echo-survey", "1.0.0", stage<EchoSurvey>("echo-survey", "asks a test server"));
