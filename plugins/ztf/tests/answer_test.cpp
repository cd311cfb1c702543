#include <catch2/catch.hpp>

#include <qsohost/error.hpp>

#include <algorithm>
#include <cmath>

#include "answers.hpp"
#include "taken.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;
using ztf::parse_answer;

namespace {

std::vector<ztf::Candidate> candidates(const std::vector<ztf::Curve>& curves, double ra, double dec,
                                       const ztf::Selection& selection) {
  return ztf::candidates_of(ztf::pointers_to(curves), ra, dec, selection);
}

std::vector<std::int64_t> ids_of(const Group& group, const char* column) {
  const auto ids = group.at(column).values<std::int64_t>();
  return {ids.begin(), ids.end()};
}

// What became of the epochs. In order: in answers, outside, of farther sources, incomplete,
// repeated, conflicting, second in an exposure, added.
std::vector<std::int64_t> counts_of(const Counts& counts, const std::string& group) {
  std::vector<std::int64_t> out;
  for (const auto& entry : counts.entries()) {
    if (entry.item == group && out.size() < 8) out.push_back(entry.n);
  }
  return out;
}

}  // namespace

TEST_CASE("a row of 24 columns") {
  const auto curves = parse_answer(kHeader + line({}));
  REQUIRE(curves.size() == 1);
  REQUIRE(curves[0].epochs.size() == 1);
  const ztf::Epoch& e = curves[0].epochs[0];
  CHECK(e.oid == 675103300002930);
  CHECK(e.expid == 54248304);
  CHECK(e.filefracday == 20180627483032);
  CHECK(e.hjd == 2458202.857);
  CHECK(e.mjd == 58202.3531);
  CHECK(e.mag == 17.5f);
  CHECK(e.magerr == 0.0177031122f);
  CHECK(e.catflags == 0);
  CHECK(e.band == 0);
  CHECK(e.ra == 10.0);
  CHECK(e.dec == 20.0);
  CHECK(e.chi == 0.725f);
  CHECK(e.sharp == -0.003f);
  CHECK(e.field == 675);
  CHECK(e.ccdid == 3);
  CHECK(e.qid == 4);
  CHECK(e.limitmag == 19.42f);
  CHECK(e.magzp == 26.2383842f);
  CHECK(e.magzprms == 0.0374238677f);
  CHECK(e.clrcoeff == -0.0575410537f);
  CHECK(e.clrcounc == 8.82756503e-05f);
  CHECK(e.exptime == 30.0f);
  CHECK(e.airmass == 1.58299994f);
  CHECK(e.programid == 1);
  CHECK(e.nulls == 0);
}

TEST_CASE("decimal and hexadecimal ccdid, NaN hjd, 64-bit oid") {
  const auto curves = parse_answer(kHeader + line({.hjd = "NaN", .ccdid = "0xf"}) +
                                   line({.oid = "9223372036854775807", .ccdid = "15"}));
  REQUIRE(curves.size() == 2);
  CHECK(std::isnan(curves[0].epochs.at(0).hjd));
  CHECK(curves[0].epochs[0].mjd == 58202.3531);
  CHECK(curves[0].epochs[0].ccdid == 15);
  CHECK(curves[0].ccdid == 15);
  CHECK(curves[1].epochs.at(0).ccdid == 15);
  CHECK(curves[1].epochs[0].oid == 9223372036854775807);
  CHECK(curves[1].oid == 9223372036854775807);
}

TEST_CASE("cells that repeat the row before, and cells that stop to") {
  const auto curves =
      parse_answer(kHeader + line({}) + line({.mjd = "58203", .filter = "zr", .ccdid = ""}) +
                   line({.mjd = "58204", .mag = "18", .filter = "zr", .ccdid = ""}) +
                   line({.mjd = "58205", .filter = "zi"}));
  REQUIRE(curves.size() == 1);
  const std::vector<ztf::Epoch>& epochs = curves[0].epochs;
  REQUIRE(epochs.size() == 4);
  CHECK(epochs[0].ccdid == 3);
  CHECK(epochs[1].nulls != 0);
  CHECK(epochs[2].nulls == epochs[1].nulls);
  CHECK(epochs[1].mag == 17.5);
  CHECK(epochs[2].mag == 18);
  CHECK(epochs[2].expid == epochs[0].expid);
  CHECK(epochs[3].nulls == 0);
  CHECK(epochs[3].ccdid == 3);
  CHECK(epochs[1].band == 1);
  CHECK(epochs[2].band == 1);
  CHECK(epochs[3].band == 2);
}

