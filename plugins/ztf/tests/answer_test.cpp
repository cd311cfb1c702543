#include <catch2/catch.hpp>

#include <qsohost/error.hpp>

#include <cmath>

#include "answers.hpp"

using namespace qsohost;
using Catch::Matchers::Contains;
using ztf::parse_answer;

TEST_CASE("a row of 24 columns") {
  const ztf::Answer answer = parse_answer(kHeader + line({}));
  REQUIRE(answer.epochs.size() == 1);
  const ztf::Epoch& e = answer.epochs[0];
  CHECK(e.epoch_id == 0);
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
  const ztf::Answer answer = parse_answer(kHeader + line({.hjd = "NaN", .ccdid = "0xf"}) +
                                          line({.oid = "9223372036854775807", .ccdid = "15"}));
  REQUIRE(answer.epochs.size() == 2);
  CHECK(std::isnan(answer.epochs[0].hjd));
  CHECK(answer.epochs[0].mjd == 58202.3531);
  CHECK(answer.epochs[0].ccdid == 15);
  CHECK(answer.epochs[1].ccdid == 15);
  CHECK(answer.epochs[1].oid == 9223372036854775807);
  CHECK(answer.sources.size() == 2);
}

TEST_CASE("cells that repeat the row before, and cells that stop to") {
  const ztf::Answer answer = parse_answer(
      kHeader + line({}) + line({.mjd = "58203", .filter = "zr", .ccdid = ""}) +
      line({.mjd = "58203", .mag = "18", .filter = "zr", .ccdid = ""}) + line({.filter = "zi"}));
  REQUIRE(answer.epochs.size() == 4);
  CHECK(answer.epochs[0].ccdid == 3);
  CHECK(answer.epochs[1].nulls != 0);
  CHECK(answer.epochs[2].nulls == answer.epochs[1].nulls);
  CHECK(answer.epochs[2].mjd == 58203);
  CHECK(answer.epochs[2].mag == 18);
  CHECK(answer.epochs[3].nulls == 0);
  CHECK(answer.epochs[3].ccdid == 3);
  CHECK(answer.epochs[3].mjd == 58202.3531);
  CHECK(answer.epochs[1].band == 1);
  CHECK(answer.epochs[2].band == 1);
  CHECK(answer.epochs[3].band == 2);
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
  CHECK(parse_answer(text).epochs.size() == 2);
}

TEST_CASE("malformed answers name line and column") {
  CHECK_THROWS_AS(parse_answer(kHeader + line({.mjd = "x"})), BadObject);
  CHECK_THROWS_WITH(parse_answer(kHeader + line({}) + line({.mag = "1..5"})),
                    Contains("line 3") && Contains("column mag") && Contains("1..5"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({.mjd = ""})), Contains("column mjd"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({.filter = "zu"})), Contains("zu"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({.ccdid = "70000"})), Contains("column ccdid"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({.oid = "6.75e14"})), Contains("column oid"));
  CHECK_THROWS_WITH(parse_answer(kHeader + line({.ra = "nan"})), Contains("position"));
  CHECK_THROWS_AS(parse_answer("oid,mjd,mag\n1,2,3\n"), BadObject);
  CHECK_THROWS_WITH(parse_answer("oid,mjd,mag\n1,2,3\n"),
                    Contains("magerr, catflags, ra, dec, filtercode"));
}

TEST_CASE("columns that an older answer lacks become NaN and null") {
  ztf::Answer answer = parse_answer(
      "oid,mjd,mag,magerr,catflags,filtercode,ra,dec\n5,58202.5,17.5,0.02,0,zr,10,20\n");
  ztf::select(answer, 10, 20, {});
  Batch batch(0, 0, 1);
  add_ztf_groups(batch);
  ztf::append(answer, batch);
  const Group& r = batch.group("ztf.r");
  CHECK(std::isnan(r.at("chi").values<float>()[0]));
  CHECK(std::isnan(r.at("hjd").values<double>()[0]));
  CHECK(r.at("ccdid").is_null(0));
  CHECK(r.at("expid").is_null(0));
  CHECK_FALSE(r.at("oid").is_null(0));
  CHECK_FALSE(answer.has_quadrants);
  CHECK_THROWS_WITH(ztf::select(answer, 10, 20, {.nearest_only = true}), Contains("nearest"));
}

