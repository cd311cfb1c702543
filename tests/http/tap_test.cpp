// A query to a TAP service: what is sent, and what is made of the forms in which services answer.
#include "tap_query.hpp"

TEST_CASE("a synchronous query is sent as a form") {
  Exchange exchange;
  exchange.archive = [](const Request&) { return with(200, kCsv); };
  TapQuery query = query_of(false);
  query.language = "ADQL-2.0";
  query.format_parameter = "RESPONSEFORMAT";
  query.max_rows = 2000;
  query.parameters = {{"jobname", "a b"}};
  query.headers = {"Authorization: Token abc"};
  exchange.run(query);
  CHECK(exchange.failure.empty());
  CHECK(exchange.rows == std::vector<std::string>{"1000000000000000001", "1000000000000000002"});
  CHECK_FALSE(exchange.is_overflow);
  REQUIRE(exchange.requests.size() == 1);
  const Request& request = exchange.requests[0];
  CHECK(request.method == "POST");
  CHECK(request.url == "http://archive/tap/sync");
  CHECK(request.content_type == "application/x-www-form-urlencoded");
  CHECK(request.body ==
        "REQUEST=doQuery&LANG=ADQL-2.0&RESPONSEFORMAT=csv&QUERY=SELECT%20TOP%202%20source_id%2C%20"
        "ra%20FROM%20gaiadr3.gaia_source%20WHERE%20ra%20%3E%20150&MAXREC=2000&jobname=a%20b");
  CHECK(request.headers == query.headers);
  CHECK(request.about == "two sources");
  CHECK(request.keep);
}

TEST_CASE("uploads are parts whose boundary occurs in none of them") {
  const std::vector<UploadColumn> columns{{"n", "int"}, {"ra", "double", "deg"}, {"who", "char"}};
  const std::vector<std::vector<std::string>> rows{{"4", "359.5", "a<b & \"c\""}};
  TapQuery query = query_of(true);
  query.uploads = {{"mine", to_votable(columns, rows)},
                   {"other", "qsohost-0f1e2d3c4b5a", "text/csv"}};
  Exchange exchange;
  exchange.archive = Jobs();
  exchange.run(query);
  const Request& request = exchange.requests[0];
  const std::string line = "multipart/form-data; boundary=qsohost-0f1e2d3c4b5a-0";
  CHECK(request.content_type == line);
  const std::string between = "--qsohost-0f1e2d3c4b5a-0\r\n";
  CHECK_THAT(request.body, Catch::StartsWith(between) && Contains("name=\"PHASE\"\r\n\r\nRUN\r\n"));
  CHECK_THAT(request.body,
             Contains("name=\"UPLOAD\"\r\n\r\nmine,param:mine;other,param:other\r\n"));
  CHECK_THAT(request.body, Contains("name=\"mine\"; filename=\"mine.xml\"\r\nContent-Type: "
                                    "application/x-votable+xml\r\n\r\n<?xml"));
  CHECK_THAT(request.body, Contains("<FIELD name=\"ra\" datatype=\"double\" unit=\"deg\"/>") &&
                               Contains("<FIELD name=\"who\" datatype=\"char\" arraysize=\"*\"/>"));
  CHECK_THAT(request.body, Contains("<TD>a&lt;b &amp; &quot;c&quot;</TD></TR>"));
  CHECK(request.body.ends_with("\r\n--qsohost-0f1e2d3c4b5a-0--\r\n"));
  CHECK(exchange.failure.empty());

  query.parameters_in_url = true;
  const Request in_url = TapExchange(query, [](const TapAnswer&) {}).begin();
  CHECK(in_url.url.starts_with("http://archive/tap/async?REQUEST=doQuery&LANG="));
  CHECK(in_url.url.ends_with("&PHASE=RUN&UPLOAD=mine%2Cparam%3Amine%3Bother%2Cparam%3Aother"));
  CHECK_THAT(in_url.body, Catch::StartsWith(between) && Contains("name=\"mine\"; filename=") &&
                              !Contains("QUERY"));

  TableReader table(query.uploads[0].content);
  std::vector<std::string_view> cells;
  REQUIRE(table.next(cells));
  CHECK(cells[2] == "a<b & \"c\"");
}

