// An archive of a few made-up ZTF objects that answers requests like IRSA, and a host that sends
// requests until a conversation has none left.
#pragma once

#include <catch2/catch.hpp>

#include <fmt/format.h>

#include <qsohost/error.hpp>
#include <qsohost/http.hpp>
#include <qsohost/sphere.hpp>

#include <functional>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "answers.hpp"
#include "irsa_conversation.hpp"

struct Made {
  std::string oid;
  double ra = 10;
  double dec = 20;
  std::string filter = "zg";
  int epochs = 3;
  int announced = -1;  // nobs, if different
};

class Archive {
 public:
  std::map<std::int64_t, Made> objects;
  bool backwards = false;  // rows in another order
  int looks = 0;           // polls of a job before it is done
  std::vector<std::string> urls;

  void add(const Made& made) { objects[std::stoll(made.oid)] = made; }

  qsohost::Response answer(const qsohost::Request& request) {
    urls.push_back(request.url);
    qsohost::Response response;
    response.status = 200;
    response.url = request.url;
    if (request.url.find("nph_light_curves") != request.url.npos) {
      response.body = curves(request.url);
    } else if (request.url.ends_with("/TAP/async")) {
      response.url = request.url + fmt::format("/job{}", ++jobs_);
      upload_ = request.body;
      seen_ = 0;
    } else if (request.url.ends_with("/phase")) {
      response.body = seen_++ < looks ? "EXECUTING\n" : "COMPLETED";
    } else {
      response.body = table(request.method == "POST" ? request.body : upload_);
    }
    return response;
  }

 private:
  static std::string decoded(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '%') {
        out += text[i];
        continue;
      }
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    }
    return out;
  }

  std::string rows(const Made& made) const {
    std::string out;
    for (int k = 0; k < made.epochs; ++k) {
      const int epoch = backwards ? made.epochs - 1 - k : k;
      out += line({.oid = made.oid,
                   .mjd = fmt::format("{}.25", 58200 + epoch),
                   .filter = made.filter,
                   .ra = fmt::format("{:.9f}", made.ra),
                   .dec = fmt::format("{:.9f}", made.dec)});
    }
    return out;
  }

  std::string curves(const std::string& url) const {
    const std::string query = decoded(url.substr(url.find('?') + 1));
    std::vector<std::string> parts;
    std::smatch match;
    if (std::regex_search(query, match, std::regex("POS=CIRCLE ([-.0-9]+) ([-.0-9]+) ([.0-9]+)"))) {
      for (const auto& [oid, made] : objects) {
        const double away =
            qsohost::separation_arcsec(std::stod(match[1]), std::stod(match[2]), made.ra, made.dec);
        if (away <= std::stod(match[3]) * 3600) parts.push_back(rows(made));
      }
    }
    const std::regex id("ID=([0-9]+)");
    for (std::sregex_iterator it(query.begin(), query.end(), id), end; it != end; ++it) {
      const auto made = objects.find(std::stoll((*it)[1]));
      if (made != objects.end()) parts.push_back(rows(made->second));
    }
    if (backwards) std::reverse(parts.begin(), parts.end());
    std::string out = kHeader;
    for (const std::string& part : parts) out += part;
    return query.find("FORMAT=VOTABLE") == query.npos ? out : votable(out);
  }

  static std::string votable(const std::string& csv) {
    std::string out = "<VOTABLE><RESOURCE><TABLE>";
    std::istringstream lines(csv);
    std::string cell;
    for (std::string row; std::getline(lines, row);) {
      const bool is_header = row + "\n" == kHeader;
      std::istringstream cells(row);
      if (!is_header) out += "<TR>";
      while (std::getline(cells, cell, ',')) {
        out += is_header ? "<FIELD name=\"" + cell + "\"/>" : "<TD>" + cell + "</TD>";
      }
      out += is_header ? "<DATA><TABLEDATA>" : "</TR>";
    }
    return out + "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n";
  }

  std::string table(const std::string& upload) const {
    std::string out =
        "<?xml version=\"1.0\"?><VOTABLE><RESOURCE type=\"results\">"
        "<INFO name=\"QUERY_STATUS\" value=\"OK\"/><TABLE>";
    for (const char* name : {"n", "oid", "fid", "nobs"}) {
      out += fmt::format("<FIELD name=\"{}\" datatype=\"long\"/>", name);
    }
    out += "<DATA><TABLEDATA>";
    const std::regex row("<TR><TD>([0-9]+)</TD><TD>([-.0-9]+)</TD><TD>([-.0-9]+)</TD></TR>");
    for (std::sregex_iterator it(upload.begin(), upload.end(), row), end; it != end; ++it) {
      for (const auto& [oid, made] : objects) {
        const double away =
            qsohost::separation_arcsec(std::stod((*it)[2]), std::stod((*it)[3]), made.ra, made.dec);
        if (away > 2.1) continue;
        const auto filter = std::string("gri").find(made.filter[1]) + 1;
        const int nobs = made.announced < 0 ? made.epochs : made.announced;
        out += fmt::format("<TR><TD>{}</TD><TD>{}</TD><TD>{}</TD><TD>{}</TD></TR>", (*it)[1].str(),
                           oid, filter, nobs);
      }
    }
    return out + "</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>\n";
  }

  int jobs_ = 0;
  int seen_ = 0;
  std::string upload_;
};

