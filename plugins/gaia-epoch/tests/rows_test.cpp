// Rows of epoch_photometry in each form and under each name that archives serve.
#include <catch2/catch.hpp>

#include <qsohost/error.hpp>

#include <cmath>

#include "datalink_exchange.hpp"
#include "epoch_rows.hpp"
#include "made_zip.hpp"

using namespace gaia;

namespace {

const std::vector<Wanted> kWanted = wanted_columns({"n_transits"});

Block read(const std::string& text) {
  return to_block(read_table(text), kWanted);
}

// Elements of a column of the block's row, as numbers; nulls are NaN.
std::vector<double> values(const Block& block, const std::string& name, std::size_t row = 0) {
  for (std::size_t i = 0; i < kWanted.size(); ++i) {
    if (kWanted[i].table.name != name) continue;
    const Cells& cells = block.cells[i];
    std::vector<double> out;
    for (std::uint64_t k = 0; k < cells.count(row); ++k) {
      out.push_back(cells.values.number(cells.first(row) + k));
    }
    return out;
  }
  FAIL(name);
  return {};
}

using Values = std::vector<double>;

const std::string kTransits =
    "source_id,transit_id,g_transit_time,g_transit_mag,g_transit_flux,g_transit_flux_error,"
    "bp_obs_time,bp_mag,bp_flux,bp_flux_error,rp_obs_time,rp_mag,rp_flux,rp_flux_error,"
    "variability_flag_g_reject,variability_flag_bp_reject,variability_flag_rp_reject,"
    "g_other_flags,bp_other_flags,rp_other_flags,rejected_by_photometry\n"
    "7,70,1700.5,18.5,100,1,1700.6,19.5,50,2,1700.7,17.5,80,3,false,false,true,1,0,0,false\n"
    "7,71,1701.5,18.6,101,1,,,,,1701.7,17.6,81,3,true,true,false,16777216,1024,2048,false\n";

}  // namespace

TEST_CASE("a row a transit, as DataLink has it") {
  const Block block = read(kTransits);
  REQUIRE(block.ids == std::vector<std::int64_t>{7});
  CHECK(values(block, "g_transit_time") == Values{1700.5, 1701.5});
  CHECK(values(block, "transit_id") == Values{70, 71});
  CHECK(values(block, "n_transits") == Values{2});
  CHECK(values(block, "bp_mag")[0] == 19.5);
  CHECK(std::isnan(values(block, "bp_mag")[1]));
  CHECK(values(block, "variability_flag_g_reject") == Values{0, 1});
  // Bits of *_other_flags.
  CHECK(values(block, "photometry_flag_noisy_data") == Values{0, 1});
  CHECK(values(block, "photometry_flag_sm_unavailable") == Values{1, 0});
  CHECK(values(block, "photometry_flag_bp_unavailable") == Values{0, 1});
  CHECK(values(block, "photometry_flag_rp_unavailable") == Values{0, 1});
}

TEST_CASE("names of DR4 and columns in another order give the same") {
  std::string text = kTransits;
  for (std::size_t at; (at = text.find("g_transit_time")) != text.npos;)
    text.replace(at, 14, "g_obs_time");
  for (std::size_t at; (at = text.find("g_transit_")) != text.npos;) text.replace(at, 10, "g_");
  CHECK(values(read(text), "g_transit_flux_error") == Values{1, 1});
  CHECK(values(read("g_other,band2," + text.substr(0, text.find('\n')) + "\n1,2," +
                    text.substr(text.find('\n') + 1,
                                text.find('\n', text.find('\n') + 1) - text.find('\n'))),
               "rp_mag") == Values{17.5});
}

TEST_CASE("arrays, in any spelling of flags and of nothing") {
  const std::string names =
      "datalinkID,transit_id,g_transit_time,g_transit_mag,g_transit_flux,g_transit_flux_error,"
      "bp_obs_time,bp_mag,bp_flux,bp_flux_error,rp_obs_time,rp_mag,rp_flux,rp_flux_error,"
      "variability_flag_g_reject\n";
  for (const char* flags : {"[true, false]", "[True, False]", "[t, f]", "[1, 0]"}) {
    const Block block = read(names +
                             "9,\"[1, 2]\",\"[1.5, NaN]\",\"[18, 19]\",\"[5, 6]\",\"[1, 1]\",,,,,"
                             "\"[1.7, null]\",\"[17, 16]\",\"[7, 8]\",\"[2, 2]\",\"" +
                             flags + "\"\n");
    REQUIRE(block.ids == std::vector<std::int64_t>{9});
    CHECK(values(block, "g_transit_mag") == Values{18, 19});
    CHECK(std::isnan(values(block, "g_transit_time")[1]));
    CHECK(std::isnan(values(block, "rp_obs_time")[1]));
    CHECK(values(block, "bp_mag").empty());
    CHECK(values(block, "variability_flag_g_reject") == Values{1, 0});
    CHECK(values(block, "variability_flag_bp_reject").empty());  // as many as its band has epochs
    CHECK(std::isnan(values(block, "photometry_flag_noisy_data")[1]));
  }
}

