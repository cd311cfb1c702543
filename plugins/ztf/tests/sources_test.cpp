// Which sources around a target are it, one epoch an exposure, two sources in one light curve, and
// offsets between the fields and quadrants of one source.
#include <catch2/catch.hpp>

#include <cmath>

#include "taken.hpp"

using Oids = std::vector<std::int64_t>;

namespace {

constexpr ztf::Selection kAll{.objects = ztf::Objects::All};
constexpr ztf::Selection kAligned{.align = ztf::Align::Median};

struct ZtfSource {
  std::string oid;
  double north = 0;  // arcsec from the target
  std::string field = "675";
  std::string qid = "0x4";
};

std::string row(const ZtfSource& source, double mjd, double mag,
                const std::string& catflags = "0") {
  return line({.oid = source.oid,
               .mjd = fmt::format("{}", mjd),
               .mag = fmt::format("{:.4f}", mag),
               .dec = fmt::format("{:.9f}", 20 + source.north / 3600),
               .catflags = catflags,
               .field = source.field,
               .qid = source.qid});
}

// Ten epochs, one every two days.
std::string rows(const ZtfSource& source, double mag, double first = 58300) {
  std::string text;
  for (int k = 0; k < 10; ++k) text += row(source, first + 2 * k, mag);
  return text;
}

const ZtfSource kQuasar{.oid = "5", .north = 0.1};
const ZtfSource kNextField{.oid = "6", .north = -0.2, .field = "676"};
const ZtfSource kNextQuadrant{.oid = "7", .north = 0.3, .qid = "0x1"};
const ZtfSource kStar{.oid = "4", .north = 1.2};
const ZtfSource kStarNextField{.oid = "8", .north = 1.2, .field = "676"};

}  // namespace

TEST_CASE("a neighbour is left out also where it alone was found in a quadrant") {
  const Taken taken(kHeader + rows(kQuasar, 19) + rows(kStar, 16) +
                    rows(kStarNextField, 16, 58301));
  CHECK(taken.oids() == Oids(10, 5));
  CHECK(taken.count("epochs of farther sources") == 20);
  CHECK(taken.result("n_oids") == 1);
  CHECK(taken.result("n_neighbours") == 0);
  CHECK(taken.values<std::int32_t>("ztf.sources.ztf.g", "n_epochs") ==
        std::vector<std::int32_t>{0, 10, 0});
  CHECK(taken.detail ==
        "g 10; oids 1; sources: 4 (g 16.00 at 1.20 arcsec, left out), 5 (g 19.00 at 0.10 arcsec, "
        "10 epochs), 8 (g 16.00 at 1.20 arcsec, left out)");
}

TEST_CASE("a nearer source without an epoch does not make the target a neighbour") {
  const ZtfSource empty{.oid = "1", .north = -0.6};
  const ZtfSource target{.oid = "2", .north = 0.7};
  std::string nothing = row(empty, 58300, 19);
  nothing.replace(nothing.find("19.0000"), 7, "null");
  CHECK(Taken(kHeader + nothing + rows(target, 19)).oids() == Oids(10, 2));
}

TEST_CASE("one epoch an exposure: without catflags, else of the nearer source") {
  const std::string text = kHeader + row(kQuasar, 58300, 19) + row(kQuasar, 58301, 19, "2") +
                           row(kQuasar, 58302, 19, "2") + row(kQuasar, 58303, 19) +
                           row(kNextQuadrant, 58300, 19.01) + row(kNextQuadrant, 58301, 19.01) +
                           row(kNextQuadrant, 58302, 19.01, "4") + row(kNextQuadrant, 58304, 19.01);
  const Taken taken(text);
  CHECK(taken.oids() == Oids{5, 5, 5, 7, 7});
  CHECK(taken.times() == std::vector<double>{58300, 58302, 58303, 58301, 58304});
  CHECK(taken.values<std::int64_t>("ztf.g", "epoch_id") == Oids{0, 2, 3, 5, 7});
  CHECK(taken.count("second in an exposure") == 3);
  CHECK(taken.count("epochs added") == 5);
  CHECK(taken.result("n_oids") == 2);
  CHECK(taken.detail == "g 5; oids 2");
  CHECK(Taken(text, kAll).count("second in an exposure") == 0);
  CHECK(Taken(text, kAll).times().size() == 8);
}

TEST_CASE("of three sources in an exposure the best one stays, in any order") {
  const ZtfSource nearest{.oid = "9", .north = 0.05, .qid = "0x2"};
  for (const char* flagged : {"5", "7", "9"}) {
    std::string text = kHeader;
    for (const ZtfSource& source : {kQuasar, kNextQuadrant, nearest}) {
      text += row(source, 58300, 19, source.oid == flagged ? "1" : "0");
    }
    CHECK(Taken(text).oids() == Oids{std::string(flagged) == "9" ? 5 : 9});
  }
}

TEST_CASE("objects = all: two sources in one exposure mark the light curve") {
  const Taken taken(kHeader + rows(kQuasar, 19) + rows(kStar, 16), kAll);
  CHECK(taken.times().size() == 20);
  CHECK(taken.result("n_oids") == 2);
  CHECK(taken.result("n_neighbours") == 1);
  CHECK(taken.result("n_two_sources") == 10);
  CHECK(taken.count("objects with two sources") == 1);
  CHECK(taken.count("exposures with two sources") == 10);
  CHECK(taken.detail ==
        "g 20; oids 2; two sources in 10 exposures of g; sources: 4 (g 16.00 at 1.20 arcsec, 10 "
        "epochs), 5 (g 19.00 at 0.10 arcsec, 10 epochs)");
  const std::string sources = "ztf.sources.ztf.g";
  CHECK(taken.values<std::int64_t>(sources, "oid") == Oids{4, 5});
  CHECK(taken.values<double>(sources, "separation")[0] == Approx(1.2).margin(1e-5));
  CHECK(taken.values<float>(sources, "mean_mag") == std::vector<float>{16, 19});
  CHECK(std::isnan(taken.values<float>(sources, "offset")[0]));  // of another star
  CHECK(taken.values<float>(sources, "offset")[1] == 0);
}

