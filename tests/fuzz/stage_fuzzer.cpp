// Whatever an archive answers or a file holds, the stage that reads it ends with an outcome for
// each object, with aligned columns, or with an Error. The stage is that of QSOHOST_FUZZ_STAGE.
// Input: of a stage that asks an archive see canned_answers.hpp; otherwise the file that it reads.
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

// Called after an object that is fetched, for stages with a file per object.
std::string file() {
  return (folder() / "4711").string();
}

std::string quoted(const std::string& text) {
  return "\"" + text + "\"";
}

// Of both objects, under the names that all stages find.
std::string other_table() {
  const std::string text =
      "name,source_id,ra,dec,z\nJ1,4711,10,20,0.5\nJ2,815,150.25113,2.20417,1.5\n";
  const auto path = folder() / "other.csv";
  write(path, reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  return quoted(path.string());
}

constexpr const char* kBands =
    "[{group = \"a.g\", time = \"mjd\", band_column = \"filter\", band_value = \"g\"}, "
    "{group = \"a.r\", time = \"mjd\", flux = \"flux\", flux_err = \"flux_err\", zero_point = "
    "25.0, "
    "band_column = \"filter\", band_value = \"r\", columns = [\"flag\"]}]";

struct Target {
  std::string stage;
  Options options;
};

Target target_of(const std::string& name) {
  const std::string here = quoted(file());
  const std::map<std::string, Target> targets{
      {"atlas", {"atlas", {{"url", "\"http://a\""}}}},
      {"irsa-ztf",
       {"irsa-ztf",
        {{"url", "\"http://a\""}, {"query_by", "\"ids\""}, {"align_oids", "\"median\""}}}},
      {"neowise", {"neowise", {{"url", "\"http://a\""}}}},
      {"gaia-tap", {"gaia-epoch", {{"archive", "\"tap\""}, {"url", "\"http://a\""}}}},
      {"gaia-vizier",
       {"gaia-epoch",
        {{"archive", "\"tap\""}, {"via", "\"vizier\""}, {"url", "\"http://a/tapvizier\""}}}},
      {"gaia-datalink",
       {"gaia-epoch",
        {{"archive", "\"datalink\""},
         {"url", "\"http://a/data\""},
         {"tap_url", "\"http://a/tap\""}}}},
      {"tap-catalog",
       {"tap-catalog",
        {{"url", "\"http://a\""},
         {"table", "\"cat\""},
         {"id", "\"name\""},
         {"ra", "\"RA\""},
         {"dec", "\"DEC\""}}}},
      {"xmatch",
       {"xmatch",
        {{"url", "\"http://a/x\""},
         {"tap_url", "\"http://a/tap\""},
         {"tap_columns", "[\"has_epoch_photometry\"]"},
         {"left", other_table()}}}},
      {"curves", {"lightcurve-source", {{"paths", "[" + here + "]"}}}},
      {"curve-rows",
       {"lightcurve-source",
        {{"paths", "[" + here + "]"}, {"columns", "[\"ra\"]"}, {"band", kBands}}}},
      {"ztf-files", {"ztf-files", {{"path", quoted((folder() / "{source_id}").string())}}}},
      {"gaia-files", {"gaia-epoch", {{"archive", "\"files\""}, {"paths", "[" + here + "]"}}}},
      {"catalog-join",
       {"catalog-join",
        {{"path", here},
         {"key", "[\"source_id\"]"},
         {"prefix", "\"their_\""},
         {"null_values", "[-999]"}}}},
      {"fits-crossmatch",
       {"fits-crossmatch",
        {{"left", here}, {"right", other_table()}, {"where", "\"z > 0.1\""}, {"threads", "1"}}}},
  };
  return targets.at(name);
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

Stage& stage_to_fuzz() {
  static const auto harness = [] {
    ::setenv("ATLAS_TOKEN", "t0ken-of-mine", 1);
    const char* name = std::getenv("QSOHOST_FUZZ_STAGE");
    if (name == nullptr) throw std::runtime_error("QSOHOST_FUZZ_STAGE is not set");
    const Target target = target_of(name);
    return std::make_unique<Harness>(target.stage, target.options);
  }();
  return harness->stage();
}

// Two objects, as a source gives them.
void add_objects(Batch& batch) {
  ColumnSet& objects = batch.objects();
  Column& id = objects.add({"source_id", DType::I64, "", ""});
  Column& ra = objects.add({"ra", DType::F64, "deg", ""});
  Column& dec = objects.add({"dec", DType::F64, "deg", ""});
  for (const auto& [number, a, d] : {std::tuple{4711, 10.0, 20.0}, {815, 150.25113, 2.20417}}) {
    id.append(std::int64_t{number});
    ra.append(a);
    dec.append(d);
  }
}

Schema schema_of_objects() {
  Schema schema;
  schema.add({"", "source_id", DType::I64}, "source");
  schema.add({"", "ra", DType::F64, "deg"}, "source");
  schema.add({"", "dec", DType::F64, "deg"}, "source");
  return schema;
}

// As the host prepares a batch for this stage: the columns that it adds.
void add_columns(Batch& batch, const Ports& ports) {
  for (const GroupInfo& info : ports.added_groups()) batch.add_group(info);
  for (const Port& port : ports.added()) {
    const bool is_of_object = port.group.empty();
    if (is_of_object && !port.dtype) continue;
    ColumnSet& set = is_of_object ? batch.objects() : batch.group(port.group);
    Column& column =
        set.add({port.name, port.dtype.value_or(DType::F64), port.unit, port.help, port.width});
    if (is_of_object) column.resize(batch.rows());
  }
}

void verify(const Batch& batch) {
  try {
    batch.verify();
  } catch (const RunError&) {
    std::abort();
  }
}

void read_all(Source& source) {
  Ports ports = source.member_ports();
  source.declare({}, ports);
  std::size_t rows = 0;
  while (rows < kMostRows) {
    Batch batch(0, rows, 100);
    add_columns(batch, ports);
    if (!source.read(batch)) return;
    verify(batch);
    rows += batch.rows();
  }
}

void fetch(Fetcher& fetcher) {
  Ports ports = fetcher.member_ports();
  fetcher.declare(schema_of_objects(), ports);
  Batch batch(0, 0, 2);
  add_objects(batch);
  add_columns(batch, ports);
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
  Stage& stage = stage_to_fuzz();
  CannedAnswers answers({reinterpret_cast<const char*>(data), size});
  CannedHttp http([&](const Request& request) { return answers(request); });
  if (auto* remote = dynamic_cast<HttpStage*>(&stage)) remote->connect(http);
  write(file(), data, size);
  FuzzContext context;
  refusing([&] {
    stage.open(context);
    if (auto* source = dynamic_cast<Source*>(&stage)) {
      read_all(*source);
    } else {
      fetch(dynamic_cast<Fetcher&>(stage));
    }
  });
  stage.close();
  return 0;
}
