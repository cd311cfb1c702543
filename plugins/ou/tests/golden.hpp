// Reference numbers: tests/golden.json (one band) and tests/multiband_golden.json, and the full
// sets that they are taken from, if available.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <qsohost/light_curve.hpp>
#include <string>
#include <vector>

#include "ou_fit.hpp"

namespace golden {

using Json = nlohmann::json;

inline std::vector<Json> cases(const char* subset = OU_GOLDEN_FILE,
                               const char* full = "ou_golden.json") {
  std::map<std::string, Json> found;
  std::vector<std::filesystem::path> files{subset};
  if (const char* data = std::getenv("QSO_SHARED_DATA"))
    files.push_back(std::filesystem::path(data) / "../facts" / full);
  for (const auto& file : files) {
    std::ifstream in(file);
    if (!in) continue;
    const Json all = Json::parse(in);
    for (const Json& c : all.at("cases")) found[c.at("name")] = c;
  }
  std::vector<Json> out;
  for (auto& [name, c] : found) out.push_back(std::move(c));
  return out;
}

inline std::vector<double> numbers(const Json& list) {
  return list.get<std::vector<double>>();
}

// A case as passed to the fitter: in time order, relative to `reference`.
struct Case {
  explicit Case(const Json& c, double reference = 0)
      : order(numbers(c.at("t"))),
        series(ou::make_series(order.gather(numbers(c.at("t"))), order.gather(numbers(c.at("y"))),
                               order.gather(numbers(c.at("err"))), reference)) {}
  std::vector<double> sorted(const Json& list) const { return order.gather(numbers(list)); }
  qsohost::TimeOrder order;
  ou::Series series;
};

inline ou::Parameters parameters(const Json& p) {
  ou::Parameters out{std::log(p.at("sigma").get<double>()), std::log(p.at("tau").get<double>())};
  if (p.contains("jitter") && p.at("jitter").get<double>() > 0)
    out.ln_jitter = std::log(p.at("jitter").get<double>());
  return out;
}

inline ou::Box box(const Json& b) {
  return {std::log(b.at("sigma")[0].get<double>()), std::log(b.at("sigma")[1].get<double>()),
          std::log(b.at("tau")[0].get<double>()), std::log(b.at("tau")[1].get<double>())};
}

}  // namespace golden
