#include <cstdint>
#include <qsohost/api.hpp>

// The right magic word and API number, and then too little.
namespace {
struct Note {
  char magic[8] = {'Q', 'S', 'O', 'H', 'O', 'S', 'T', '\0'};
  std::uint32_t size = 24;
  std::uint32_t stages = 1;
  std::uint32_t api = QSOHOST_API_NUMBER;
  std::uint32_t rest = 0;
};
[[gnu::section(".qsohost"), gnu::used]] const Note note{};
}  // namespace
