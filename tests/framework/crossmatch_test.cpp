#include "qsohost/io/crossmatch.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "qsohost/sphere.hpp"

using namespace qsohost;
using Catch::Contains;
using Scalar = OptionValue::Scalar;
using Names = std::vector<std::string>;

namespace {

struct CrossmatchOwner : OptionOwner {
  CrossmatchOptions match{this};
};

OptionValue list(const Names& names) {
  return {std::vector<Scalar>(names.begin(), names.end())};
}

Names names_of(const CrossmatchLayout& layout) {
  Names names;
  for (const CrossmatchColumn& column : layout.columns) names.push_back(column.name);
  return names;
}

const CrossmatchTable kSdss{"sdss.fits", {"SDSS_NAME", "RA", "DEC", "Z"}};
const CrossmatchTable kGaia{"gaia.fits", {"source_id", "ra", "dec", "ruwe"}};

}  // namespace

TEST_CASE("the options of a cross-match are the source's own, in order") {
  const CrossmatchOwner owner;
  Names names;
  for (const OptionBase* option : owner.options()) names.push_back(option->name());
  CHECK(names == Names{"left_ra", "left_dec", "right_ra", "right_dec", "id", "radius_arcsec",
                       "where", "prefixes", "columns", "match", "unique"});
  CHECK(*owner.match.radius_arcsec == 1.0);
  CHECK(owner.match.where->empty());
}

TEST_CASE("names that both tables have are prefixed, whatever their case") {
  const CrossmatchOwner owner;
  const CrossmatchLayout layout = crossmatch_layout(kSdss, kGaia, owner.match);
  CHECK(names_of(layout) ==
        Names{"SDSS_NAME", "sdss_RA", "sdss_DEC", "Z", "source_id", "gaia_ra", "gaia_dec", "ruwe"});
  CHECK_FALSE(layout.columns[3].is_right);
  CHECK(layout.columns[3].position == 3);
  CHECK(layout.columns[4].is_right);
  CHECK(layout.columns[4].position == 0);
  CHECK(layout.adds_ra);
  CHECK(layout.adds_dec);
  Names added;
  for (const Port& port : crossmatch_ports(layout)) added.push_back(port.name);
  CHECK(added == Names{"match_separation", "n_matches", "ra", "dec"});
}

TEST_CASE("a plain ra is not added again") {
  const CrossmatchOwner owner;
  const CrossmatchTable left{"left", {"raj2000", "dej2000", "z"}};
  const CrossmatchLayout layout = crossmatch_layout(left, kGaia, owner.match);
  CHECK_FALSE(layout.adds_ra);
  CHECK(names_of(layout) == Names{"raj2000", "dej2000", "z", "source_id", "ra", "dec", "ruwe"});
  CHECK(crossmatch_ports(layout).size() == 2);
}

TEST_CASE("the right table's identifier is called source_id, others of that name are prefixed") {
  CrossmatchOwner owner;
  owner.match.id.set({Scalar(std::string("objid"))});
  const CrossmatchTable left{"left", {"Source_ID"}};
  const CrossmatchTable right{"right", {"OBJID", "source_id"}};
  // Both source_ids conflict with the identifier's name, and with one another.
  CHECK(names_of(crossmatch_layout(left, right, owner.match)) ==
        Names{"sdss_Source_ID", "source_id", "gaia_source_id"});
  owner.match.id.set({Scalar(std::string("OBJI"))});
  CHECK_THROWS_WITH(
      crossmatch_layout(left, right, owner.match),
      Contains("right: there is no column 'OBJI' (option 'id')") && Contains("OBJID"));
}

