// The requests of neowise, and how it handles the responses; nothing is sent.
#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/testing.hpp>

#include <algorithm>
#include <cmath>
#include <map>
#include <regex>

using namespace qsohost;
using Catch::Matchers::Contains;

namespace {

const std::string kHeader =
    "ra,dec,mjd,w1mpro,w1sigmpro,w2mpro,w2sigmpro,cc_flags,ph_qual,qi_fact,qual_frame,saa_sep,"
    "moon_masked,nb,na,w1sat,w2sat,w1rchi2,w2rchi2,allwise_cntr,scan_id\n";

std::string row(double dec, double mjd, const std::string& mags = "14.1,0.05,13.2,0.04") {
  return fmt::format("10,{},{},{},0000,AA,1,10,60,0000,1,0,0,0,1.1,1.2,null,01234r\n", dec, mjd,
                     mags);
}

// IRSA with a few rows near some declinations.
struct Irsa {
  std::map<int, std::vector<std::string>> rows;  // near RA 10 and this declination
  std::size_t most = 1000000;                    // rows that it sends, without a sign
  bool counts_work = true;
  bool uploads_work = true;
  int poisoned = -99;  // a declination that it cannot answer
  int wrong_empties = 0;
  int requests = 0;

  static std::string unescaped(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '%') {
        out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
        i += 2;
      } else {
        out += text[i];
      }
    }
    return out;
  }

  // Number and declination of the targets.
  static std::vector<std::pair<std::string, int>> targets(const Request& request,
                                                          const std::string& query) {
    std::vector<std::pair<std::string, int>> out;
    static const std::regex cell("<TR><TD>(\\d+)</TD><TD>[^<]*</TD><TD>([-0-9]+)[.]");
    for (std::sregex_iterator it(request.body.begin(), request.body.end(), cell), end; it != end;
         ++it) {
      out.emplace_back((*it)[1], std::stoi((*it)[2]));
    }
    static const std::regex cone("CIRCLE\\('ICRS', [-0-9.]+, ([-0-9]+)[.]");
    std::smatch found;
    if (out.empty() && std::regex_search(query, found, cone))
      out.emplace_back("", std::stoi(found[1]));
    return out;
  }

  Response answer(const Request& request) {
    ++requests;
    const std::string query = unescaped(request.url + request.body);
    const bool is_upload = request.url.find("UPLOAD=") != request.url.npos;
    const bool counts = query.find("COUNT(*)") != query.npos;
    Response response;
    response.url = request.url;
    response.status = 400;
    if ((counts && !counts_work) || (is_upload && !uploads_work)) return response;
    std::string body = (is_upload ? "n," : "") + (counts ? "n_rows\n" : kHeader);
    std::size_t sent = 0;
    for (const auto& [n, dec] : targets(request, query)) {
      if (dec == poisoned) return response;
      const std::string begin = is_upload ? n + "," : "";
      const auto& there = rows[dec];
      if (counts && (!there.empty() || !is_upload))
        body += fmt::format("{}{}\n", begin, there.size());
      for (std::size_t k = 0; !counts && k < there.size() && sent < most; ++k, ++sent) {
        body += begin + there[k];
      }
    }
    if (wrong_empties-- > 0) body.resize(body.find('\n') + 1);
    response.status = 200;
    response.body = body;
    return response;
  }
};

// Targets 0, 1, ... at declinations 0, 1, ...
struct Talk {
  Irsa irsa;
  std::unique_ptr<Harness> h;

  void run(int targets, std::vector<std::pair<std::string, std::string>> options = {}) {
    options.emplace_back("confirm_after", "0");
    h = std::make_unique<Harness>("neowise", options);
    std::vector<Target> all;
    for (int k = 0; k < targets; ++k) all.push_back({k, 10, static_cast<double>(k)});
    h->targets(all);
    h->answers([this](const Request& request) { return irsa.answer(request); });
    h->run();
  }
  void fill(int targets, int rows) {
    for (int dec = 0; dec < targets; ++dec) {
      for (int k = 0; k < rows; ++k) irsa.rows[dec].push_back(row(dec, 57000 + k));
    }
  }
  Outcome outcome(std::size_t target) const { return h->outcomes()[target].outcome.value(); }
  const Group& w1() { return h->batch().group("neowise.w1"); }
  const Group& w2() { return h->batch().group("neowise.w2"); }
};

}  // namespace

TEST_CASE("a band that is null has no epoch; a magnitude without error has one, with NaN") {
  Talk talk;
  talk.irsa.rows[0] = {row(0, 57002, "14.2,null,null,null"), row(0, 57001, "null,null,13.3,0.1"),
                       row(0, 57000)};
  talk.run(1);
  const auto mjd = talk.w1().at("mjd").values<double>();
  CHECK(std::vector<double>(mjd.begin(), mjd.end()) == std::vector<double>{57000, 57002});
  CHECK(talk.w1().at("mag").values<double>()[1] == 14.2);
  CHECK(std::isnan(talk.w1().at("mag_err").values<double>()[1]));
  CHECK(talk.w2().at("mag").values<double>()[1] == 13.3);
  CHECK(talk.w2().at("epoch_id").values<std::int64_t>()[1] == 1);
  CHECK(talk.w1().at("epoch_id").values<std::int64_t>()[1] == 2);
  CHECK(talk.w1().at("cc_flags").strings()[0] == "0000");
  CHECK(talk.w1().at("allwise_cntr").is_null(0));
  CHECK(talk.h->outcomes()[0].detail == "w1 2, w2 2; exposures 3");
}

