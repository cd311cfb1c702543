// Single exposures of NEOWISE from IRSA's TAP service.
#include <qsohost/http_options.hpp>
#include <qsohost/plugin.hpp>

#include "neowise_columns.hpp"
#include "neowise_conversation.hpp"
#include "neowise_examination.hpp"

namespace {

class Neowise final : public qsohost::HttpFetcher {
 public:
  qsohost::Option<qsohost::Url> url{this,
                                    "url",
                                    {"https://irsa.ipac.caltech.edu/TAP"},
                                    "the archive's TAP service: what has /sync and /async below"};
  qsohost::Option<double> radius_arcsec{
      this,
      "radius_arcsec",
      2.5,
      "all exposures with a detection so near to the target are its epochs",
      {.unit = "arcsec", .min = 0.01, .max = 60}};
  qsohost::Choice<neowise::QueryBy> query_by{
      this,
      "query_by",
      neowise::QueryBy::Auto,
      {{"upload", neowise::QueryBy::Upload},
       {"cone", neowise::QueryBy::Cone},
       {"auto", neowise::QueryBy::Auto}},
      "upload: the positions of a batch in one query; cone: a query a target; auto: cones for at "
      "most 3 targets, and if uploads fail"};
  qsohost::Option<double> confirm_after{
      this,
      "confirm_after",
      5,
      "before a target without rows is asked for again; each further time it is twice as long",
      {.unit = "s", .min = 0, .max = 600, .affects_results = false}};
  qsohost::Option<std::int64_t> confirmations{
      this,
      "confirmations",
      3,
      "answers without a row before a target counts as not found; after the first, one is enough "
      "that has the rows of another target",
      {.min = 1, .max = 20}};
  qsohost::Option<double> job_timeout{
      this,
      "job_timeout",
      1800,
      "of a job (more than 200 targets); then it is deleted, and fewer are asked for at once",
      {.unit = "s", .min = 0.1, .max = 86400, .affects_results = false}};
  qsohost::HttpOptions http_options{
      this, {.max_connections = 4, .timeout = std::chrono::seconds(300), .max_attempts = 12}, 8};
  qsohost::In<double> ra{this, "", "ra", "deg", "right ascension of the target, ICRS"};
  qsohost::In<double> dec{this, "", "dec", "deg", "declination of the target, ICRS"};

  void declare(const qsohost::Schema& /*before*/, qsohost::Ports& ports) const override {
    neowise::declare_columns(ports);
  }

  void open(qsohost::Context& context) override {
    settings_ = {.url = url->text,
                 .radius_arcsec = *radius_arcsec,
                 .query_by = *query_by,
                 .confirmations = static_cast<int>(*confirmations),
                 .confirm_after = qsohost::to_milliseconds(*confirm_after),
                 .job_timeout = qsohost::to_milliseconds(*job_timeout)};
    // No warning about a failed query if the user stopped the run.
    shared_.warn = [&context](const std::string& text) {
      if (!context.stop_requested()) context.warn(text);
    };
  }

  void examine(qsohost::Examination& archive) const override {
    neowise::examine_archive(url->text, archive);
  }

  qsohost::HttpPolicy policy() const override { return http_options.policy(); }

  std::unique_ptr<qsohost::Conversation> converse(const qsohost::Batch& batch,
                                                  qsohost::Counts& counts) const override {
    return std::make_unique<neowise::Conversation>(settings_, shared_, ra(batch), dec(batch),
                                                   counts);
  }

 private:
  neowise::Settings settings_;
  mutable neowise::Shared shared_;  // information that batches share
};

}  // namespace

QSOHOST_PLUGIN("neowise", QSOHOST_VERSION,
               qsohost::stage<Neowise>("neowise",
                                       "single exposures of NEOWISE in W1 and W2, from IRSA"));
