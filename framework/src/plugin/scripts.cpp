#include "plugin/scripts.hpp"

#include <fmt/format.h>

#include <string>
#include <system_error>
#include <variant>

#include "plugin/library.hpp"
#include "plugin/plugin_file.hpp"
#include "plugin/trust.hpp"
#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

namespace fs = std::filesystem;

namespace {

std::string no_reader(const std::string& language, const std::vector<fs::path>& folders) {
  std::string out =
      fmt::format("no reader of .{} files: there is no scripts/{}.so in", language, language);
  for (const fs::path& folder : folders) out += "\n    " + folder.string();
  if (language == "py") out += "\n  it is part of the package python3-qsohost";
  return out;
}

}  // namespace

ScriptReader::~ScriptReader() = default;

bool is_script(const fs::path& file) {
  return file.has_extension() && file.extension() != ".so";
}

ScriptReader& script_reader_for(const fs::path& file, const std::vector<fs::path>& folders,
                                bool allows_insecure) {
  const std::string language = file.extension().string().substr(1);
  for (const fs::path& folder : folders) {
    const fs::path reader = folder / "scripts" / (language + ".so");
    std::error_code error;
    if (!fs::exists(reader, error)) continue;
    if (const std::string reason = why_plugin_not_trusted(reader);
        !allows_insecure && !reason.empty()) {
      throw UsageError(fmt::format("its reader {}: {}", reader.string(), reason));
    }
    const auto note = read_plugin_note(reader);
    if (const auto* reason = std::get_if<std::string>(&note)) {
      throw UsageError(fmt::format("its reader {}: {}", reader.string(), *reason));
    }
    try {
      return load_script_reader(reader);
    } catch (const Error& e) {
      throw UsageError(fmt::format("its reader {}: {}", reader.string(), e.what()));
    }
  }
  throw UsageError(no_reader(language, folders));
}

}  // namespace qsohost::inline v1