TEST_CASE("columns are selected and left out by name") {
  const auto [columns, expected] = GENERATE(
      std::pair<Names, Names>{{"z", "RUWE"}, {"Z", "source_id", "ruwe"}},
      std::pair<Names, Names>{{"-ra", "-dec"}, {"SDSS_NAME", "Z", "source_id", "ruwe"}},
      std::pair<Names, Names>{{"gaia.*"}, {"source_id", "gaia_ra", "gaia_dec", "ruwe"}},
      std::pair<Names, Names>{{"all", "-Gaia.*"},
                              {"SDSS_NAME", "sdss_RA", "sdss_DEC", "Z", "source_id"}},
      std::pair<Names, Names>{{"sdss.ra", "-ruwe"}, {"sdss_RA", "source_id"}},
      std::pair<Names, Names>{
          {},
          {"SDSS_NAME", "sdss_RA", "sdss_DEC", "Z", "source_id", "gaia_ra", "gaia_dec", "ruwe"}});
  CrossmatchOwner owner;
  owner.match.columns.set(list(columns));
  CHECK(names_of(crossmatch_layout(kSdss, kGaia, owner.match)) == expected);
}

TEST_CASE("a choice of columns that fits none is an error") {
  CrossmatchOwner owner;
  owner.match.columns.set(list({"rwe"}));
  CHECK_THROWS_WITH(crossmatch_layout(kSdss, kGaia, owner.match),
                    Contains("option 'columns': 'rwe'") && Contains("'ruwe'"));
  owner.match.columns.set(list({"-sdss.ruwe"}));
  CHECK_THROWS_WITH(crossmatch_layout(kSdss, kGaia, owner.match),
                    Contains("'-sdss.ruwe' names a column that sdss.fits does not have"));
}

TEST_CASE("names that prefixes would double are prefixed too") {
  const CrossmatchOwner owner;
  // DR16Q has columns of Gaia DR2 that are called so.
  const CrossmatchTable dr16q{"dr16q", {"ra", "dec", "GAIA_RA", "gaia_parallax"}};
  CHECK(names_of(crossmatch_layout(dr16q, kGaia, owner.match)) ==
        Names{"sdss_ra", "sdss_dec", "sdss_GAIA_RA", "gaia_parallax", "source_id", "gaia_ra",
              "gaia_dec", "ruwe"});
  const CrossmatchTable own{"left", {"ra", "SDSS_RA", "N_Matches", "match_separation"}};
  CHECK(names_of(crossmatch_layout(own, kGaia, owner.match)) ==
        Names{"sdss_ra", "sdss_SDSS_RA", "sdss_N_Matches", "sdss_match_separation", "source_id",
              "gaia_ra", "dec", "ruwe"});
}

TEST_CASE("two columns of one name are refused") {
  CrossmatchOwner owner;
  const CrossmatchTable twice{"left", {"a", "A"}};
  CHECK_THROWS_WITH(
      crossmatch_layout(twice, kGaia, owner.match),
      Contains("'sdss_A'") && Contains("column 'a' of left") && Contains("option 'columns'"));
  owner.match.columns.set(list({"-left.a"}));
  CHECK_THROWS(crossmatch_layout(twice, kGaia, owner.match));  // no such prefix
  owner.match.columns.set(list({"-a"}));
  CHECK_NOTHROW(crossmatch_layout(twice, kGaia, owner.match));
}

TEST_CASE("equal prefixes are refused") {
  CrossmatchOwner owner;
  CHECK_NOTHROW(owner.match.validate());
  owner.match.prefixes.set(list({"a", "A"}));
  CHECK_THROWS_WITH(owner.match.validate(), Contains("both are the same"));
  owner.match.prefixes.set(list({"a", "b-c"}));
  CHECK_THROWS_WITH(owner.match.validate(), Contains("'b-c'"));
}

TEST_CASE("separations hold at poles, across RA 0 and for neighbours") {
  CHECK(separation_arcsec(10, 20, 10, 20) == 0);
  CHECK(separation_arcsec(0, 0, 0, 1) == Approx(3600).epsilon(1e-14));
  CHECK(separation_arcsec(359.9999, 0, 0.0001, 0) == Approx(0.72).epsilon(1e-9));
  CHECK(separation_arcsec(360, 5, 0, 5) == 0);
  CHECK(separation_arcsec(-0.0001, 0, 359.9999, 0) == Approx(0).margin(1e-9));
  CHECK(separation_arcsec(0, 90, 180, 90) == Approx(0).margin(1e-9));
  CHECK(separation_arcsec(0, 89.9999, 180, 89.9999) == Approx(0.72).epsilon(1e-9));
  CHECK(separation_arcsec(0, 0, 180, 0) == Approx(180 * 3600.0));
}
