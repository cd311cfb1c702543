// Whatever a file holds that is called a plugin, its note is read or it is refused.
#include "fuzz_file.hpp"
#include "plugin/plugin_file.hpp"

using namespace qsohost;
using namespace qsohost::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto file = folder() / "plugin.so";
  write(file, data, size);
  const auto note = read_plugin_note(file);
  if (const auto* reason = std::get_if<std::string>(&note); reason && reason->empty()) std::abort();
  return 0;
}
