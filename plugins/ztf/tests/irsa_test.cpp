// The requests of irsa-ztf, and how it handles the responses; nothing is sent.
#include <catch2/catch.hpp>

#include <qsohost/testing.hpp>

#include <random>

#include "archive.hpp"
#include "targets.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;
using Catch::Matchers::StartsWith;
using ztf::QueryBy;
using namespace ztf_tests;

namespace {

const std::string kError =
    "<?xml version=\"1.0\"?><VOTABLE><RESOURCE type=\"results\"><INFO name=\"QUERY_STATUS\" "
    "value=\"ERROR\">too many connections</INFO></RESOURCE></VOTABLE>";

bool same_light_curves(const Batch& a, const Batch& b) {
  for (const char* band : {"ztf.g", "ztf.r", "ztf.i"}) {
    const Group& one = a.group(band);
    const Group& two = b.group(band);
    if (!std::ranges::equal(one.offsets(), two.offsets())) return false;
    for (const char* name : {"epoch_id", "oid"}) {
      if (!std::ranges::equal(one.at(name).values<std::int64_t>(),
                              two.at(name).values<std::int64_t>())) {
        return false;
      }
    }
    if (!std::ranges::equal(one.at("mjd").values<double>(), two.at("mjd").values<double>())) {
      return false;
    }
  }
  return true;
}

std::vector<Outcome> outcomes_of(const Talk& talk) {
  std::vector<Outcome> out;
  for (const auto& state : talk.states) out.push_back(state.outcome.value());
  return out;
}

}  // namespace

TEST_CASE("requests for light curves, to the letter") {
  Talk talk;
  CHECK(ztf::curves_at(talk.settings, {-10, -0.00001}).url ==
        "http://irsa/cgi-bin/ZTF/nph_light_curves?POS=CIRCLE%20350.0000000000%20-0.0000100000%20"
        "0.0005833333&COLLECTION=ztf_dr24&FORMAT=CSV");
  talk.settings.bands = {0, 1};
  talk.settings.bad_catflags_mask = 32768;
  talk.settings.collection = "a b&c";
  CHECK_THAT(ztf::curves_at(talk.settings, {10, 20}).url,
             Contains("&BANDNAME=g%2Cr&COLLECTION=a%20b%26c&BAD_CATFLAGS_MASK=32768&FORMAT=CSV"));
  // The service does not accept BANDNAME with ID.
  const std::vector<std::int64_t> oids{12, 13};
  CHECK_THAT(ztf::curves_of(talk.settings, oids).url,
             Contains("?ID=12&ID=13&COLLECTION=a%20b%26c&BAD") && !Contains("BANDNAME"));
}

TEST_CASE("ids are cut into lots by number and by the length of the URL") {
  Talk talk;
  std::vector<std::int64_t> oids(1000);
  for (std::size_t k = 0; k < oids.size(); ++k) oids[k] = 600000000000000 + static_cast<int>(k);
  CHECK(ztf::in_lots(talk.settings, oids).size() == 5);
  talk.settings.ids_per_request = 1000;
  const auto lots = ztf::in_lots(talk.settings, oids);
  CHECK(lots.size() == 3);
  std::size_t n = 0;
  for (const auto& lot : lots) {
    n += lot.size();
    CHECK(ztf::curves_of(talk.settings, lot).url.size() <= 8000);
  }
  CHECK(n == oids.size());
  CHECK(ztf::in_lots(talk.settings, {}).empty());
}

