// What hosts use that are no program: chains from texts, stages of their own, batches to keep, and
// fits without a run.
#include <atomic>
#include <cmath>
#include <memory>

#include "qsohost/host/open_fitter.hpp"
#include "support.hpp"

using namespace qsohost;
using Catch::Contains;

namespace {

// Three objects with two columns, in one batch.
class Three final : public Source {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.adds({"", "source_id", DType::I64});
  }
  void open(Context& /*context*/) override { is_read_ = false; }
  bool read(Batch& batch) override {
    if (std::exchange(is_read_, true)) return false;
    for (std::int64_t id = 1; id <= 3; ++id)
      batch.objects().at("source_id").append<std::int64_t>(id);
    return true;
  }

 private:
  bool is_read_ = false;
};

StagePtr make_three() {
  return {new Three, [](Stage* stage) { delete stage; }};
}

StageOffer offer_of(const std::string& name) {
  StageOffer offer;
  offer.stage = name;
  offer.role = Role::Source;
  offer.plugin = "own";
  return offer;
}

// Objects with these numbers of epochs, at 19 mag, for faux-fit.
Batch curves(const std::vector<std::uint64_t>& lengths) {
  Batch batch(0, 0, lengths.size());
  Column& id = batch.objects().add({"source_id", DType::I64, "", ""});
  for (std::size_t i = 0; i < lengths.size(); ++i) id.append(static_cast<std::int64_t>(i));
  Group& group = batch.add_group({"faux.g", "faux", "g", "mjd", "mag", "magerr", kMjdUtc});
  group.add({"mjd", DType::F64, "d", ""});
  group.add({"mag", DType::F32, "mag", ""});
  group.add({"magerr", DType::F32, "mag", ""});
  group.append_rows(lengths);
  for (float& mag : group.at("mag").values<float>()) mag = 19;
  return batch;
}

}  // namespace

TEST_CASE("a chain is read from a text, and its problems have places in it") {
  FauxRun r;
  const auto chain = Chain::parse(chain_of(stage("faux-source", "objcts = 5\n")), "a text",
                                  r.folder, {}, r.plugins, r.problems);
  CHECK_FALSE(chain);
  REQUIRE_FALSE(r.problems.empty());
  CHECK_THAT(r.problems.front().text(), Contains("a text:5:1: faux-source: no option 'objcts'"));
  r.problems.clear();
  const auto good = Chain::parse(chain_of(stage("faux-source", "objects = 5\n")), "a text",
                                 r.folder, {}, r.plugins, r.problems);
  REQUIRE(good);
  CHECK(good->stages().size() == 1);
}

TEST_CASE("a host's own stage comes before that of a plugin") {
  FauxRun r;
  r.plugins.add_stage(offer_of("faux-source"), make_three);
  r.plugins.add_stage(offer_of("three"), make_three);
  for (const char* name : {"three", "faux-source"}) {
    r.text = chain_of(stage(name));
    r.options.dry_run = true;
    CHECK(r.run().objects_this_run == 3);
  }
}

TEST_CASE("whoever gets the batches of a dry run may keep them") {
  FauxRun r;
  r.options.dry_run = true;
  std::vector<std::shared_ptr<const Batch>> kept;
  r.options.batch_done = [&](Batch& batch, const auto&) {
    kept.push_back(std::make_shared<const Batch>(std::move(batch)));
  };
  const RunReport report = r.run();
  CHECK(report.end == RunEnd::Done);
  std::uint64_t objects = 0;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    CHECK(kept[i]->ordinal() == i);
    objects += kept[i]->rows();
  }
  CHECK(kept.size() > 1);
  CHECK(objects == stage(report, "fit").objects_out);
}

TEST_CASE("a fitter fits light curves in memory, again and again") {
  Plugins plugins;
  plugins.add_standard_folders();
  const OpenFitter fitter(plugins, "faux-fit", {{"fails", "\"bad\""}, {"fail_at", "1"}},
                          curves({}));
  for (const int threads : {1, 2}) {
    Batch batch = curves({2, 3, 0});
    const std::vector<std::string> reasons = fitter.fit(batch, threads);
    REQUIRE(reasons.size() == 3);
    CHECK(reasons[0].empty());
    CHECK_FALSE(reasons[1].empty());
    const auto means = batch.objects().at("faux-fit.faux.g.mean").values<double>();
    CHECK(means[0] == 19);
    CHECK(std::isnan(means[1]));
  }
  const std::atomic<int> interrupts = 1;
  Batch batch = curves({2, 3});
  CHECK(fitter.fit(batch, 1, &interrupts) ==
        std::vector<std::string>{"interrupted", "interrupted"});
}

TEST_CASE("what a check would refuse is refused of a fitter without a run") {
  Plugins plugins;
  plugins.add_standard_folders();
  const auto refused = [&](const std::string& stage, const std::string& option, const char* why) {
    CHECK_THROWS_WITH(OpenFitter(plugins, stage, {{option, "1"}}, curves({})), Contains(why));
  };
  refused("faux-fit", "fail_et", "did you mean 'fail_at'?");
  refused("faux-filter", "every", "not a Fitter");
  refused("faux-fitt", "fail_at", "no stage 'faux-fitt'");
  Batch without_curves(0, 0, 0);
  without_curves.objects().add({"source_id", DType::I64, "", ""});
  CHECK_THROWS_WITH(OpenFitter(plugins, "faux-fit", {}, without_curves), Contains("faux.g"));
}