TEST_CASE("refused, cut and foreign answers are asked for again") {
  const std::string good = kHeader + line({});
  CHECK_THROWS_AS(parse_answer(""), TryAgain);
  CHECK_THROWS_AS(parse_answer(good.substr(0, good.size() - 1)), TryAgain);
  CHECK_THROWS_AS(parse_answer(good.substr(0, good.size() - 40)), TryAgain);
  CHECK_THROWS_AS(parse_answer(kHeader.substr(0, 60)), TryAgain);
  CHECK_THROWS_AS(parse_answer("<html><body>503</body></html>\n"), TryAgain);
  CHECK_THROWS_WITH(parse_answer("No rows returned\n"), Contains("No rows returned"));
  CHECK_THROWS_AS(parse_answer("No rows returned\n"), TryAgain);
  CHECK_THROWS_AS(
      parse_answer("<?xml version=\"1.0\"?><VOTABLE><RESOURCE><INFO name=\"QUERY_STATUS\""
                   " value=\"ERROR\">busy</INFO></RESOURCE></VOTABLE>"),
      TryAgain);
}

TEST_CASE("an answer cut anywhere but at a line end is asked for again") {
  const std::string text = kHeader + line({}) + line({.mjd = "58203"});
  for (std::size_t n = 0; n < text.size(); ++n) {
    if (n > 0 && text[n - 1] == '\n') continue;
    INFO(n);
    CHECK_THROWS_AS(parse_answer(text.substr(0, n)), TryAgain);
  }
  CHECK(parse_answer(text).at(0).epochs.size() == 2);
}

TEST_CASE("malformed answers name line and column") {
  CHECK_THROWS_AS(parse_answer(kHeader + line({.mjd = "x"})), BadObject);
  CHECK_THROWS_WITH(parse_answer(kHeader + line({}) + line({.mag = "1..5"})),
                    Contains("line 3") && Contains("column mag") && Contains("1..5"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({.mjd = "inf"})), Contains("mjd (inf)"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({.filter = "zu"})), Contains("zu"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({.ccdid = "70000"})), Contains("column ccdid"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({.oid = "6.75e14"})), Contains("column oid"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({.ra = "nan"})), Contains("position"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({.ra = ""})), Contains("line 2: column ra"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({.catflags = "null"})), Contains("catflags"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({}) + line({.mjd = "2458300.5"})),
                    Contains("line 3: column mjd: 2458300.5: this looks like JD; MJD is JD - "
                             "2400000.5"));
  CHECK_THROWS_AS(parse_answer("oid,mjd,mag\n1,2,3\n"), BadObject);
  CHECK_THROWS_WITH(parse_answer("oid,mjd,mag\n1,2,3\n"),
                    Contains("magerr, catflags, ra, dec, filtercode"));
}

TEST_CASE("columns that an older answer lacks become NaN and null") {
  const std::string text =
      "oid,mjd,mag,magerr,catflags,filtercode,ra,dec\n5,58202.5,17.5,0.02,0,zr,10,20\n";
  const auto curves = parse_answer(text);
  Batch batch(0, 0, 1);
  add_ztf_groups(batch, 1);
  Counts counts;
  ztf::add_curves(ztf::pointers_to(curves), 10, 20, {}, {batch, counts, "ztf"});
  const Group& r = batch.group("ztf.r");
  CHECK(std::isnan(r.at("chi").values<float>()[0]));
  CHECK(std::isnan(r.at("hjd").values<double>()[0]));
  CHECK(r.at("ccdid").is_null(0));
  CHECK(r.at("expid").is_null(0));
  CHECK_FALSE(r.at("oid").is_null(0));
  CHECK_THROWS_WITH(parse_answer(text, ztf::Columns::All),
                    Contains("no column expid, hjd, sharp, chi"));
}

