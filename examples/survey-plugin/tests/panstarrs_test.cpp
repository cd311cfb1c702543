#include <catch2/catch.hpp>
#include <fstream>
#include <qsohost/testing.hpp>
#include <sstream>

using namespace qsohost;

namespace {

std::string answer(const char* name) {
  std::ostringstream text;
  text << std::ifstream(std::string(ANSWERS) + "/" + name).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("the nearest mean object's detections, in AB magnitudes") {
  Harness h("panstarrs");
  h.targets({{1, 150.0, 2.0}});
  h.answers({{"/mean.csv", answer("mean.csv")},
             {"/detection.csv?objID=109611500001234568", answer("detection.csv")}});
  h.run();
  REQUIRE(h.outcomes()[0].outcome == Outcome::Matched);
  CHECK(h.requests().size() == 2);
  const Group& g = h.batch().group("ps1.g");
  REQUIRE(g.epochs() == 2);
  CHECK(g.at("epoch_id").values<std::int64_t>()[1] == 140119524310000027);
  CHECK(g.at("mjd").values<double>()[0] == 56339.4725211);
  CHECK(g.at("mag").values<double>()[0] == Approx(20).margin(1e-12));
  CHECK(g.at("mag_err").values<double>()[0] == Approx(0.0108573620));
  CHECK(h.batch().group("ps1.i").epochs() == 1);
  CHECK(h.count("ps1.r", "epochs without a positive flux") == 0);
  CHECK(h.count("ps1.g", "epochs without a positive flux") == 1);
}

TEST_CASE("nothing within the radius, and answers that cannot be trusted") {
  Harness h("panstarrs", {{"radius_arcsec", "0.5"}});
  h.targets({{1, 150.0, 2.0}, {2, 10.0, 2.0}, {3, 20.0, 2.0}});
  h.answers([](const Request& request) -> Response {
    if (request.url.find("ra=150") != std::string::npos)
      return {200, "", {}, "objID,raMean,decMean\n7,150.0003,2.0\n"};
    if (request.url.find("ra=10") != std::string::npos) return {200, "", {}, ""};
    return {503, "", {}, "busy"};
  });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::NotFound);
  CHECK(h.outcomes()[1].outcome == Outcome::NotFound);
  CHECK(h.outcomes()[2].outcome == Outcome::Failed);
}