TEST_CASE("two measurements of one source in an exposure are no two sources") {
  // magerr is 0.0177: 5 errors of a difference are 0.125 mag.
  const auto two_sources = [](double apart) {
    const Taken taken(kHeader + rows(kQuasar, 19) + rows(kNextQuadrant, 19 + apart), kAll);
    return taken.result("n_two_sources");
  };
  CHECK(two_sources(0.12) == 0);
  CHECK(two_sources(-0.12) == 0);
  CHECK(two_sources(0.13) == 10);
  // Errors of a bright source; quadrants are not calibrated as well.
  std::string bright = kHeader + row(kQuasar, 58300, 14) + row(kNextQuadrant, 58300, 14.09);
  for (auto at = bright.find("0.0177"); at != bright.npos; at = bright.find("0.0177")) {
    bright.replace(at, 6, "0.0017");
  }
  CHECK(Taken(bright, kAll).result("n_two_sources") == 0);
}

TEST_CASE("offsets between fields come from epochs of the same night, whatever the target does") {
  // The target fades by 0.1 mag a day. The next field sees it an hour after some epochs, and in a
  // year in which the first does not.
  std::string text = kHeader;
  for (int k = 0; k < 12; ++k) text += row(kQuasar, 58300 + k, 18 + 0.1 * k);
  for (int k = 0; k < 7; ++k) text += row(kNextField, 58300.04 + k, 18.05 + 0.1 * k);
  for (int k = 0; k < 4; ++k) text += row(kNextField, 58700 + k, 16);
  text += row(kNextField, 58308.04, 12, "32768");
  const Taken taken(text);
  const std::string sources = "ztf.sources.ztf.g";
  CHECK(taken.values<float>(sources, "offset")[1] == Approx(0.05).margin(1e-4));
  CHECK(taken.values<float>(sources, "offset_err")[1] < 0.001);
  CHECK(taken.values<std::int32_t>(sources, "n_pairs") == std::vector<std::int32_t>{0, 7});
  CHECK(taken.count("offsets measured") == 1);
  CHECK(taken.count("offsets over 3 errors") == 1);
  CHECK(taken.mags()[12] == 18.05f);

  const Taken aligned(text, kAligned);
  CHECK(aligned.mags()[0] == 18);
  for (int k = 0; k < 7; ++k) CHECK(aligned.mags()[12 + k] == Approx(18 + 0.1 * k).margin(1e-4));
  CHECK(aligned.mags()[20] == Approx(15.95));  // that year as well
  CHECK(aligned.values<float>(sources, "mean_mag") == taken.values<float>(sources, "mean_mag"));
}

TEST_CASE("the error of an offset is that of a median of the differences") {
  std::string text = kHeader;
  for (int k = 0; k < 26; ++k) text += row(kQuasar, 58300 + 2 * k, 18);
  for (int k = 0; k < 25; ++k) text += row(kNextField, 58300.1 + 2 * k, 18 + 0.01 * (k - 12));
  const Taken taken(text);
  // Deviations 0 to 0.12, two of each: their median is 0.06.
  CHECK(taken.values<float>("ztf.sources.ztf.g", "offset")[1] == Approx(0).margin(1e-5));
  CHECK(taken.values<float>("ztf.sources.ztf.g", "offset_err")[1] ==
        Approx(1.2533 * 1.4826 * 0.06 / 5).epsilon(1e-3));
  CHECK(taken.count("offsets over 3 errors") == 0);
}

TEST_CASE(
    "without enough epochs of the same nights the offset is unknown, and nothing is shifted") {
  std::string few = kHeader + rows(kQuasar, 18);
  for (int k = 0; k < 4; ++k) few += row(kNextField, 58300.1 + 2 * k, 18.3);
  for (const std::string& text :
       {few, kHeader + rows(kQuasar, 18) + rows(kNextField, 18.3, 58500)}) {
    const Taken aligned(text, kAligned);
    CHECK(std::isnan(aligned.values<float>("ztf.sources.ztf.g", "offset")[1]));
    CHECK(aligned.count("offsets unknown (no overlap)") == 1);
    CHECK(aligned.count("offsets measured") == 0);
    CHECK(aligned.mags().back() == 18.3f);
  }
}

TEST_CASE("a neighbour taken by objects = all is never shifted to the target") {
  const ztf::Selection both{.objects = ztf::Objects::All, .align = ztf::Align::Median};
  const Taken taken(kHeader + rows(kQuasar, 19) + rows(kStar, 16) + rows(kNextField, 19.2, 58300.1),
                    both);
  CHECK(taken.oids() == [] {
    Oids oids(10, 4);
    oids.insert(oids.end(), 10, 5);
    oids.insert(oids.end(), 10, 6);
    return oids;
  }());
  CHECK(taken.mags().front() == 16);
  CHECK(taken.mags().back() == Approx(19));
}

TEST_CASE("sources that an aligned exposure shares are compared after the shift") {
  const std::string text = kHeader + rows(kQuasar, 19) + rows(kNextQuadrant, 19.2);
  CHECK(Taken(text, kAll).result("n_two_sources") == 10);
  const ztf::Selection aligned{.objects = ztf::Objects::All, .align = ztf::Align::Median};
  CHECK(Taken(text, aligned).result("n_two_sources") == 0);
}