// Which of two is a neighbour is not known then; one alone cannot be.
TEST_CASE("the nearest of a quadrant, in answers without field, ccdid and qid") {
  const std::string header = "oid,mjd,mag,magerr,catflags,filtercode,ra,dec\n";
  const std::string text =
      header + "5,58202.5,17.5,0.02,0,zr,10,20\n6,58202.5,17.5,0.02,0,zg,10,20\n";
  const auto one_each = parse_answer(text);
  for (const auto& candidate : candidates(one_each, 10, 20, {})) CHECK(candidate.is_kept);
  const auto two = parse_answer(text + "7,58203.5,17.5,0.02,0,zg,10,20.0001\n");
  CHECK_THROWS_AS(candidates(two, 10, 20, {}), BadObject);
  CHECK_THROWS_WITH(candidates(two, 10, 20, {}),
                    Contains("2 ZTF sources of band g") && Contains("objects = \"all\""));
  CHECK(candidates(two, 10, 20, {.radius_arcsec = 0.1}).at(1).is_kept);
  CHECK_NOTHROW(candidates(two, 10, 20, {.objects = ztf::Objects::All}));
}

TEST_CASE("the radius counts from the source's mean position, also across RA 0") {
  // Two epochs of one source, 0.36 arcsec on either side of RA 0.
  const auto curves = parse_answer(kHeader + line({.ra = "359.9999", .dec = "0"}) +
                                   line({.ra = "0.0001", .dec = "0"}));
  REQUIRE(curves.size() == 1);
  const auto near = candidates(curves, 0, 0, {.radius_arcsec = 0.1});
  CHECK(near.at(0).separation == Approx(0).margin(1e-6));
  CHECK(near[0].is_kept);
  CHECK_FALSE(candidates(curves, 0, 0.001, {}).at(0).is_kept);
  CHECK_THROWS_AS(candidates(curves, std::nan(""), 0, {}), BadObject);
}

TEST_CASE("not found says which: no rows, or none near enough") {
  const auto found = [](const std::string& text) {
    const auto curves = parse_answer(text);
    ztf::check_found(candidates(curves, 10, 20, {}), {});
  };
  CHECK_THROWS_AS(found(kHeader), NotFound);
  CHECK_THROWS_WITH(found(kHeader), Contains("no rows"));
  CHECK_THROWS_AS(found(kHeader + line({.dec = "20.001"})), NotFound);
  CHECK_THROWS_WITH(found(kHeader + line({.dec = "20.001"})), Contains("3.60 arcsec"));
  CHECK_NOTHROW(found(kHeader + line({.dec = "20.001"}) + line({.oid = "1"})));
}

TEST_CASE("all sources inside the radius, or the nearest of each band, field and quadrant") {
  const std::string text =
      kHeader + line({.oid = "1", .dec = "20.0002"}) +         // 0.72", g
      line({.oid = "2", .dec = "20.0001"}) +                   // 0.36", same quadrant
      line({.oid = "3", .dec = "20.00015", .qid = "0x1"}) +    // another quadrant
      line({.oid = "4", .dec = "20.0002", .field = "676"}) +   // another field
      line({.oid = "5", .filter = "zr", .dec = "20.00025"}) +  // another band
      line({.oid = "6", .dec = "20.0010"}) +                   // outside
      line({.oid = "8", .filter = "zi", .dec = "20.0001"}) +   // equally near
      line({.oid = "7", .filter = "zi", .dec = "20.0001"}) +
      line({.oid = "9", .filter = "zr", .dec = "20.0004", .field = "676"});  // 1.1" from oid 2
  const auto curves = parse_answer(text);
  const auto kept = [&](ztf::Objects objects) {
    std::vector<std::int64_t> oids;
    for (const auto& c : candidates(curves, 10, 20, {.objects = objects})) {
      if (c.is_kept) oids.push_back(c.curve->oid);
    }
    return oids;
  };
  CHECK(kept(ztf::Objects::All) == std::vector<std::int64_t>{1, 2, 3, 4, 5, 7, 8, 9});
  CHECK(kept(ztf::Objects::Nearest) == std::vector<std::int64_t>{2, 3, 4, 5, 7});
}

