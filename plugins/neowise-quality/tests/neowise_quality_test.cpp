#include <catch2/catch.hpp>

#include <qsohost/error.hpp>
#include <qsohost/testing.hpp>

#include <cmath>
#include <optional>

using namespace qsohost;
using Catch::Contains;

namespace {

// One epoch, good in every respect by default.
struct Epoch {
  std::optional<int> nb = 1, na = 0, qual_frame = 10;
  double qi_fact = 1, saa_sep = 60, sat = 0, rchi2 = 1;
  std::string cc_flags = "0000", moon_masked = "0000", ph_qual = "AB";
};

void append(Column& column, std::optional<int> value) {
  value ? column.append(static_cast<std::int32_t>(*value)) : column.append_null();
}

// The same epochs in both bands, of one object.
void fill(Harness& h, const std::vector<Epoch>& epochs) {
  h.targets({{1, 10, 20}});
  for (const char* band : {"w1", "w2"}) {
    Group& group = h.batch().add_group(
        {.name = std::string("neowise.") + band, .survey = "neowise", .band = band});
    for (const char* name : {"nb", "na", "qual_frame"}) group.add({name, DType::I32, "", ""});
    for (const char* name : {"qi_fact", "saa_sep", "sat", "rchi2"}) {
      group.add({name, DType::F64, "", ""});
    }
    for (const char* name : {"cc_flags", "moon_masked", "ph_qual"}) {
      group.add({name, DType::String, "", ""});
    }
    for (const Epoch& e : epochs) {
      append(group.at("nb"), e.nb);
      append(group.at("na"), e.na);
      append(group.at("qual_frame"), e.qual_frame);
      group.at("qi_fact").append(e.qi_fact);
      group.at("saa_sep").append(e.saa_sep);
      group.at("sat").append(e.sat);
      group.at("rchi2").append(e.rchi2);
      group.at("cc_flags").append_string(e.cc_flags);
      group.at("moon_masked").append_string(e.moon_masked);
      group.at("ph_qual").append_string(e.ph_qual);
    }
    group.close_row();
  }
}

}  // namespace

TEST_CASE("what is not known is not good") {
  Harness h("neowise-quality");
  fill(h, {{},
           {.nb = {}},
           {.na = {}},
           {.qual_frame = {}},
           {.qi_fact = std::nan("")},
           {.saa_sep = std::nan("")},
           {.cc_flags = ""},
           {.moon_masked = ""}});
  h.run();
  CHECK(h.batch().group("neowise.w1").epochs() == 1);
  for (const char* rule :
       {"nb", "na", "qual_frame", "qi_fact", "saa_sep", "cc_flags", "moon_masked"}) {
    CHECK(h.count("neowise.w1", std::string("removed by ") + rule) == 1);
  }
}

TEST_CASE("limits themselves are kept; an epoch is removed by the first rule that it fails") {
  Harness h("neowise-quality");
  fill(h, {{.saa_sep = 5},
           {.saa_sep = 4.999},
           {.cc_flags = "00dd"},
           {.cc_flags = "0d00"},
           {.nb = 2, .qi_fact = 0.5}});
  h.run();
  CHECK(h.batch().group("neowise.w2").epochs() == 2);
  CHECK(h.count("neowise.w2", "failed qi_fact") == 1);
  CHECK(h.count("neowise.w2", "removed by qi_fact") == 0);
  CHECK(h.count("neowise.w2", "removed by nb") == 1);
}

TEST_CASE("each band has its own grade; saturation and fit only where asked for") {
  const std::vector<Epoch> epochs{{}, {.ph_qual = "AU"}, {.sat = 0.1}, {.rchi2 = 3}};
  Harness usual("neowise-quality");
  fill(usual, epochs);
  usual.run();
  CHECK(usual.batch().group("neowise.w2").epochs() == 4);
  Harness strict("neowise-quality",
                 {{"ph_qual", "[\"A\", \"B\"]"}, {"max_sat", "0"}, {"max_rchi2", "2"}});
  fill(strict, epochs);
  strict.run();
  CHECK(strict.batch().group("neowise.w1").epochs() == 2);
  CHECK(strict.batch().group("neowise.w2").epochs() == 1);
}

TEST_CASE("a band that is not named goes, or stays as it is") {
  Harness one("neowise-quality", {{"bands", "[\"w1\"]"}});
  fill(one, {{}});
  one.run();
  CHECK(one.batch().find_group("neowise.w2") == nullptr);
  Harness both("neowise-quality", {{"bands", "[\"w1\"]"}, {"drop_other_bands", "false"}});
  fill(both, {{.nb = 2}});
  both.run();
  CHECK(both.batch().group("neowise.w1").epochs() == 0);
  CHECK(both.batch().group("neowise.w2").epochs() == 1);
}
