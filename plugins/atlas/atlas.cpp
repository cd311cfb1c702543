// Forced photometry of ATLAS: a task for each object in the queue of the service; needs a token.
// API: https://fallingstar-data.com/forcedphot/apiguide/
#include <qsohost/examination.hpp>
#include <qsohost/http_options.hpp>
#include <qsohost/plugin.hpp>

#include <fmt/format.h>

#include "columns.hpp"
#include "conversation.hpp"

namespace {

class Atlas final : public qsohost::HttpFetcher {
 public:
  qsohost::Option<qsohost::Url> url{
      this, "url", {"https://fallingstar-data.com/forcedphot"}, "the service"};
  qsohost::Option<qsohost::Secret> token{
      this,
      "token",
      {"ATLAS_TOKEN"},
      "token of your account there, which URL/api-token-auth/ gives for user name and password"};
  // Without it the service gives the last 30 days.
  qsohost::Option<double> mjd_min{this,
                                  "mjd_min",
                                  57200,
                                  "first epoch, MJD; the survey began in 2015, at MJD 57200",
                                  {.unit = "d", .min = 0, .max = 100'000}};
  qsohost::Option<bool> use_reduced{
      this, "use_reduced", true,
      "photometry of the images themselves; false: of differences to a template, which step where "
      "the template was changed (MJD 58417, 58882)"};
  qsohost::Option<double> poll{
      this,
      "poll",
      10,
      "before the first look at a task; each further wait is longer by half, up to a minute",
      {.unit = "s", .min = 0, .max = 3600, .affects_results = false}};
  qsohost::Option<double> task_timeout{
      this,
      "task_timeout",
      86'400,
      "until a task that is not finished is left in the queue, and its object has failed",
      {.unit = "s", .min = 1, .max = 604'800, .affects_results = false}};
  // Tasks are posted one after another all the same.
  qsohost::HttpOptions http_options{this, {.max_connections = 4, .max_attempts = 20}, 8};
  qsohost::In<double> ra{this, "", "ra", "deg", "right ascension of the target, ICRS"};
  qsohost::In<double> dec{this, "", "dec", "deg", "declination of the target, ICRS"};

  void declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const override {
    atlas::declare_columns(ports);
  }

  // The columns of its results are seen only in a task's result, and a task is not harmless.
  void examine(qsohost::Examination& archive) const override {
    archive.about("forced photometry of ATLAS", service(), [&] {
      archive.ask({.url = service() + "/queue/",
                   .headers = {authorization(archive.context()), "Accept: application/json"},
                   .about = "the list of tasks"});
      archive.note("the token is accepted");
    });
  }

  void open(qsohost::Context& context) override {
    settings_.url = service();
    settings_.comment = fmt::format("qsohost {}, MJD {}, {}", label(), *mjd_min,
                                    *use_reduced ? "reduced" : "difference");
    settings_.header = authorization(context);
    settings_.parameters =
        fmt::format("mjd_min={}&use_reduced={}&send_email=false", *mjd_min, *use_reduced);
    settings_.poll = qsohost::to_milliseconds(*poll);
    settings_.task_timeout =
        std::chrono::duration_cast<std::chrono::seconds>(qsohost::to_milliseconds(*task_timeout));
    settings_.info = [&context](const std::string& text) { context.info(text); };
  }

  qsohost::HttpPolicy policy() const override { return http_options.policy(); }

  // One batch at a time: a conversation posts one task after another, and two would not know of
  // each other.
  int lanes() const override { return 1; }

  std::unique_ptr<qsohost::Conversation> converse(const qsohost::Batch& batch,
                                                  qsohost::Counts& counts) const override {
    return std::make_unique<atlas::AtlasConversation>(settings_, batch, ra(batch), dec(batch),
                                                      counts);
  }

 private:
  std::string service() const {
    std::string text = url->text;
    while (text.ends_with('/')) text.pop_back();
    return text;
  }
  std::string authorization(qsohost::Context& context) const {
    return "Authorization: Token " + context.secret(*token);
  }

  atlas::Settings settings_;
};

}  // namespace

QSOHOST_PLUGIN("atlas", QSOHOST_VERSION,
               qsohost::stage<Atlas>("atlas", "forced photometry of ATLAS, by position"));