TEST_CASE("the radius counts from the source's mean position, also across RA 0") {
  // Two epochs of one source, 0.36 arcsec on either side of RA 0.
  ztf::Answer answer = parse_answer(kHeader + line({.ra = "359.9999", .dec = "0"}) +
                                    line({.ra = "0.0001", .dec = "0"}));
  REQUIRE(answer.sources.size() == 1);
  ztf::select(answer, 0, 0, {.radius_arcsec = 0.1});
  CHECK(answer.sources[0].separation == Approx(0).margin(1e-6));
  CHECK(answer.sources[0].is_kept);
  CHECK_THROWS_AS(ztf::select(answer, 0, 0.001, {}), NotFound);
  CHECK_THROWS_AS(ztf::select(answer, std::nan(""), 0, {}), BadObject);
}

TEST_CASE("not found says which: no rows, or none near enough") {
  ztf::Answer empty = parse_answer(kHeader);
  CHECK_THROWS_AS(ztf::select(empty, 10, 20, {}), NotFound);
  CHECK_THROWS_WITH(ztf::select(empty, 10, 20, {}), Contains("no rows"));
  ztf::Answer far = parse_answer(kHeader + line({.dec = "20.001"}));
  CHECK_THROWS_AS(ztf::select(far, 10, 20, {}), NotFound);
  CHECK_THROWS_WITH(ztf::select(far, 10, 20, {}), Contains("3.60 arcsec"));
}

TEST_CASE("all sources inside the radius, or the nearest of each band, field and quadrant") {
  const std::string text = kHeader + line({.oid = "1", .dec = "20.0002"}) +  // 0.72", g
                           line({.oid = "2", .dec = "20.0001"}) +  // 0.36", g, same quadrant
                           line({.oid = "3", .dec = "20.0003", .qid = "0x1"}) +  // another quadrant
                           line({.oid = "4", .dec = "20.0004", .field = "676"}) +  // another field
                           line({.oid = "5", .filter = "zr", .dec = "20.0005"}) +  // another band
                           line({.oid = "6", .dec = "20.0010"}) +                  // outside
                           line({.oid = "8", .filter = "zi", .dec = "20.0001"}) +  // equally near
                           line({.oid = "7", .filter = "zi", .dec = "20.0001"});
  const auto kept = [&](bool nearest_only) {
    ztf::Answer answer = parse_answer(text);
    ztf::select(answer, 10, 20, {.radius_arcsec = 2.0, .nearest_only = nearest_only});
    std::vector<std::int64_t> oids;
    for (const ztf::Source& s : answer.sources) {
      if (s.is_kept) oids.push_back(s.oid);
    }
    return oids;
  };
  CHECK(kept(false) == std::vector<std::int64_t>{1, 2, 3, 4, 5, 8, 7});
  CHECK(kept(true) == std::vector<std::int64_t>{2, 3, 4, 5, 7});
}

TEST_CASE("epochs keep the answer's order and their place in it; counts add up") {
  const std::string text = kHeader + line({.oid = "1", .mjd = "58205"}) +
                           line({.oid = "2", .filter = "zr"}) +
                           line({.oid = "3", .mjd = "58201", .dec = "20.0001"}) +
                           line({.oid = "4", .dec = "20.1"}) + line({.oid = "1", .mjd = "58203"});
  for (const bool nearest_only : {false, true}) {
    Batch batch(0, 0, 1);
    add_ztf_groups(batch);
    Counts counts;
    ztf::add_answer(text, 10, 20, {.nearest_only = nearest_only}, batch, counts);
    const auto ids = batch.group("ztf.g").at("epoch_id").values<std::int64_t>();
    const std::vector<std::int64_t> expected =
        nearest_only ? std::vector<std::int64_t>{0, 4} : std::vector<std::int64_t>{0, 2, 4};
    CHECK(std::vector<std::int64_t>(ids.begin(), ids.end()) == expected);
    CHECK(batch.group("ztf.r").at("mjd").size() == 1);
    CHECK(batch.group("ztf.i").at("mjd").size() == 0);
    std::vector<std::int64_t> g;
    for (const auto& entry : counts.entries()) {
      if (entry.item == "ztf.g") g.push_back(entry.n);
    }
    const auto added = static_cast<std::int64_t>(expected.size());
    CHECK(g == std::vector<std::int64_t>{4, 1, 3 - added, added});
  }
}
