#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "qsohost/names.hpp"

namespace qsohost::inline v1 {

namespace {

// Edits (insert, delete, replace, swap of neighbours) from one word to the other.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + change});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::vector<std::string> nearest_names(std::string_view word,
                                       const std::vector<std::string>& names) {
  std::vector<std::pair<std::size_t, std::string>> near;
  for (const std::string& name : names) {
    const bool part = word.size() >= 3 && name.find(word) != std::string::npos;
    const std::size_t edits = part ? 1 : distance(word, name);
    const std::size_t allowed = std::max<std::size_t>(1, std::min(word.size(), name.size()) / 3);
    if (edits <= allowed) near.emplace_back(edits, name);
  }
  std::ranges::sort(near);
  std::vector<std::string> out;
  for (const auto& [edits, name] : near) {
    if (out.size() < 3) out.push_back(name);
  }
  return out;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 12;
  std::string out;
  for (const std::string& name : nearest_names(word, names)) {
    out += fmt::format("{}'{}'", out.empty() ? "; did you mean " : " or ", name);
  }
  if (!out.empty()) return out + "?";
  if (names.empty()) return out;
  const auto listed = std::span(names).first(std::min(names.size(), kMost));
  out = fmt::format("; there {} '{}'", names.size() == 1 ? "is" : "are", fmt::join(listed, "', '"));
  return names.size() > kMost ? fmt::format("{} and {} more", out, names.size() - kMost) : out;
}

}  // namespace qsohost::inline v1
