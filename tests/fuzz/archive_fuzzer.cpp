// Whatever an archive answers, its stage ends with an outcome for each object or an Error. The
// stage is that of QSOHOST_FUZZ_STAGE. Input: see canned_answers.hpp.
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>

#include "canned_answers.hpp"
#include "fuzz_file.hpp"
#include "http/canned.hpp"
#include "qsohost/host/loader.hpp"
#include "qsohost/testing.hpp"

namespace {

using namespace qsohost;
using namespace qsohost::fuzz;
using Options = std::vector<std::pair<std::string, std::string>>;

constexpr std::size_t kMostRows = 1000;

std::string left_table() {
  const std::string text = "name,ra,dec,z\nJ1,10,20,0.5\nJ2,150.25113,2.20417,1.5\n";
  const auto file = folder() / "left.csv";
  write(file, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  return "\"" + file.string() + "\"";
}

Options options_of(const std::string& stage) {
  const std::map<std::string, Options> options{
      {"atlas", {{"url", "\"http://a\""}}},
      {"irsa-ztf",
       {{"url", "\"http://a\""}, {"query_by", "\"ids\""}, {"align_oids", "\"median\""}}},
      {"neowise", {{"url", "\"http://a\""}}},
      {"gaia-tap", {{"archive", "\"tap\""}, {"url", "\"http://a\""}}},
      {"gaia-vizier",
       {{"archive", "\"tap\""}, {"via", "\"vizier\""}, {"url", "\"http://a/tapvizier\""}}},
      {"gaia-datalink",
       {{"archive", "\"datalink\""},
        {"url", "\"http://a/data\""},
        {"tap_url", "\"http://a/tap\""}}},
      {"tap-catalog",
       {{"url", "\"http://a\""},
        {"table", "\"cat\""},
        {"id", "\"name\""},
        {"ra", "\"RA\""},
        {"dec", "\"DEC\""}}},
      {"xmatch",
       {{"url", "\"http://a/x\""},
        {"tap_url", "\"http://a/tap\""},
        {"tap_columns", "[\"has_epoch_photometry\"]"},
        {"left", left_table()}}},
  };
  return options.at(stage);
}

class FuzzContext final : public Context {
 public:
  FuzzContext() { info_.run_dir = info_.work_dir = info_.chunk_dir = folder(); }
  const RunInfo& run() const override { return info_; }
  void log(LogLevel /*level*/, std::string_view /*message*/) override {}
  bool stop_requested() const override { return false; }

 private:
  RunInfo info_;
};

Harness& harness() {
  static const auto harness = [] {
    ::setenv("ATLAS_TOKEN", "t0ken-of-mine", 1);
    const char* stage = std::getenv("QSOHOST_FUZZ_STAGE");
    if (stage == nullptr) throw std::runtime_error("QSOHOST_FUZZ_STAGE is not set");
    const std::string name = stage;
    return std::make_unique<Harness>(name.starts_with("gaia") ? "gaia-epoch" : name,
                                     options_of(name));
  }();
  return *harness;
}

// As the host prepares a batch for this stage: two objects, and the columns that it adds.
void prepare(Batch& batch, const Ports& ports) {
  ColumnSet& objects = batch.objects();
  Column& id = objects.add({"source_id", DType::I64, "", ""});
  Column& ra = objects.add({"ra", DType::F64, "deg", ""});
  Column& dec = objects.add({"dec", DType::F64, "deg", ""});
  for (const auto& [number, a, d] : {std::tuple{4711, 10.0, 20.0}, {815, 150.25113, 2.20417}}) {
    id.append(std::int64_t{number});
    ra.append(a);
    dec.append(d);
  }
  for (const GroupInfo& info : ports.added_groups()) batch.add_group(info);
  for (const Port& port : ports.added()) {
    const bool is_of_object = port.group.empty();
    ColumnSet& set = is_of_object ? objects : batch.group(port.group);
    Column& column = set.add({port.name, port.dtype.value_or(DType::F64), port.unit, port.help});
    if (is_of_object) column.resize(batch.rows());
  }
}

void read_all(Source& source, const Ports& ports) {
  std::size_t rows = 0;
  while (rows < kMostRows) {
    Batch batch(0, rows, 100);
    for (const Port& port : ports.added()) {
      if (port.dtype) batch.objects().add({port.name, *port.dtype, port.unit, port.help});
    }
    if (!source.read(batch)) return;
    rows += batch.rows();
  }
}

void fetch(Fetcher& fetcher, const Ports& ports) {
  Batch batch(0, 0, 2);
  prepare(batch, ports);
  std::vector<std::string> groups;
  for (const GroupInfo& info : ports.added_groups()) groups.push_back(info.name);
  Outcomes outcomes(batch.rows(), groups);
  fetcher.fetch(batch, outcomes);
  for (const Outcomes::State& state : outcomes.states()) {
    if (!state.outcome) std::abort();
  }
  for (const std::string& group : groups) {
    for (const Column& column : batch.group(group)) {
      if (column.size() != batch.group(group).epochs()) std::abort();
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Stage& stage = harness().stage();
  const std::string input(reinterpret_cast<const char*>(data), size);
  CannedAnswers answers(input);
  CannedHttp http([&](const Request& request) { return answers(request); });
  dynamic_cast<HttpStage&>(stage).connect(http);
  FuzzContext context;
  refusing([&] {
    stage.open(context);
    Ports ports = stage.member_ports();
    stage.declare({}, ports);
    if (auto* source = dynamic_cast<Source*>(&stage)) {
      read_all(*source, ports);
    } else {
      fetch(dynamic_cast<Fetcher&>(stage), ports);
    }
  });
  stage.close();
  return 0;
}