// The order of the response and what is outside the radius do not matter.
TEST_CASE("epochs by oid and time, each with its place among the target's; counts add up") {
  std::vector<std::string> rows{
      line({.oid = "1", .mjd = "58205"}), line({.oid = "2", .filter = "zr"}),
      line({.oid = "3", .mjd = "58201", .dec = "20.0001"}), line({.oid = "0", .dec = "20.1"}),
      line({.oid = "1", .mjd = "58203"})};
  for (int order = 0; order < 5; ++order) {
    std::ranges::rotate(rows, rows.begin() + 1);
    std::string text = kHeader;
    for (const std::string& row : rows) text += row;
    const auto curves = parse_answer(text);
    for (const auto objects : {ztf::Objects::All, ztf::Objects::Nearest}) {
      const bool nearest_only = objects == ztf::Objects::Nearest;
      Batch batch(0, 0, 1);
      add_ztf_groups(batch, 1);
      Counts counts;
      ztf::add_curves(ztf::pointers_to(curves), 10, 20, {.objects = objects},
                      {batch, counts, "ztf"});
      using Ids = std::vector<std::int64_t>;
      const Ids expected = nearest_only ? Ids{0, 1} : Ids{0, 1, 3};
      CHECK(ids_of(batch.group("ztf.g"), "epoch_id") == expected);
      CHECK(ids_of(batch.group("ztf.g"), "oid") == (nearest_only ? Ids{1, 1} : Ids{1, 1, 3}));
      CHECK(ids_of(batch.group("ztf.r"), "epoch_id") == Ids{2});
      CHECK(batch.group("ztf.g").at("mjd").values<double>()[0] == 58203);
      CHECK(batch.group("ztf.i").at("mjd").size() == 0);
      const auto added = static_cast<std::int64_t>(expected.size());
      CHECK(counts_of(counts, "ztf.g") == Ids{4, 1, 3 - added, 0, 0, 0, 0, added});
    }
  }
}

TEST_CASE("epochs of one time are in the order of their exposures") {
  std::string early = line({});
  std::string late = line({});
  early.replace(early.find("54248304"), 8, "54248303");
  for (const std::string& text : {early + late, late + early}) {
    const auto curves = parse_answer(kHeader + text);
    CHECK(curves.at(0).epochs.at(0).expid == 54248303);
  }
}

TEST_CASE("an epoch that is there twice is taken once, the first one, and counted") {
  using Ids = std::vector<std::int64_t>;
  const std::string text = kHeader + line({.mjd = "58203"}) + line({.mjd = "58202", .mag = "17"}) +
                           line({.mjd = "58203"}) + line({.mjd = "58202", .mag = "18"}) +
                           line({.oid = "9", .mjd = "58203", .filter = "zr"});
  Taken dropped(text);
  CHECK(dropped.times() == std::vector<double>{58202, 58203});
  CHECK(dropped.batch.group("ztf.g").at("mag").values<float>()[0] == 17);
  CHECK(ids_of(dropped.batch.group("ztf.g"), "epoch_id") == Ids{1, 2});
  CHECK(counts_of(dropped.counts, "ztf.g") == Ids{4, 0, 0, 0, 1, 1, 0, 2});
  CHECK(counts_of(dropped.counts, "ztf.r") == Ids{1, 0, 0, 0, 0, 0, 0, 1});

  Taken kept(text, {.duplicates = ztf::Duplicates::Keep});
  CHECK(kept.times() == std::vector<double>{58202, 58202, 58203, 58203});
  CHECK(counts_of(kept.counts, "ztf.g") == Ids{4, 0, 0, 0, 0, 0, 0, 4});
}

TEST_CASE("two exposures of a source at one time are no duplicates") {
  std::string other = line({});
  other.replace(other.find("54248304"), 8, "54248303");
  CHECK(Taken(kHeader + line({}) + other).times().size() == 2);
}

TEST_CASE("a row without time, magnitude or error is no epoch; the others stay") {
  using Ids = std::vector<std::int64_t>;
  std::string no_error = line({.mjd = "58206"});
  no_error.replace(no_error.find("0.0177031122"), 12, "null");
  Taken taken(kHeader + no_error + line({.mjd = "58201"}) + line({.mjd = ""}) +
              line({.mjd = "58203", .mag = "null"}) + line({.mjd = "58204", .mag = "nan"}) +
              line({.mjd = "58200"}));
  CHECK(taken.times() == std::vector<double>{58200, 58201});
  CHECK(ids_of(taken.batch.group("ztf.g"), "epoch_id") == Ids{0, 1});
  CHECK(counts_of(taken.counts, "ztf.g") == Ids{6, 0, 0, 4, 0, 0, 0, 2});
}

TEST_CASE("a source without a single epoch is not found") {
  CHECK_THROWS_AS(Taken(kHeader + line({.mag = ""})), NotFound);
  CHECK_THROWS_WITH(Taken(kHeader + line({.mag = ""}) + line({.mjd = ""})),
                    Contains("all 2 epochs") && Contains("without time, magnitude or error"));
}