TEST_CASE("both ways of asking give the same, in whatever order the answers come") {
  Talk one, two;
  fill(one, 60);
  fill(two, 60);
  two.archive.backwards = true;
  two.last_first = true;
  one.run(QueryBy::Position);
  two.run(QueryBy::Ids);
  check_truth(one);
  check_truth(two);
  CHECK(same_light_curves(one.batch, two.batch));
  CHECK(one.states[0].detail == "g 2, r 1; oids 2");
  CHECK(two.states[0].detail == one.states[0].detail);
  CHECK(one.requests.size() == 60 + 4 * 8);
  CHECK(two.requests.size() == 3 + 1);  // three look-ups, one lot of 104 ids
  CHECK(two.count("archive", "oids asked") == 104);
  const auto ids = one.batch.group("ztf.g").at("epoch_id").values<std::int64_t>();
  CHECK(ids[0] == 0);
  CHECK(ids[1] == 1);
}

TEST_CASE("ztf-files gives the same light curves, epoch_id included, from the same answers") {
  Talk talk;
  fill(talk, 10);
  talk.targets.push_back({20, 20});
  talk.archive.add({"4", 20, 20 + 2.05 * kArcsec, "zg", 4});  // in the margin
  talk.archive.add({"5", 20, 20 + 0.5 * kArcsec, "zr", 3});
  talk.archive.add({"3", 20, 20, "zg", 2});
  talk.run(QueryBy::Ids);

  Batch batch(0, 0, 1000);
  add_ztf_groups(batch, talk.targets.size());
  auto& id = batch.objects().add({"source_id", DType::I64, "", ""});
  for (std::size_t k = 0; k < talk.targets.size(); ++k) id.append(static_cast<std::int64_t>(k));
  Outcomes outcomes(talk.targets.size(), group_names(batch));
  talk.archive.backwards = true;
  outcomes.for_each(batch, [&](const Object& object) {
    const ztf::Position& target = talk.targets[object.row()];
    const std::string file = talk.archive.answer(ztf::curves_at(talk.settings, target)).body;
    const auto curves = ztf::parse_answer(file);
    ztf::add_curves(ztf::pointers_to(curves), target.ra, target.dec, talk.settings.selection,
                    {batch, talk.counts, "ztf"});
  });
  CHECK(same_light_curves(talk.batch, batch));
  const auto ids = batch.group("ztf.r").at("epoch_id").values<std::int64_t>();
  CHECK(ids.back() == 4);  // after two of oid 3, without those of oid 4
}

TEST_CASE("an object near two targets belongs to both; neighbours; outside; other bands") {
  for (const QueryBy way : {QueryBy::Position, QueryBy::Ids}) {
    Talk talk;
    talk.targets = {{10, 20}, {10, 20 + 2 * kArcsec}, {11, 20}, {12, 20}};
    talk.archive.add({"5", 10, 20 + 0.3 * kArcsec, "zg", 2});
    talk.archive.add({"4", 10, 20 - 0.3 * kArcsec, "zr", 3});
    talk.archive.add({"6", 11, 20 + 2.05 * kArcsec, "zr", 4});  // in the margin
    talk.archive.add({"7", 12, 20, "zi", 4});
    talk.run(way);
    const Group& g = talk.batch.group("ztf.g");
    CHECK(g.slice(0).count == 2);
    CHECK(g.slice(1).count == 2);
    CHECK(talk.batch.group("ztf.r").slice(0).count == 3);
    CHECK(talk.batch.group("ztf.r").slice(1).count == 0);
    // oid 4 comes first, also for the epochs of another band.
    CHECK(g.at("epoch_id").values<std::int64_t>()[0] == 3);
    CHECK(g.at("epoch_id").values<std::int64_t>()[2] == 0);
    CHECK(outcomes_of(talk) == std::vector<Outcome>{Outcome::Matched, Outcome::Matched,
                                                    Outcome::NotFound, Outcome::Matched});
    CHECK_THAT(talk.states[2].reason, Contains("2.05 arcsec"));
  }
}

