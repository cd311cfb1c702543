#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <mutex>

#include "chain/chain_file.hpp"
#include "chain/port_check.hpp"
#include "chain/stage_call.hpp"
#include "chain/stage_options.hpp"
#include "http/canned.hpp"
#include "qsohost/error.hpp"
#include "qsohost/host/chain.hpp"
#include "qsohost/host/loader.hpp"
#include "qsohost/testing.hpp"

namespace qsohost::inline v1 {

namespace {

namespace fs = std::filesystem;

fs::path temporary_folder() {
  std::string pattern = (fs::temp_directory_path() / "qsohost-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    throw RunError("cannot make a temporary folder; set TMPDIR to one that can be written");
  return pattern;
}

class TestContext final : public Context {
 public:
  RunInfo info;
  std::vector<std::string> messages;

  const RunInfo& run() const override { return info; }
  void log(LogLevel /*level*/, std::string_view message) override {
    const std::lock_guard lock(mutex_);
    messages.emplace_back(message);
  }
  bool stop_requested() const override { return false; }

 private:
  std::mutex mutex_;
};

// A test checks one product at a time: they get their final names at once.
class PlainProducts final : public Products {
 public:
  explicit PlainProducts(fs::path folder) : folder_(std::move(folder)) {}
  fs::path part(const fs::path& product) override {
    paths_.push_back(folder_ / product);
    fs::create_directories(paths_.back().parent_path());
    return paths_.back();
  }
  const std::vector<fs::path>& paths() const { return paths_; }

 private:
  fs::path folder_;
  std::vector<fs::path> paths_;
};

}  // namespace

struct Harness::State {
  Plugins plugins;
  ChainStage stage;
  TestContext context;
  Batch batch{0, 0, 1000000};
  std::vector<Outcomes::State> outcomes;
  std::vector<std::string> bad;
  Counts counts;
  std::vector<fs::path> products;
  std::vector<Request> requests;
  std::optional<CannedHttp> http;

  // Reads a Source to its end; its batches are concatenated.
  void read_all(std::size_t max_rows) {
    batch = Batch(0, 0, max_rows);
    if (!call_source(stage, batch)) return;
    while (batch.rows() < max_rows) {
      Batch more(0, batch.rows(), max_rows - batch.rows());
      if (!call_source(stage, more)) return;
      for (Column& c : batch.objects()) {
        c.append_cells(more.objects().at(c.name()), 0, more.rows());
      }
    }
  }

