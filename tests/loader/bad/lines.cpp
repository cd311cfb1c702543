// A reader of scripts: each line is the name of a filter that does nothing, "!" an error.
#include <qsohost/script_reader.hpp>

#include <fstream>

#include "plain_filter.hpp"

namespace {

class Lines final : public qsohost::ScriptReader {
 public:
  qsohost::Script read(const std::filesystem::path& file) override {
    qsohost::Script script{"7", {}};
    std::ifstream in(file);
    for (std::string line; std::getline(in, line);) {
      if (line == "!") throw qsohost::UsageError(file.string() + ":1:1: not a name");
      script.stages.push_back({line, "does nothing", qsohost::Role::Filter});
    }
    return script;
  }
  qsohost::Stage* create(const std::filesystem::path&, const std::string& stage) override {
    if (stage == "broken") throw qsohost::UsageError("it is broken");
    return new PlainFilter;
  }
};

}  // namespace

QSOHOST_SCRIPT_READER("lines", "1.0.0", []() -> qsohost::ScriptReader* {
  static Lines reader;
  return &reader;
});