TEST_CASE("an empty answer is believed after it was confirmed, and not before") {
  Talk talk;
  fill(talk, 7);
  int empty = 0;
  talk.spoil = [&](const Request& request, Response& response) {
    // Target 3 appears in the last of its five responses.
    if (request.about != "source 103") return;
    if (++empty <= 4) response.body = kHeader;
  };
  talk.run(QueryBy::Position);
  check_truth(talk);
  CHECK(talk.count("archive", "wrong empty answers") == 4);
  CHECK_THAT(talk.states[6].reason, Contains("5 answers without a row"));
  std::vector<std::int64_t> pauses;
  for (const Request& r : talk.requests) {
    if (r.about == "source 106") pauses.push_back(r.delay.count());
  }
  CHECK(pauses == std::vector<std::int64_t>{0, 5000, 10000, 20000, 40000});
}

TEST_CASE("a wrong empty answer of the table of objects is found out") {
  Talk talk;
  fill(talk, 40);
  int asked = 0;
  const std::string keep = "<TR><TD>3</TD>";
  talk.spoil = [&](const Request& request, Response& response) {
    if (is_curves(request) || ++asked > 1) return;
    for (auto at = response.body.find(keep); at != std::string::npos;
         at = response.body.find(keep)) {
      response.body.erase(at, response.body.find("</TR>", at) + 5 - at);
    }
  };
  talk.run(QueryBy::Ids);
  check_truth(talk);
  CHECK(talk.count("archive", "wrong empty answers") == 1);
}

TEST_CASE("answers that cannot be trusted are asked for again, whatever is wrong with them") {
  std::mt19937 random(7);
  const auto draw = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  const auto spoil = [&](const Request& request, Response& response) {
    const int fault = draw(20);
    const std::size_t half = response.body.size() / 2;
    if (fault == 0) response.body = "";
    if (fault == 1) response.body = kError;
    if (fault == 2) response.body = "<html><head><title>IRSA</title></head>moved\n";
    if (fault == 3) response.body.resize(half);
    if (fault == 4) response.status = 503;
    if (fault == 5 && is_curves(request)) response.body = kHeader;
    if (fault == 6 && is_curves(request)) {  // truncated between two rows
      response.body.resize(response.body.find('\n', half) + 1);
    }
  };
  for (int repeat = 0; repeat < 5; ++repeat) {
    Talk talk;
    fill(talk, 60);
    talk.spoil = spoil;
    talk.run(QueryBy::Ids);
    check_truth(talk);
  }
}

TEST_CASE("a table that announces more than there is") {
  Talk talk;
  talk.targets = {{10, 20}, {11, 20}, {12, 20}};
  talk.archive.add({"5", 10, 20, "zg", 3, 4});  // one fewer than announced
  talk.archive.add({"6", 11, 20, "zg", 0, 4});  // none
  talk.archive.add({"7", 12, 20, "zg", 4, 0});  // announced with none
  talk.run(QueryBy::Ids);
  CHECK(outcomes_of(talk) ==
        std::vector<Outcome>{Outcome::Matched, Outcome::Failed, Outcome::NotFound});
  CHECK(talk.batch.group("ztf.g").slice(0).count == 3);
  CHECK(talk.count("archive", "oids with fewer epochs than announced") == 1);
  CHECK_THAT(talk.states[1].reason, Contains("lists 4 epochs of object 6, but 5 answers had none"));
}

TEST_CASE("with a filter on rows an object may have none") {
  Talk talk;
  talk.settings.bad_catflags_mask = 32768;
  talk.targets = {{10, 20}, {11, 20}};
  talk.archive.add({"5", 10, 20, "zg", 2, 9});
  talk.archive.add({"6", 11, 20, "zg", 0, 9});
  talk.run(QueryBy::Ids);
  CHECK(outcomes_of(talk) == std::vector<Outcome>{Outcome::Matched, Outcome::NotFound});
  CHECK(talk.requests.size() == 1 + 1 + 4);
}

