// The sink: products and their columns, which must not depend on the batches of a run.
#include <memory>
#include <vector>

#include <qsohost/io/fits.hpp>
#include <qsohost/testing.hpp>

#include "fits_folder.hpp"
#include "products.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

std::vector<std::string> names_of(const products::Product& product) {
  std::vector<std::string> names;
  for (const products::ProductColumn& column : product.columns) names.push_back(column.name);
  return names;
}

std::vector<std::string> names_in(const std::filesystem::path& file) {
  std::vector<std::string> names;
  const FitsTable table(file);
  for (const FitsField& field : table.fields()) names.push_back(field.info.name);
  return names;
}

void add_band(Schema& schema, const std::string& band, const std::vector<std::string>& columns) {
  const std::string group = "ztf." + band;
  schema.add_group({group, "ztf", band, "mjd", "mag", "magerr", kMjdUtc}, "ztf");
  for (const std::string& name : columns) {
    const bool is_text = name == "filtercode";
    const bool in_product = name != "oid" && name != "epoch_id" && !is_text;
    schema.add({.group = group,
                .name = name,
                .dtype = is_text ? DType::String : DType::F32,
                .in_product = in_product},
               "ztf");
  }
}

// A catalogue, ZTF in g and i, and a fitter "loo" on ztf.g.
Schema chain() {
  Schema schema;
  for (const char* name : {"source_id", "ra", "dec", "z"}) {
    schema.add({"", name, DType::F64}, "catalog");
  }
  add_band(schema, "g",
           {"epoch_id", "oid", "filtercode", "mjd", "mag", "magerr", "catflags", "airmass"});
  add_band(schema, "i", {"oid", "mjd", "mag", "magerr", "catflags", "airmass"});
  schema.add({"", "loo.ztf.g.logD", DType::F64}, "loo");
  schema.add({"", "loo.ztf.g.n_removed", DType::I32}, "loo");
  schema.add({"ztf.g", "keep", DType::Bool}, "loo");
  schema.add_group({"loo.ztf.g", "", "g", "", "", "", {}}, "loo");
  schema.add({"loo.ztf.g", "removed_mjd", DType::F64}, "loo");
  return schema;
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("each product holds the columns that it promises") {
  const Schema schema = chain();
  CHECK(names_of(products::plan_products("catalog", {}, schema).products.at(0)) ==
        Names{"source_id", "ra", "dec", "z"});
  CHECK(names_of(products::plan_products("targets", {}, schema).products.at(0)) ==
        Names{"source_id", "ra", "dec"});
  CHECK(names_of(products::plan_products("ztf", {}, schema).products.at(0)) ==
        Names{"source_id", "ra", "dec", "mjd_g", "mag_g", "magerr_g", "catflags_g", "airmass_g",
              "mjd_i", "mag_i", "magerr_i", "catflags_i", "airmass_i"});
  const auto loo = products::plan_products("loo", {}, schema);
  REQUIRE(loo.products.size() == 1);
  CHECK(names_of(loo.products[0]) == Names{"source_id", "logD", "n_removed", "removed_mjd"});
  CHECK(products::path_of(loo.products[0], "", "sdss") == "sdss_loo_ztf_g.fits");
  CHECK(products::path_of(loo.products[0], "x/{group}_{name}.fits", "sdss") == "x/ztf.g_sdss.fits");
}

TEST_CASE("a table of results beside a survey of the stage's label") {
  Schema schema = chain();
  schema.add_group({.name = "ztf.sources.ztf.g"}, "ztf");
  schema.add({"ztf.sources.ztf.g", "offset", DType::F32}, "ztf");
  schema.add({"", "ztf.sources.ztf.g.n_oids", DType::I32}, "ztf");
  const auto sources = products::plan_products("ztf.sources", {}, schema);
  REQUIRE(sources.problems.empty());
  REQUIRE(sources.products.size() == 1);
  CHECK(names_of(sources.products[0]) == Names{"source_id", "n_oids", "offset"});
  CHECK(products::path_of(sources.products[0], "", "sdss") == "sdss_ztf.sources_ztf_g.fits");
  CHECK(names_of(products::plan_products("catalog", {}, schema).products.at(0)).size() == 4);
  CHECK(names_of(products::plan_products("ztf", {}, schema).products.at(0)).size() == 13);
  CHECK_FALSE(products::plan_products("loo.sources", {}, schema).problems.empty());
}

// A survey whose columns have names of their own in files, listed across its bands, without ra and
// dec; and one that does not describe its columns.
Schema other_surveys() {
  Schema schema;
  for (const char* name : {"source_id", "ra", "dec"}) schema.add({"", name, DType::F64}, "catalog");
  for (const std::string band : {"u", "v"}) {
    schema.add_group({.name = "own." + band, .survey = "own", .band = band, .has_position = false},
                     "own");
    schema.add({.group = "own." + band, .name = "extra", .dtype = DType::F32}, "own");
  }
  for (const std::string column : {"time", "mag"}) {
    for (const std::string band : {"u", "v"}) {
      schema.add({.group = "own." + band,
                  .name = column,
                  .dtype = DType::F64,
                  .file_name = band + "_own_" + column,
                  .in_product = true},
                 "own");
    }
  }
  schema.add_group({.name = "plain.g", .survey = "plain", .band = "g"}, "plain");
  for (const char* name : {"time", "mag", "epoch_id"}) {
    schema.add({"plain.g", name, DType::F64}, "plain");
  }
  schema.add({"plain.g", "code", DType::String}, "plain");
  return schema;
}

TEST_CASE("a survey says which columns are its product and what files call them") {
  Schema schema = other_surveys();
  CHECK(names_of(products::plan_products("own", {}, schema).products.at(0)) ==
        Names{"source_id", "u_own_time", "v_own_time", "u_own_mag", "v_own_mag"});
  const auto chosen = products::plan_products("own", {"mag", "extra"}, schema);
  CHECK(names_of(chosen.products.at(0)) ==
        Names{"source_id", "u_own_mag", "extra_u", "v_own_mag", "extra_v"});
  CHECK(names_of(products::plan_products("plain", {}, schema).products.at(0)) ==
        Names{"source_id", "ra", "dec", "time_g", "mag_g", "epoch_id_g"});

  const FitsEpochs epochs = products::epochs_of(chosen.products.at(0), schema);
  REQUIRE(epochs.columns.size() == 4);
  CHECK(epochs.columns[1].column == "extra_u");
  CHECK(epochs.columns[1].group == "own.u");
  CHECK(epochs.columns[1].name == "extra");
  CHECK_FALSE(epochs.columns[1].in_product);
  CHECK(epochs.columns[2].in_product);
  CHECK(epochs.groups.at(1).name == "own.v");

  schema.add({.group = "own.v", .name = "flag", .dtype = DType::F32, .file_name = "U_OWN_MAG"},
             "own");
  CHECK_THAT(products::plan_products("own", {"mag", "flag"}, schema).problems.at(0),
             Contains("'mag' of group 'own.u'") && Contains("'flag' of group 'own.v'"));
}

TEST_CASE("columns can be chosen") {
  const Schema schema = chain();
  CHECK(names_of(products::plan_products("ztf", {"mag", "oid"}, schema).products.at(0)) ==
        Names{"source_id", "ra", "dec", "mag_g", "oid_g", "mag_i", "oid_i"});
  CHECK(names_of(products::plan_products("loo", {"logD"}, schema).products.at(0)) ==
        Names{"source_id", "logD"});
  CHECK(names_of(products::plan_products("catalog", {"z"}, schema).products.at(0)) ==
        Names{"source_id", "z"});
  const auto text = products::plan_products("ztf", {"filtercode"}, schema);
  CHECK_THAT(text.problems.at(0), Contains("'filtercode'"));
  const auto unknown = products::plan_products("loo", {"logd"}, schema);
  CHECK_THAT(unknown.problems.at(0), Contains("did you mean 'logD'"));
}

TEST_CASE("a product that does not exist is refused once the columns are known") {
  Schema schema = chain();
  const auto plan = products::plan_products("zft", {}, schema);
  CHECK_THAT(plan.problems.at(0), Contains("did you mean 'ztf'"));
  CHECK_THAT(plan.problems.at(0), Contains("catalog, targets, ztf, loo"));
  schema.set_open(true);
  CHECK(products::plan_products("zft", {}, schema).problems.empty());
}

TEST_CASE("a path that gives two products one file is refused") {
  Schema schema = chain();
  schema.add({"", "loo.ztf.i.logD", DType::F64}, "loo");
  const auto plan = products::plan_products("loo", {}, schema);
  REQUIRE(plan.products.size() == 2);
  CHECK(products::path_problems(plan.products, "").empty());
  CHECK(products::path_problems(plan.products, "{what}_{band}.fits").empty());
  CHECK_THAT(products::path_problems(plan.products, "loo.fits").at(0), Contains("same file"));
  CHECK_THAT(products::path_problems(plan.products, "{bnad}.fits").at(0), Contains("placeholder"));
  for (const char* band : {"../../x", ".."}) {
    auto hostile = plan.products;
    hostile[1].band = band;
    CHECK_THAT(products::path_problems(hostile, "{what}/{band}/c.fits").at(0),
               Contains("without '/'"));
  }
}

namespace {

// Drives the stage like the host: batches of `batch_rows`, then the products.
class Run {
 public:
  explicit Run(std::vector<std::pair<std::string, OptionValue>> options)
      : harness_(std::make_unique<Harness>("fits-sink")) {
    for (auto& [name, value] : options) {
      for (OptionBase* option : harness_->stage().options()) {
        if (option->name() == name) option->set(value);
      }
    }
    context_.info = {
        "demo", "00ff", folder_.path, folder_.path, folder_.path, {"qsohost", "stage ztf"}, {}};
    for (const char* name : {"source_id", "ra", "dec", "name"})
      context_.info.schema.add({"", name, {}}, "c");
    add_band(context_.info.schema, "g", {"mjd", "mag"});
    harness_->stage().open(context_);
  }

  std::filesystem::path products(std::size_t rows, std::size_t batch_rows) {
    auto& sink = dynamic_cast<Sink&>(harness_->stage());
    std::vector<qsohost::Chunk> chunks;
    for (std::size_t first = 0; first < rows; first += batch_rows) {
      const std::size_t count = std::min(batch_rows, rows - first);
      chunks.push_back({chunks.size(), 1, count});
      sink.write(batch(chunks.back().ordinal, first, count), chunks.back());
    }
    Files files(folder_.path);
    sink.finish(chunks, files);
    return files.paths.at(0);
  }
  const std::filesystem::path& folder() const { return folder_.path; }

 private:
  struct TestContext final : Context {
    RunInfo info;
    const RunInfo& run() const override { return info; }
    void log(LogLevel, std::string_view) override {}
    bool stop_requested() const override { return false; }
  };

  struct Files final : qsohost::Products {
    explicit Files(std::filesystem::path into) : folder(std::move(into)) {}
    std::filesystem::path folder;
    std::vector<std::filesystem::path> paths;
    std::filesystem::path part(const std::filesystem::path& product) override {
      paths.push_back(folder / product);
      std::filesystem::create_directories(paths.back().parent_path());
      return paths.back();
    }
  };

  // Object i has i % 3 epochs.
  static Batch batch(std::uint64_t ordinal, std::size_t first, std::size_t rows) {
    Batch batch(ordinal, first, rows);
    Column& id = batch.objects().add({"source_id", DType::I64, "", ""});
    Column& ra = batch.objects().add({"ra", DType::F64, "deg", ""});
    Column& dec = batch.objects().add({"dec", DType::F64, "deg", ""});
    Column& name = batch.objects().add({"name", DType::String, "", ""});
    Group& group = batch.add_group({"ztf.g", "ztf", "g", "mjd", "mag", "magerr", kMjdUtc});
    Column& mjd = group.add({"mjd", DType::F64, "d", "time of the exposure"});
    Column& mag = group.add({"mag", DType::F32, "mag", ""});
    for (std::size_t i = first; i < first + rows; ++i) {
      id.append(static_cast<std::int64_t>(1000 - i));
      ra.append(10.0 + static_cast<double>(i));
      dec.append(-5.0);
      name.append_string(std::string(i % 5, 'q'));
      for (std::size_t k = 0; k < i % 3; ++k) {
        mjd.append(58000.0 + static_cast<double>(i));
        mag.append(18.5f);
      }
      group.close_row();
    }
    return batch;
  }

  Folder folder_;
  TestContext context_;
  std::unique_ptr<Harness> harness_;
};

OptionValue text(const char* value) {
  return {OptionValue::Scalar{std::string(value)}};
}

}  // namespace

TEST_CASE("products do not depend on batches") {
  Run one({{"what", text("ztf")}});
  Run many({{"what", text("ztf")}});
  const auto a = one.products(40, 40);
  const auto b = many.products(40, 7);
  CHECK(a.filename() == "demo_ztf_lc.fits");
  CHECK(bytes_of(a) == bytes_of(b));
  CHECK(names_in(a) == Names{"source_id", "ra", "dec", "mjd_g", "mag_g"});
  CHECK(FitsTable(a).time_system() == kMjdUtc);
}

TEST_CASE("astropy reads the values and headers of a product", "[.astropy]") {
  Run run({{"what", text("ztf")}});
  const auto a = run.products(40, 7);
  const std::string json = second_opinion(
      a, "--rows 40 --columns source_id:K,ra:D:deg,dec:D:deg,mjd_g:PD:d,mag_g:PE:mag --json");
  if (json.empty()) return;
  CHECK_THAT(json, Contains("\"hash\": \"00ff\""));
  CHECK_THAT(json, Contains("stage ztf"));
  CHECK_THAT(json, Contains("MJD UTC"));
}

TEST_CASE("writing a batch again replaces its chunk") {
  Run run({{"what", text("ztf")}});
  const std::string first = bytes_of(run.products(20, 6));
  CHECK(bytes_of(run.products(20, 6)) == first);
}

TEST_CASE("rows are sorted and left out as asked, by a column outside the product too") {
  Run by_id({{"what", text("ztf")}, {"sort_by", text("source_id")}});
  const auto file = by_id.products(20, 6);
  FitsTable table(file);
  CHECK(table.read(0, 20, std::vector<std::size_t>{0})[0].values.number(0) == 981);

  Run by_name({{"what", text("ztf")},
               {"sort_by", text("name")},
               {"drop_empty", {OptionValue::Scalar{true}}}});
  const auto dropped = by_name.products(20, 6);
  CHECK(names_in(dropped) == Names{"source_id", "ra", "dec", "mjd_g", "mag_g"});
  FitsTable sorted(dropped);
  REQUIRE(sorted.rows() == 13);
  const auto ids = sorted.read(0, 13, std::vector<std::size_t>{0});
  CHECK(ids[0].values.number(0) == 999);   // i = 1: the first with epochs and the shortest name
  CHECK(ids[0].values.number(12) == 990);  // i = 10: the last one without a name
  second_opinion(dropped, "--rows 13");
}

TEST_CASE("a run without objects makes tables without rows") {
  Run run({{"what", text("ztf")}, {"path", text("deep/{survey}.fits")}});
  const auto file = run.products(0, 10);
  CHECK(file == run.folder() / "deep/ztf.fits");
  second_opinion(file, "--rows 0");
}

TEST_CASE("the harness writes a product, and reports a missing survey") {
  Harness h("fits-sink", {{"what", "\"targets\""}});
  h.targets({{7, 10.5, -3.25}, {8, 11.5, 4}});
  h.run();
  REQUIRE(h.products().size() == 1);
  CHECK(h.products()[0].filename() == "test_targets.fits");
  Harness lacking("fits-sink", {{"what", "\"ztf\""}});
  lacking.targets({{7, 10.5, -3.25}});
  CHECK_THAT(error_of([&] { lacking.run(); }), Contains("neither a survey nor a fitter"));
}

TEST_CASE("what cannot be sorted or stored is refused before the first batch") {
  const auto run = [](const std::vector<std::pair<std::string, std::string>>& options) {
    Harness h("fits-sink", options);
    h.targets({{7, 10.5, -3.25}, {8, 11.5, 4}});
    Column& pair = h.batch().objects().add({"pair", DType::F64, "", "", 2});
    Column& flag = h.batch().objects().add({"flag", DType::Bool, "", ""});
    pair.resize(2);
    flag.resize(2);
    h.run();
    return names_in(h.products().at(0));
  };
  CHECK(run({{"what", "\"catalog\""}}) == Names{"source_id", "ra", "dec", "pair", "flag"});
  CHECK_THAT(error_of([&] {
               run({{"what", "\"catalog\""}, {"sort_by", "\"pair\""}});
             }),
             Contains("needs column 'pair' (option 'sort_by') with 1 value per object"));
  CHECK(run({{"what", "\"targets\""}, {"sort_by", "\"flag\""}}) == Names{"source_id", "ra", "dec"});

  Schema schema = chain();
  schema.add({"loo.ztf.g", "shape", DType::F64, "", "", 0, 2}, "loo");
  const auto plan = products::plan_products("loo", {}, schema);
  REQUIRE(plan.problems.size() == 1);
  CHECK_THAT(plan.problems[0], Contains("'shape' of group 'loo.ztf.g' has several values"));
}

TEST_CASE("more columns than a FITS table holds are refused before the first batch") {
  const auto run = [](std::size_t extra, const std::string& sort_by) {
    Harness h("fits-sink", {{"what", "\"catalog\""},
                            {"sort_by", "\"" + sort_by + "\""},
                            {"columns", sort_by.empty() ? "[]" : "[\"ra\"]"}});
    h.targets({{7, 10.5, -3.25}});
    for (std::size_t i = 0; i < extra; ++i) {
      h.batch().objects().add({"c" + std::to_string(i), DType::F32, "", ""}).resize(1);
    }
    h.run();
    return names_in(h.products().at(0)).size();
  };
  CHECK(run(996, "") == 999);
  CHECK_THAT(error_of([&] { run(997, ""); }),
             Contains("would write 1000 columns, but a FITS table holds 999; choose with option "
                      "'columns' here, or of stage 'memory', which gives most"));
  CHECK(run(2000, "c0") == 2);

  Schema schema;
  schema.add({"", "source_id", DType::I64}, "cat");
  std::vector<std::string> names;
  for (int i = 0; i < 998; ++i) {
    names.push_back("c" + std::to_string(i));
    schema.add({"", names.back(), DType::F32}, "cat");
  }
  const products::Plan plan = products::plan_products("catalog", names, schema);
  CHECK(products::count_problem(plan.products[0], false, schema).empty());
  CHECK_THAT(products::count_problem(plan.products[0], true, schema),
             Contains("1000 columns (one of them to sort by)") && Contains("stage 'cat'"));
}

TEST_CASE("texts that FITS cannot hold are told once a column") {
  Harness h("fits-sink", {{"what", "\"catalog\""}});
  h.targets({{7, 10.5, -3.25}, {8, 11.5, 4}});
  Column& name = h.batch().objects().add({"name", DType::String, "", ""});
  name.append_string("M\xc3\xbcller");
  name.append_string("\xc3\x85");
  h.run();
  REQUIRE(h.messages().size() == 1);
  CHECK_THAT(h.messages()[0], Contains("column 'name'") && Contains("text is 'M\xc3\xbcller'"));
  FitsTable table(h.products().at(0));
  const auto cells = table.read(0, 2, std::vector<std::size_t>{3});
  CHECK(cells[0].values.strings()[0] == "M?ller");
  CHECK(cells[0].values.strings()[1] == "?");
}

TEST_CASE("the shape of a column goes into the product") {
  Harness h("fits-sink", {{"what", "\"catalog\""}});
  h.targets({{7, 10.5, -3.25}});
  h.batch().objects().add({"psf", DType::F32, "", "", 6, {3, 2}}).resize(1);
  h.run();
  CHECK(FitsTable(h.products().at(0)).keyword("TDIM4") == "(3,2)");
}
