// A survey that works on a queue of jobs: a job for each object; needs a token. The job is queued
// and polled until it is done, and its result is fetched. The protocol is that of ATLAS, whose own
// plugin (plugins/atlas) does more: it obeys the queue's limits and deletes jobs that it has read.
#include <nlohmann/json.hpp>
#include <qsohost/plugin.hpp>
#include <sstream>

namespace {

using namespace qsohost;
using Json = nlohmann::json;
const std::string kBands = "oc";  // orange and cyan, the two filters

// Which request a response belongs to: Request::tag.
enum Step : std::uint64_t { kQueue, kLook, kResult };

class JobQueue final : public ObjectFetcher {
 public:
  Option<Url> url{this, "url", {"https://jobs.example"}, "the server"};
  Option<Secret> token{this, "token", {"JOBS_TOKEN"}, "token of your account there"};
  Option<double> since{this, "since", 57200, "first epoch, MJD"};
  Option<double> look_every{this,
                            "look_every",
                            15,
                            "time between two looks at a job",
                            {.unit = "s", .min = 0, .max = 3600, .affects_results = false}};
  In<double> ra{this, "", "ra", "deg", "right ascension of the target, ICRS"};
  In<double> dec{this, "", "dec", "deg", "declination of the target, ICRS"};

  void declare(const Schema&, Ports& ports) const override {
    for (const char band : kBands) {
      const std::string group = std::string("jobs.") + band;
      ports.adds_group({group, "jobs", {band}, "mjd", "mag", "mag_err", kMjdUtc});
      ports.adds({group, "epoch_id", DType::I64, "", "row in the job's result"});
      ports.adds({group, "mjd", DType::F64, "d", "start of the exposure"});
      ports.adds({group, "mag", DType::F32, "mag", "AB magnitude"});
      ports.adds({group, "mag_err", DType::F32, "mag", "its error"});
    }
  }

  // Once: 100,000 objects are queued with the same token.
  void open(Context& context) override {
    header_ = "Authorization: Token " + context.secret(*token);
  }

  Request request(const Object& o) const override {
    Request queue = ask(url->text + "/queue/", kQueue);
    queue.method = "POST";
    queue.content_type = "application/x-www-form-urlencoded";
    queue.body = "ra=" + std::to_string(o.number("ra")) +
                 "&dec=" + std::to_string(o.number("dec")) + "&mjd_min=" + std::to_string(*since) +
                 "&send_email=False";
    return queue;
  }

  std::optional<Request> parse(const Object& o, const Request& request, const Response& response,
                               Batch& epochs, Counts& counts) const override {
    if (response.status == 404) {  // the server removes jobs after some days
      Request queue = this->request(o);
      queue.fresh = true;
      return queue;
    }
    if (request.tag == kResult) return take(response.body, epochs, counts), std::nullopt;
    const Json job = Json::parse(response.body, nullptr, false);
    if (!job.is_object()) throw TryAgain("the answer is no JSON: " + response.body.substr(0, 60));
    if (has(job, "error_msg")) {
      const Json& reason = job["error_msg"];  // dump() of a list would recurse as deep as it nests
      throw BadObject("the job failed: " +
                      (reason.is_string() ? reason.dump() : "no reason given"));
    }
    if (has(job, "finishtimestamp")) {
      return ask(job.at("result_url").get<std::string>(), kResult);
    }
    Request look = ask(job.at("url").get<std::string>(), kLook);
    look.turn = request.tag == kLook ? request.turn + 1 : 0;
    look.delay = std::chrono::milliseconds(static_cast<std::int64_t>(*look_every * 1000));
    look.keep = false;  // a resumed run cannot use the progress of a job
    return look;
  }

 private:
  static bool has(const Json& job, const char* name) {
    return job.contains(name) && !job[name].is_null();
  }

  Request ask(std::string url, Step step) const {
    Request request{.url = std::move(url), .headers = {header_, "Accept: application/json"}};
    request.tag = step;
    if (step != kQueue) request.accept = {404};
    return request;
  }

  // "###MJD m dm uJy duJy F err ...", columns separated by blanks; dm <= 0: no detection.
  static void take(const std::string& text, Batch& epochs, Counts& counts) {
    if (!text.starts_with("###MJD") || !text.ends_with('\n')) throw TryAgain("the result is cut");
    std::istringstream lines(text);
    std::string line;
    std::getline(lines, line);
    std::int64_t taken = 0;
    for (std::int64_t row = 0; std::getline(lines, line); ++row) {
      std::istringstream cells(line);
      double mjd = 0, mag = 0, error = 0, flux = 0, flux_error = 0;
      char band = 0;
      if (!(cells >> mjd >> mag >> error >> flux >> flux_error >> band) ||
          kBands.find(band) == std::string::npos) {
        throw BadObject("row " + std::to_string(row) + " of the result cannot be read: " + line);
      }
      if (!(flux > 0 && error > 0)) continue;
      const std::string group = std::string("jobs.") + band;
      Group& to = epochs.group(group);
      to.at("epoch_id").append(row);
      to.at("mjd").append(mjd);
      to.at("mag").append(static_cast<float>(mag));
      to.at("mag_err").append(static_cast<float>(error));
      counts.add(group, "epochs");
      ++taken;
    }
    if (taken == 0) throw NotFound("no epoch with a positive flux");
  }

  std::string header_;
};

}  // namespace

QSOHOST_PLUGIN("job-queue", "1.0.0",
               stage<JobQueue>("job-queue", "light curves from a queue of jobs"));