TEST_CASE("one bad row costs one object its light curve, not two hundred") {
  Talk talk;
  fill(talk, 35);
  const std::string bad = std::to_string(600000000000000 + 10 * (500 - 4) + 1);
  talk.spoil = [&](const Request& /*request*/, Response& response) {
    const auto at = response.body.find("\n" + bad + ",");
    if (at != std::string::npos) response.body.replace(at + 1, bad.size(), "x");
  };
  talk.run(QueryBy::Ids);
  for (std::size_t k = 0; k < 35; ++k) {
    INFO(k << talk.states[k].reason);
    CHECK(talk.states[k].outcome == (k == 4       ? Outcome::BadObject
                                     : k % 7 == 6 ? Outcome::NotFound
                                                  : Outcome::Matched));
  }
  CHECK_THAT(talk.states[4].reason, Contains("column oid"));
}

TEST_CASE("an answer that lacks a column is not taken") {
  Talk talk;
  fill(talk, 2);
  talk.spoil = [](const Request& /*request*/, Response& response) {
    response.body = "oid,mjd,mag,magerr,catflags,filtercode,ra,dec\n";
  };
  talk.run(QueryBy::Position);
  CHECK(outcomes_of(talk) == std::vector<Outcome>{Outcome::BadObject, Outcome::BadObject});
}

TEST_CASE("what the host gives up on fails alone") {
  Talk talk;
  talk.settings.ids_per_request = 2;
  fill(talk, 35);
  const std::string oid = std::to_string(600000000000000 + 10 * (500 - 4) + 1);
  talk.spoil = [&](const Request& request, Response& response) {
    if (request.url.find("ID=" + oid) != std::string::npos) response.status = 500;
  };
  talk.run(QueryBy::Ids);
  int failed = 0;
  for (const auto& state : talk.states) {
    if (state.outcome != Outcome::Failed) continue;
    ++failed;
    CHECK_THAT(state.reason, Contains("status 500"));
  }
  CHECK(failed == 1);
  CHECK(talk.states[4].outcome == Outcome::Failed);
  CHECK(talk.batch.group("ztf.r").slice(4).count == 0);  // all or nothing
}

TEST_CASE("auto: the table for many, positions for few, and when the table cannot be asked") {
  Talk few;
  fill(few, 30);
  few.run(QueryBy::Auto);
  CHECK(std::ranges::all_of(few.requests, is_curves));

  Talk many;
  fill(many, 31);
  many.run(QueryBy::Auto);
  CHECK(many.requests.front().method == "POST");
  check_truth(many);

  Talk broken;
  fill(broken, 31);
  broken.spoil = [](const Request& request, Response& response) {
    if (!is_curves(request)) response.status = 500;
  };
  broken.run(QueryBy::Auto);
  check_truth(broken);
  CHECK(same_light_curves(broken.batch, many.batch));
  REQUIRE(broken.warnings.size() == 1);
  CHECK_THAT(broken.warnings[0],
             Contains("ztf_objects_dr24 cannot be asked") && Contains("status 500"));
  CHECK(broken.shared.table_failed);

  Talk stern;
  fill(stern, 31);
  stern.spoil = broken.spoil;
  stern.run(QueryBy::Ids);
  for (const auto& state : stern.states) CHECK(state.outcome == Outcome::Failed);
}

