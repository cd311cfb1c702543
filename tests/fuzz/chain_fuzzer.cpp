// Whatever a chain file holds, it is checked to its end. A chain that is accepted is drawn, and
// what stores it gives the same chain again. After a line "@@@" come overrides, a line each:
// "ztf.radius=1" of --set, "loo dho" of --swap.
#include <sstream>

#include "fuzz_file.hpp"
#include "qsohost/host/chain.hpp"

using namespace qsohost;
using namespace qsohost::fuzz;

namespace {

Overrides overrides_of(std::string_view text) {
  Overrides overrides;
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find_first_of("= ");
    if (at == line.npos) continue;
    auto& list = line[at] == '=' ? overrides.set : overrides.swap;
    list.emplace_back(line.substr(0, at), line.substr(at + 1));
  }
  return overrides;
}

void check(const Chain& chain, Plugins& plugins) {
  for (const char* format : {"dot", "mermaid", "text"}) static_cast<void>(draw(chain, format));
  std::vector<Problem> problems;
  const auto again = Chain::restore(chain.effective(), plugins, problems);
  if (!again || again->hash() != chain.hash()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Plugins plugins;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(input.find("\n@@@\n"), input.size());
  refusing([&] {
    std::vector<Problem> problems;
    const auto chain =
        Chain::parse(input.substr(0, end), "in.toml", folder(),
                     overrides_of(input.substr(std::min(end + 5, size))), plugins, problems);
    for (const Problem& problem : problems) static_cast<void>(problem.text());
    if (chain) check(*chain, plugins);
  });
  return 0;
}