TEST_CASE("error documents are recognised by content, whatever the status") {
  const std::string error =
      "<INFO name=\"QUERY_STATUS\" value=\"ERROR\">1 unresolved identifiers: pos [l.1 c.104]"
      "</INFO><INFO name=\"HttpErrorCode\" value=\"400\"/>";
  const std::vector<std::pair<std::string, std::string>> answers{
      {"", "empty answer"},
      {" \n", "empty answer"},
      {"null", "answered null"},
      {"<html><body><h1>Planned maintenance</h1></body></html>", "Planned maintenance"},
      {"\n<!DOCTYPE HTML PUBLIC><html><li><b>Message: </b>Cannot parse query</li></html>",
       "Cannot parse query"},
      {"<?xml version='1.0'?><v:VOTABLE><v:RESOURCE><v:INFO value='ERROR' name='QUERY_STATUS'>"
       "DB quota exceeded</v:INFO></v:RESOURCE></v:VOTABLE>",
       "QUERY_STATUS ERROR: DB quota exceeded"},
      {"<VOTABLE><RESOURCE><INFO name=\"QUERY_STATUS\" value=\"ERROR\"/></RESOURCE></VOTABLE>",
       "no reason given"},
      {votable("<INFO name=\"QUERY_STATUS\" value=\"OK\"/>", error), "unresolved identifiers"}};
  for (const auto& [body, words] : answers) {
    INFO(body);
    Exchange exchange;
    exchange.archive = [&](const Request&) { return with(200, body); };
    exchange.run(query_of(false));
    CHECK_THAT(exchange.failure, Contains(words));
    CHECK(exchange.rows.empty());
  }
}

TEST_CASE("a table that holds the word of error documents many times is read once") {
  std::string body = "<";  // with a look back to it, and ahead to an end, for each word: minutes
  for (int i = 0; i < 200'000; ++i) body += "QUERY_STATUS";
  Exchange exchange;
  exchange.archive = [&](const Request&) { return with(200, body); };
  exchange.run(query_of(false));
  CHECK_FALSE(exchange.failure.empty());
}

TEST_CASE("an error document is retried") {
  Exchange exchange;
  int times = 0;
  exchange.archive = [&](const Request&) {
    return ++times < 3
               ? with(200, votable("<INFO name=\"QUERY_STATUS\" value=\"ERROR\">busy</INFO>"))
               : with(200, kCsv);
  };
  exchange.run(query_of(false));
  CHECK(exchange.failure.empty());
  CHECK(exchange.rows.size() == 2);
}

TEST_CASE("missing rows are detected: a VOTable's OVERFLOW, a full page of CSV") {
  const auto overflow_of = [](const std::string& body, std::int64_t max_rows) {
    Exchange exchange;
    exchange.archive = [&](const Request&) { return with(200, body); };
    TapQuery query = query_of(false);
    query.max_rows = max_rows;
    exchange.run(query);
    CHECK(exchange.failure.empty());
    return exchange.is_overflow;
  };
  const std::string ok = "<INFO name=\"QUERY_STATUS\" value=\"OK\"/>";
  const std::string more = "<INFO name=\"QUERY_STATUS\" value=\"OVERFLOW\"/>";
  CHECK(overflow_of(votable(ok, more), 0));
  CHECK_FALSE(overflow_of(votable(ok), 0));
  CHECK_FALSE(overflow_of(votable(ok), 1));  // it would say so
  CHECK_FALSE(overflow_of(votable("<INFO name=\"QUERY\" value=\"QUERY_STATUS OVERFLOW\"/>"), 0));
  CHECK(overflow_of(kCsv, 2));
  CHECK_FALSE(overflow_of(kCsv, 3));
  CHECK_FALSE(overflow_of(kCsv, 0));
}

TEST_CASE("CSV whose end was not announced counts when two are equal; a VOTable does at once") {
  const auto ask = [](const std::vector<std::string>& bodies) {
    Exchange exchange;
    exchange.archive = [&, n = std::size_t{0}](const Request&) mutable {
      Response response = with(200, bodies.at(n++));
      response.is_end_known = false;
      return response;
    };
    exchange.run(query_of(false));
    std::set<int> turns;
    for (const Request& request : exchange.requests) turns.insert(request.turn);
    CHECK(turns.size() == exchange.requests.size());
    return exchange;
  };
  const std::string cut = kCsv.substr(0, kCsv.find('\n', 20) + 1);
  const Exchange csv = ask({cut, kCsv, kCsv});
  CHECK(csv.failure.empty());
  CHECK(csv.rows.size() == 2);
  CHECK(csv.requests.size() == 3);
  CHECK(ask({votable("<INFO name=\"QUERY_STATUS\" value=\"OK\"/>")}).requests.size() == 1);
  const Exchange never =
      ask({kCsv + "3,1\n", kCsv + "4,1\n", kCsv + "5,1\n", kCsv + "6,1\n", kCsv});
  CHECK_THAT(never.failure, Contains("no two were equal"));
}

TEST_CASE("a reader that throws BadObject ends the query") {
  TapExchange tap(query_of(false), [](const TapAnswer&) { throw BadObject("too many"); });
  const Request request = tap.begin();
  Response response = with(200, kCsv);
  response.url = request.url;
  CHECK_FALSE(tap.answer(request, response));
  CHECK(tap.failure() == "too many");
}
