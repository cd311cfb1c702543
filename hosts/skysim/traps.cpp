#include "traps.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <sstream>

#include "qsohost/error.hpp"
#include "qsohost/io/text.hpp"

namespace qsohost::skysim {

namespace {

constexpr double kUsualRate = 0.1;

// "": a rate.
struct Known {
  std::string_view name;
  std::string_view values{};  // separated by blanks
};
constexpr auto kKnown = std::to_array<Known>({{"booleans", "True true t"},
                                              {"aip-id", "datalinkID"},
                                              {"structures", "old new"},
                                              {"stuck-job"},
                                              {"html-502"},
                                              {"html-200"},
                                              {"pool-empty"},
                                              {"null-500"},
                                              {"quota"},
                                              {"see-other"},
                                              {"query-in-url"},
                                              {"xmatch-ban"},
                                              {"xmatch-columns"},
                                              {"datalink-down"},
                                              {"poisoned-id"},
                                              {"trickle"},
                                              {"zip-cut"},
                                              {"zip-stored"},
                                              {"wrong-member"},
                                              {"missing-member"},
                                              {"atlas-429"},
                                              {"atlas-429-minutes"},
                                              {"atlas-stuck"},
                                              {"atlas-error"}});

bool is_one_of(std::string_view words, const std::string& word) {
  std::istringstream in{std::string(words)};
  for (std::string each; in >> each;) {
    if (each == word) return true;
  }
  return false;
}

}  // namespace

Traps::Traps(const std::string& list, std::uint64_t seed)
    : seed_(seed), random_(seed, Stream::Field, {79}) {
  std::istringstream in(list);
  for (std::string part; std::getline(in, part, ',');) {
    const std::size_t equals = part.find('=');
    const std::string name = part.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : part.substr(equals + 1);
    const auto known = std::ranges::find(kKnown, name, &Known::name);
    if (known == kKnown.end()) {
      throw RunError(fmt::format("--traps: there is no '{}'; known: {}", name, names()));
    }
    if (!known->values.empty()) {
      if (!is_one_of(known->values, value)) {
        throw RunError(fmt::format("--traps: {}: one of {}, not '{}'", name, known->values, value));
      }
      values_[name] = value;
      continue;
    }
    const std::optional<double> rate =
        equals == std::string::npos ? std::optional(kUsualRate) : parse_double(value);
    if (!rate || !(*rate >= 0 && *rate <= 1)) {
      throw RunError(fmt::format("--traps: {}: a rate from 0 to 1, not '{}'", name, value));
    }
    rates_[name] = *rate;
  }
}

std::string Traps::names() {
  std::string out;
  for (const Known& each : kKnown) {
    out += fmt::format("{}{}", out.empty() ? "" : ", ", each.name);
    if (!each.values.empty()) out += '=';
    for (const char c : each.values) out += c == ' ' ? '|' : c;
  }
  return out;
}

bool Traps::springs(std::string_view name) {
  const auto it = rates_.find(name);
  if (it == rates_.end()) return false;
  const std::lock_guard lock(mutex_);
  return random_.chance(it->second);
}

bool Traps::is_set_for(std::string_view name, std::uint64_t key) const {
  const auto it = rates_.find(name);
  return it != rates_.end() && Random(seed_, Stream::Field, {80, key}).chance(it->second);
}

std::string Traps::value(std::string_view name) const {
  const auto it = values_.find(name);
  return it == values_.end() ? "" : it->second;
}

}  // namespace qsohost::skysim