TEST_CASE("what is outside the radius, or has no magnitude, is not found") {
  Talk talk;
  talk.irsa.rows[0] = {row(2.55 / 3600, 57000)};  // asked for with a margin
  talk.irsa.rows[1] = {row(1, 57000, "null,null,null,null")};
  talk.run(2);
  CHECK(talk.outcome(0) == Outcome::NotFound);
  CHECK_THAT(talk.h->outcomes()[0].reason, Contains("2.55 arcsec"));
  CHECK(talk.outcome(1) == Outcome::NotFound);
}

TEST_CASE("the request for a batch, to the letter") {
  Talk talk;
  talk.fill(4, 1);
  talk.run(4);
  CHECK(talk.irsa.requests == 2);
  const Request& counts = talk.h->requests().front();
  CHECK(counts.method == "POST");
  CHECK_THAT(counts.url,
             Contains("https://irsa.ipac.caltech.edu/TAP/sync?REQUEST=doQuery&LANG=ADQL&FORMAT=") &&
                 Contains("&UPLOAD=targets%2Cparam%3Atargets"));
  CHECK_THAT(Irsa::unescaped(counts.url),
             Contains("QUERY=SELECT t.n, COUNT(*) AS n_rows FROM neowiser_p1bs_psd p, "
                      "TAP_UPLOAD.targets t WHERE CONTAINS(POINT('ICRS', p.ra, p.dec), "
                      "CIRCLE('ICRS', t.ra, t.dec, 0.0007222222)) = 1 GROUP BY t.n&"));
  CHECK_THAT(counts.body, !Contains("QUERY") && Contains("<TR><TD>3</TD>"));
}

TEST_CASE("an answer that was cut without a sign is divided until it is whole") {
  Talk talk;
  talk.fill(32, 30);
  talk.irsa.most = 40;
  talk.run(32);
  CHECK(talk.w1().epochs() == 32 * 30);
  for (std::size_t k = 0; k < 32; ++k) CHECK(talk.w1().slice(k).count == 30);
  CHECK(talk.h->count("archive", "divided queries") == 31);
}

TEST_CASE("one target with more rows than the archive sends fails, the others do not") {
  Talk talk;
  talk.fill(6, 3);
  for (int k = 0; k < 200; ++k) talk.irsa.rows[5].push_back(row(5, 58000 + k));
  talk.irsa.most = 100;
  talk.run(6);
  CHECK(talk.outcome(5) == Outcome::Failed);
  CHECK_THAT(talk.h->outcomes()[5].reason, Contains("counts 203 rows") && Contains("sends 100"));
  for (std::size_t k = 0; k < 5; ++k) CHECK(talk.outcome(k) == Outcome::Matched);
}

TEST_CASE("a position that the archive cannot answer does not cost the others theirs") {
  Talk talk;
  talk.fill(16, 2);
  talk.irsa.poisoned = 11;
  talk.run(16, {{"query_by", "\"upload\""}});
  for (std::size_t k = 0; k < 16; ++k) {
    CHECK(talk.outcome(k) == (k == 11 ? Outcome::Failed : Outcome::Matched));
  }
}

TEST_CASE("without counts rows are asked for as a VOTable, and a round number is not believed") {
  Talk talk;
  talk.fill(5, 500);
  talk.irsa.counts_work = false;
  talk.irsa.most = 2000;
  talk.run(5);
  CHECK(talk.w1().epochs() == 2500);
  CHECK_THAT(talk.h->messages().front(), Contains("number of rows"));
  CHECK_THAT(talk.h->requests().back().url, Contains("FORMAT=votable"));
}

TEST_CASE("where uploads fail there are cones, and the other way round there is an error") {
  Talk talk;
  talk.fill(5, 2);
  talk.irsa.uploads_work = false;
  talk.run(5);
  CHECK(talk.w1().epochs() == 10);
  Talk strict;
  strict.fill(5, 2);
  strict.irsa.uploads_work = false;
  strict.run(5, {{"query_by", "\"upload\""}});
  for (std::size_t k = 0; k < 5; ++k) CHECK(strict.outcome(k) == Outcome::Failed);
}

TEST_CASE("a target without rows is confirmed beside one that has some") {
  Talk talk;
  talk.fill(4, 2);
  talk.irsa.rows[2].clear();
  talk.run(4);
  CHECK(talk.outcome(2) == Outcome::NotFound);
  CHECK(talk.irsa.requests == 3);  // counts, rows, counts of the empty one and a witness
  CHECK_THAT(talk.h->requests().back().body, Contains("<TD>2</TD>") && Contains("<TD>0</TD>"));
}

TEST_CASE("wrong empty answers, of the counts too, are not believed") {
  Talk talk;
  talk.fill(4, 2);
  talk.irsa.wrong_empties = 2;
  talk.run(4);
  CHECK(talk.w1().epochs() == 8);
  CHECK(talk.h->count("archive", "wrong empty answers") == 4);
  Talk empty;
  empty.run(4, {{"confirmations", "5"}});
  for (std::size_t k = 0; k < 4; ++k) CHECK(empty.outcome(k) == Outcome::NotFound);
  CHECK(empty.irsa.requests == 5);
}

TEST_CASE("a target that is no position on the sky") {
  Talk talk;
  talk.fill(2, 1);
  Harness h("neowise", {});
  h.targets({{1, 10, 91}, {2, std::nan(""), 0}, {3, 10, 0}});
  h.answers([&](const Request& request) { return talk.irsa.answer(request); });
  h.run();
  CHECK(h.outcomes()[0].outcome == Outcome::BadObject);
  CHECK(h.outcomes()[1].outcome == Outcome::BadObject);
  CHECK(h.outcomes()[2].outcome == Outcome::Matched);
}