  void finish_sink() {
    const Chunk chunk{batch.ordinal(), 1, batch.rows()};
    call_sink(stage, batch, chunk);
    PlainProducts files(context.info.run_dir);
    guarded(stage, nullptr,
            [&] { static_cast<Sink&>(*stage.stage).finish(std::span(&chunk, 1), files); });
    products = files.paths();
  }
};

Harness::Harness(std::string stage, const std::vector<std::pair<std::string, std::string>>& options)
    : state_(std::make_unique<State>()) {
  state_->plugins.add_standard_folders();
  ChainStage& s = state_->stage;
  s.use = s.label = std::move(stage);
  s.stage = state_->plugins.create(s.use);
  s.offer = *state_->plugins.find(s.use);
  RawStage raw;
  raw.use = raw.label = s.use;
  for (auto& [name, text] : options) {
    RawOption& option = raw.options.emplace_back();
    option.name = name;
    option.value = parse_option_value(text);
    option.from_command_line = true;
  }
  std::vector<Problem> problems;
  if (!apply_options(*s.stage, raw, fs::current_path(), problems)) {
    std::string message;
    for (const Problem& p : problems) message += (message.empty() ? "" : "\n") + p.message;
    throw UsageError(message);
  }
  RunInfo& info = state_->context.info;
  info = {"test", "0", temporary_folder(), {}, {}, {"made by a test"}, {}};
  info.work_dir = info.run_dir / ".qsohost";
  info.chunk_dir = info.work_dir / "chunks";
  fs::create_directories(info.chunk_dir);
}

Harness::~Harness() {
  state_->stage.stage->close();
  std::error_code ignored;
  fs::remove_all(state_->context.info.run_dir, ignored);
}

Batch& Harness::batch() {
  return state_->batch;
}
Stage& Harness::stage() {
  return *state_->stage.stage;
}
const std::vector<Outcomes::State>& Harness::outcomes() const {
  return state_->outcomes;
}
const std::vector<std::string>& Harness::bad_objects() const {
  return state_->bad;
}
std::vector<Counts::Entry> Harness::counts() const {
  return state_->counts.entries();
}
const std::vector<fs::path>& Harness::products() const {
  return state_->products;
}
const fs::path& Harness::folder() const {
  return state_->context.info.run_dir;
}
const std::vector<std::string>& Harness::messages() const {
  return state_->context.messages;
}

void Harness::answers(std::function<Response(const Request&)> archive) {
  state_->http.emplace([this, archive = std::move(archive)](const Request& request) {
    state_->requests.push_back(request);
    return archive(request);
  });
}

void Harness::answers(std::vector<std::pair<std::string, std::string>> bodies) {
  answers([bodies = std::move(bodies)](const Request& request) {
    Response response;
    response.url = request.url;
    for (const auto& [part, body] : bodies) {
      const bool is_asked = request.url.find(part) != std::string::npos ||
                            request.body.find(part) != std::string::npos;
      if (!is_asked) continue;
      response.status = 200;
      response.body = body;
      return response;
    }
    response.status = 404;
    return response;
  });
}

const std::vector<Request>& Harness::requests() const {
  return state_->requests;
}

std::int64_t Harness::count(std::string_view item, std::string_view what) const {
  for (const Counts::Entry& e : counts()) {
    if (e.item == item && e.what == what) return e.n;
  }
  return 0;
}

void Harness::targets(const std::vector<Target>& targets) {
  ColumnSet& objects = state_->batch.objects();
  Column& id = objects.add({"source_id", DType::I64, "", "identifier"});
  Column& ra = objects.add({"ra", DType::F64, "deg", "right ascension"});
  Column& dec = objects.add({"dec", DType::F64, "deg", "declination"});
  for (const Target& t : targets) {
    id.append(t.source_id);
    ra.append(t.ra);
    dec.append(t.dec);
  }
}

void Harness::light_curves(std::string_view name, const std::vector<LightCurve>& curves) {
  Batch& batch = state_->batch;
  if (batch.rows() == 0) {
    std::vector<Target> made(curves.size());
    for (std::size_t i = 0; i < made.size(); ++i) made[i].source_id = static_cast<std::int64_t>(i);
    targets(made);
  }
  const std::size_t dot = std::min(name.find('.'), name.size());
  const std::string band(name.substr(std::min(dot + 1, name.size())));
  Group& group = batch.add_group(
      {std::string(name), std::string(name.substr(0, dot)), band, "mjd", "mag", "magerr", kMjdUtc});
  Column& epoch_id = group.add({"epoch_id", DType::I64, "", "row in the answer"});
  Column& mjd = group.add({"mjd", DType::F64, "d", "time"});
  Column& mag = group.add({"mag", DType::F32, "mag", "magnitude"});
  Column& magerr = group.add({"magerr", DType::F32, "mag", "its error"});
  for (const LightCurve& curve : curves) {
    for (std::size_t k = 0; k < curve.size(); ++k) {
      epoch_id.append(static_cast<std::int64_t>(k));
      mjd.append(curve.time[k]);
      mag.append(static_cast<float>(curve.mag[k]));
      magerr.append(static_cast<float>(curve.mag_err[k]));
    }
    group.close_row();
  }
}

void Harness::run(std::size_t max_rows) {
  State& s = *state_;
  s.stage.before = schema_of(s.batch);
  const auto declare = [&] {
    s.stage.ports = ports_of(*s.stage.stage, s.stage.before);
    std::string message;
    for (const std::string& m : misfits(s.stage.offer.role, s.stage.before, s.stage.ports)) {
      message += (message.empty() ? "" : "\n") + m;
    }
    if (!message.empty()) throw UsageError(message);
  };
  declare();
  s.context.info.schema = s.stage.before;
  if (auto* stage = dynamic_cast<HttpStage*>(s.stage.stage.get()); stage && s.http) {
    stage->connect(*s.http);
  }
  guarded(s.stage, nullptr, [&] { s.stage.stage->open(s.context); });
  declare();
  switch (s.stage.offer.role) {
    case Role::Source:
      s.read_all(max_rows);
      break;
    case Role::Fetcher: {
      Outcomes outcomes = call_fetcher(s.stage, s.batch);
      s.outcomes = outcomes.states();
      s.counts.add(outcomes.counts());
      break;
    }
    case Role::Filter:
      for (const NotDone& object : call_filter(s.stage, s.batch, s.counts)) {
        s.bad.push_back(fmt::format("{}: {}", object.id, object.reason));
      }
      break;
    case Role::Fitter:
      for (const BadRow& b : call_fitter(s.stage, s.batch, plain_loop, s.counts)) {
        s.bad.push_back(fmt::format("{}: {}", s.batch.id(b.row), b.reason));
      }
      break;
    case Role::Sink:
      s.finish_sink();
      break;
  }
}

}  // namespace qsohost::inline v1