// One conversation about targets at (ra, dec), and its result.
struct Talk {
  using Spoil = std::function<void(const qsohost::Request&, qsohost::Response&)>;

  ztf::IrsaSettings settings;
  ztf::Shared shared;
  Archive archive;
  std::vector<ztf::Position> targets;
  int attempts = 12;
  Spoil spoil = [](const qsohost::Request&, qsohost::Response&) {};
  bool last_first = false;  // responses in another order

  std::vector<qsohost::Outcomes::State> states;
  qsohost::Batch batch{0, 0, 1000};
  qsohost::Counts counts;
  std::vector<std::string> warnings;
  std::vector<qsohost::Request> requests;  // in order, without repeats

  Talk() {
    settings.curves_url = "http://irsa/cgi-bin/ZTF/nph_light_curves";
    settings.tap_url = "http://irsa/TAP";
    settings.collection = "ztf_dr24";
    settings.objects_table = "ztf_objects_dr24";
    settings.bands = {0, 1, 2};
    settings.ids_per_request = 200;
    settings.confirmations = 5;
    settings.confirm_after = std::chrono::seconds(5);
    shared.warn = [this](const std::string& text) { warnings.push_back(text); };
  }

  void run(ztf::QueryBy query_by) {
    settings.query_by = query_by;
    prepare();
    std::vector<double> ras, decs;
    for (const auto& t : targets) ras.push_back(t.ra), decs.push_back(t.dec);
    ztf::IrsaConversation conversation(settings, shared, batch, ras, decs, counts);
    std::deque<qsohost::Request> open;
    const auto add = [&](std::vector<qsohost::Request> more) {
      for (auto& request : more) {
        check_new(request);
        requests.push_back(request);
        open.push_back(std::move(request));
      }
    };
    add(conversation.begin());
    while (!open.empty()) {
      REQUIRE(requests.size() < 3000);
      const qsohost::Request request = last_first ? open.back() : open.front();
      last_first ? open.pop_back() : open.pop_front();
      add(ask(conversation, request));
    }
    qsohost::Outcomes outcomes(targets.size(), group_names(batch));
    conversation.finish(batch, outcomes);
    states = outcomes.states();
    batch.verify();
  }

  std::int64_t count(const std::string& item, const std::string& what) const {
    for (const auto& entry : counts.entries()) {
      if (entry.item == item && entry.what == what) return entry.n;
    }
    return 0;
  }

 private:
  void prepare() {
    batch = qsohost::Batch(0, 0, 1000);
    settings.label = "ztf";
    add_ztf_groups(batch, targets.size());
    auto& id = batch.objects().add({"source_id", qsohost::DType::I64, "", ""});
    for (std::size_t k = 0; k < targets.size(); ++k) id.append(static_cast<std::int64_t>(100 + k));
  }

  // The host treats equal requests as the same one, and would answer the second from its cache
  // unless it is to be fresh.
  void check_new(const qsohost::Request& request) {
    const bool is_new = asked_.insert({request.url, request.body, request.turn}).second;
    CHECK((is_new || request.fresh));
    CHECK(request.url.size() <= 8000);
    CHECK_FALSE(request.about.empty());
  }

  std::vector<qsohost::Request> ask(ztf::IrsaConversation& conversation,
                                    const qsohost::Request& request) {
    std::string reason;
    for (int attempt = 0; attempt < attempts; ++attempt) {
      qsohost::Response response = archive.answer(request);
      spoil(request, response);
      if (response.status != 200) {
        reason = fmt::format("status {}", response.status);
        continue;
      }
      try {
        return conversation.answer(request, response);
      } catch (const qsohost::TryAgain& e) {
        reason = e.what();
      }
    }
    return conversation.failed(request, reason);
  }

  std::set<std::tuple<std::string, std::string, int>> asked_;
};
