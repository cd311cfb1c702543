// A survey with no sky behind it: asks one URL for each object, "{id}" in it replaced by the
// object's, and reads what comes as CSV: a header ("mjd,mag" by default), then rows. An answer that
// does not begin so cannot be trusted; one without rows says that nothing is there.
#include <qsohost/http.hpp>
#include <qsohost/io/text.hpp>
#include <qsohost/plugin.hpp>
#include <string>

using namespace qsohost;

namespace {

class EchoSurvey : public ObjectFetcher {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.adds_group({"echo.g", "echo", "g", "mjd", "mag", "magerr", kMjdUtc},
                     {{"mjd", DType::F64, "d", "time"},
                      {"mag", DType::F32, "mag", "magnitude"},
                      {"magerr", DType::F32, "mag", "its error"}});
  }
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
    for (const double status : *accept_) request.accept.push_back(static_cast<int>(status));
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
    if (response.status == 404) throw NotFound("no such object");
    if (!response.body.starts_with(*head_ + "\n")) {
      throw TryAgain("the answer does not begin with '" + *head_ + "'");
    }
    if (!response.body.ends_with('\n')) throw TryAgain("the answer is cut short");
    std::istringstream text(response.body.substr(head_->size() + 1));
    std::string row;
    Group& to = epochs.group("echo.g");
    while (std::getline(text, row)) {
      to.at("mjd").append(cell(row, *mjd_at_));
      to.at("mag").append(static_cast<float>(cell(row, *mag_at_)));
      to.at("magerr").append(0.1F);
    }
    if (to.at("mjd").size() == 0) throw NotFound("no rows");
    counts.add("echo.g", "answers");
    return std::nullopt;
  }

 private:
  static double cell(const std::string& row, std::int64_t at) {
    std::istringstream cells(row);
    std::string text;
    for (std::int64_t k = 0; k <= at; ++k) std::getline(cells, text, ',');
    try {
      return std::stod(text);
    } catch (const std::exception&) {
      throw BadObject("a row cannot be read: " + row);
    }
  }

  // Not a Url, so that what the host itself does with any text can be tried.
  Option<std::string> url_{this, "url", required, "where to ask; {id} becomes the object's"};
  Option<std::string> head_{this, "head", "mjd,mag", "first line of a good answer"};
  Option<std::int64_t> mjd_at_{this, "mjd_at", 0, "column of the time, from 0"};
  Option<std::int64_t> mag_at_{this, "mag_at", 1, "column of the magnitude, from 0"};
  Option<std::string> post_{this, "post", "", "body to send"};
  Option<std::vector<double>> accept_{this, "accept", {}, "statuses that are answers too"};
  Option<std::int64_t> lanes_{this, "lanes", 4, "lanes"};
  Option<std::int64_t> confirmations_{this, "confirmations", 1, "times nothing must be there"};
  Option<std::int64_t> max_connections_{this, "max_connections", 0, "at a time; 0: any"};
  Option<std::int64_t> timeout_ms_{this, "timeout_ms", 20000, "of a request"};
  Option<std::int64_t> patience_ms_{this, "patience_ms", 60000, "without a good answer"};
  Option<std::int64_t> max_attempts_{this, "max_attempts", 8, "of a request"};
  Option<std::int64_t> max_body_{this, "max_body", 1 << 20, "bytes"};
  Option<std::string> contact_{this, "contact", "", "for the User-Agent"};
};

}  // namespace

QSOHOST_PLUGIN("echo-survey", "1.0.0", stage<EchoSurvey>("echo-survey", "asks a test server"));
