#include "plain_filter.hpp"

// The note of a plugin without its table.
namespace {
constexpr std::array stages{qsohost::stage<PlainFilter>("plain", "does nothing")};
[[gnu::section(".qsohost"), gnu::used]] constexpr qsohost::PluginNote note =
    qsohost::make_note("no-table", "1.0.0", stages);
}  // namespace