TEST_CASE("rows without transit_id are brought to the order of time, and sources told apart") {
  const std::string names =
      "Source,TimeG,FG,e_FG,Gmag,TimeBP,FBP,e_FBP,BPmag,TimeRP,FRP,e_FRP,RPmag,GrVFlag,noisyFlag\n";
  const Block block = read(names +
                           "7,1702,3,1,18,1702,3,1,18,1702,3,1,18,1,0\n"
                           "8,1600,5,1,17,1600,5,1,17,1600,5,1,17,0,0\n"
                           "7,1701,4,1,19,1701,4,1,19,1701,4,1,19,0,1\n");
  REQUIRE(block.ids == std::vector<std::int64_t>{7, 8});
  CHECK(values(block, "g_transit_time") == Values{1701, 1702});
  CHECK(values(block, "g_transit_flux") == Values{4, 3});
  CHECK(values(block, "variability_flag_g_reject") == Values{0, 1});
  CHECK(values(block, "photometry_flag_noisy_data") == Values{1, 0});
  CHECK(values(block, "rp_mag", 1) == Values{17});
}

TEST_CASE("the long form of before September 2024") {
  const Block block = read(
      "source_id,transit_id,band,time,mag,flux,flux_error,flux_over_error,rejected_by_photometry,"
      "rejected_by_variability,other_flags,solution_id\n"
      "7,70,G,1700.5,18.5,100,1,100,false,false,1,3\n"
      "7,71,G,1701.5,18.6,101,1,101,false,true,0,3\n"
      "7,70,BP,1700.6,19.5,50,2,25,false,false,1024,3\n"
      "7,71,RP,1701.7,17.6,81,3,27,false,false,0,3\n");
  CHECK(values(block, "transit_id") == Values{70, 71});
  CHECK(values(block, "g_transit_mag") == Values{18.5, 18.6});
  CHECK(values(block, "bp_obs_time")[0] == 1700.6);
  CHECK(std::isnan(values(block, "bp_obs_time")[1]));
  CHECK(values(block, "rp_flux_error")[1] == 3);
  CHECK(values(block, "variability_flag_g_reject") == Values{0, 1});
  CHECK(values(block, "photometry_flag_bp_unavailable")[0] == 1);
}

TEST_CASE("what is no table of epochs is refused with the columns that there are") {
  CHECK_THROWS_AS(read("source_id,ra\n7,3\n"), qsohost::BadObject);
  CHECK_THROWS_AS(read("<html><body>Service unavailable</body></html>"), qsohost::TryAgain);
  CHECK_THROWS_AS(read(kTransits.substr(0, kTransits.size() - 9)), qsohost::TryAgain);
  CHECK_THROWS_AS(parse_flag("maybe"), qsohost::BadObject);
}

TEST_CASE("a member of a zip archive may have a name of any length") {
  RemoteSettings settings;
  settings.release = "Gaia DR3";
  settings.wanted = kWanted;
  const auto named = [](std::string beginning, std::size_t letters) {
    return made_zip({{beginning + std::string(letters, 'A') + " 8.csv", kTransits}});
  };
  const std::string name = "EPOCH_PHOTOMETRY-Gaia DR3";
  CHECK(read_datalink(named(name, 0), {7}, settings).blocks.empty());  // of a source not asked for
  CHECK(read_datalink(named(name, 65'000), {7}, settings).blocks.size() == 1);
}

TEST_CASE(
    "a bare answer of DataLink must be of the source and of the release that were asked for") {
  RemoteSettings settings;
  settings.release = "Gaia DR3";
  settings.wanted = kWanted;
  CHECK(read_datalink("", {7}, settings).blocks.empty());
  CHECK(read_datalink(kTransits, {7}, settings).blocks.size() == 1);
  CHECK_THROWS_AS(read_datalink(kTransits, {8}, settings), qsohost::TryAgain);
  const std::string votable =
      "<VOTABLE><RESOURCE><TABLE><PARAM name=\"release\" datatype=\"char\" arraysize=\"*\" "
      "value=\"Gaia DR4\"/><PARAM name=\"source_id\" datatype=\"long\" value=\"7\"/>"
      "<FIELD name=\"transit_id\" datatype=\"long\"/><DATA><TABLEDATA><TR><TD>1</TD></TR>"
      "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n";
  CHECK_THROWS_WITH(read_datalink(votable, {7}, settings),
                    Catch::Matchers::Contains("of Gaia DR4, but Gaia DR3 was asked for"));
}