TEST_CASE("many positions go as a job; one that is lost or fails is made anew, but not for ever") {
  const auto talk_of = [](Talk& talk) {
    fill(talk, 501);
    talk.archive.looks = 3;
  };
  Talk good;
  talk_of(good);
  good.run(QueryBy::Ids);
  check_truth(good);
  CHECK(good.requests[0].url == "http://irsa/TAP/async");
  CHECK_THAT(good.requests[0].body, Contains("name=\"PHASE\"\r\n\r\nRUN"));
  const auto phase = std::ranges::find_if(
      good.requests, [](const Request& r) { return r.url == "http://irsa/TAP/async/job1/phase"; });
  REQUIRE(phase != good.requests.end());
  CHECK_FALSE(phase->keep);
  CHECK(phase->delay.count() == 500);

  for (const bool is_lost : {true, false}) {
    Talk talk;
    talk_of(talk);
    talk.spoil = [&](const Request& request, Response& response) {
      if (request.url.find("/job1/") == std::string::npos) return;
      if (is_lost) response.status = 404;
      response.body = "ERROR";
    };
    talk.run(QueryBy::Ids);
    check_truth(talk);
  }

  Talk never;
  talk_of(never);
  never.spoil = [](const Request& request, Response& response) {
    if (request.url.ends_with("/phase")) response.body = "ABORTED";
  };
  never.run(QueryBy::Ids);
  for (const auto& state : never.states) {
    CHECK(state.outcome == Outcome::Failed);
    CHECK_THAT(state.reason, Contains("job3 ended in phase ABORTED"));
  }
}

TEST_CASE("more objects than the archive sends: each position is asked for on its own, at once") {
  const auto spoil = [](const Request& request, Response& response) {
    const auto end = response.body.find("</RESOURCE>");
    if (is_curves(request)) return;
    response.body.insert(end, "<INFO name=\"QUERY_STATUS\" value=\"OVERFLOW\"/>");
  };
  Talk talk;
  fill(talk, 31);
  talk.spoil = spoil;
  talk.run(QueryBy::Auto);
  check_truth(talk);
  REQUIRE(talk.warnings.size() == 1);
  CHECK_THAT(talk.warnings[0], Contains("more objects near 31 positions than the archive sends"));
  const auto posts = std::ranges::count_if(talk.archive.urls,
                                           [](const auto& url) { return url.ends_with("/sync"); });
  CHECK(posts == 1);  // a retry would give the same
}

TEST_CASE("the upload of positions") {
  Talk talk;
  const std::vector<ztf::UploadedPosition> positions{{4, {359.5, -0.25}}, {9, {-1, 89}}};
  ztf::LookUp look_up(talk.settings, positions, 0, {});
  const Request request = look_up.begin();
  CHECK(request.method == "POST");
  CHECK(request.url == "http://irsa/TAP/sync");
  CHECK_THAT(request.content_type, StartsWith("multipart/form-data; boundary="));
  const std::string boundary = request.content_type.substr(request.content_type.find('=') + 1);
  CHECK_THAT(request.body, StartsWith("--" + boundary + "\r\n"));
  CHECK(request.body.ends_with("\r\n--" + boundary + "--\r\n"));
  CHECK_THAT(request.body,
             Contains("CIRCLE('ICRS', t.ra, t.dec, 0.0005833333)) = 1") &&
                 Contains("FROM ztf_objects_dr24 o, TAP_UPLOAD.targets t") &&
                 Contains("<TR><TD>4</TD><TD>359.5000000000</TD><TD>-0.2500000000</TD></TR>") &&
                 Contains("<TR><TD>9</TD><TD>359.0000000000</TD><TD>89.0000000000</TD></TR>"));
}

TEST_CASE("a position that is none") {
  Talk talk;
  talk.targets = {{10, 91}, {std::nan(""), 0}};
  talk.run(QueryBy::Position);
  CHECK(talk.requests.empty());
  for (const auto& state : talk.states) CHECK(state.outcome == Outcome::BadObject);
}

TEST_CASE("options of the stage that cannot work together") {
  CHECK_THROWS_WITH(Harness("irsa-ztf", {{"url", "\"irsa.ipac.caltech.edu\""}}),
                    Contains("https://"));
  CHECK_THROWS_WITH(Harness("irsa-ztf", {{"collection", "\"ztf\""}, {"query_by", "\"ids\""}}),
                    Contains("objects_table"));
  CHECK_THROWS_WITH(Harness("irsa-ztf", {{"bands", "[]"}}), Contains("bands"));
  CHECK_NOTHROW(Harness("irsa-ztf", {{"collection", "\"ztf\""}}));
}
