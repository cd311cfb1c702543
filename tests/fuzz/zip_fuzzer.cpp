// Whatever a zip archive holds, its members are read as announced, or refused.
#include "fuzz_file.hpp"
#include "qsohost/io/zip.hpp"

using namespace qsohost;
using namespace qsohost::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::uint64_t megabyte = 1 << 20;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  static_cast<void>(is_zip(bytes));
  refusing([&] {
    const ZipLimits limits{.members = 100, .bytes = 16 * megabyte};
    const ZipArchive zip(bytes, limits);
    if (zip.members().size() > limits.members) std::abort();
    std::uint64_t total = 0;
    for (const ZipMember& member : zip.members()) {
      refusing([&] {
        const std::string text = zip.read(member);
        if (text.size() != member.size) std::abort();
        total += text.size();
      });
    }
    if (total > limits.bytes) std::abort();
  });
  return 0;
}
