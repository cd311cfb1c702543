#include "new_plugin.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <utility>

#include "qsohost/error.hpp"

namespace qsohost::cli {
namespace {

namespace fs = std::filesystem;

bool is_good_name(const std::string& name) {
  const auto is_letter = [](char c) { return c >= 'a' && c <= 'z'; };
  const auto is_inner = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9') || c == '-'; };
  return !name.empty() && is_letter(name.front()) && name.back() != '-' &&
         std::ranges::all_of(name, is_inner) && name.find("--") == std::string::npos;
}

// "my-survey" -> "MySurvey"
std::string class_name(const std::string& name) {
  std::string out;
  bool begins = true;
  for (const char c : name) {
    if (c != '-') out += begins ? static_cast<char>(std::toupper(c)) : c;
    begins = c == '-';
  }
  return out;
}

std::string survey_name(std::string name) {
  std::erase(name, '-');
  return name;
}

void replace_all(std::string& text, std::string_view what, std::string_view with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

void write_file(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out)
    throw Error(
        fmt::format("{}: cannot be written; check the folder and the free space", file.string()));
}

// "my-survey" -> "my_survey", which Python can import
std::string module_name(std::string name) {
  std::ranges::replace(name, '-', '_');
  return name;
}

bool is_for(std::string_view folder, std::string_view kind, Language language) {
  if (folder == "targets") return true;
  if (folder == "ztf") return kind != "survey" && kind != "source";
  if (language == Language::Python)
    return folder == "python" || folder == fmt::format("py{}", kind);
  return folder == kind || folder == "common";
}

}  // namespace

std::vector<fs::path> new_plugin(const std::string& kind, const std::string& name,
                                 const fs::path& parent, Language language) {
  if (language == Language::Python && kind != "filter" && kind != "fitter" && kind != "source")
    throw UsageError(
        "--python writes a filter, a fitter or a source; leave it out to write one in C++");
  if (!is_good_name(name)) {
    throw UsageError(
        fmt::format("'{}' cannot be the name of a stage: small letters, digits and single dashes, "
                    "beginning with a letter, e.g. \"my-{}\"",
                    name, kind));
  }
  const fs::path folder = parent / name;
  if (fs::exists(folder)) {
    throw UsageError(fmt::format("{} is there already, so nothing was written; choose another name",
                                 folder.string()));
  }
  const bool reads_a_table = kind == "source" || kind == "survey";
  const std::array<std::pair<std::string_view, std::string>, 5> words{
      {{"@NAME@", name},
       {"@CLASS@", class_name(name)},
       {"@SURVEY@", survey_name(name)},
       {"@MODULE@", module_name(name)},
       {"@LIBRARIES@", reads_a_table ? " LIBRARIES qsohost::io" : ""}}};
  std::vector<fs::path> files;
  for (const Template& part : templates()) {
    if (!is_for(part.folder, kind, language)) continue;
    std::string file(part.file);
    replace_all(file, "NAME", name);
    replace_all(file, "MODULE", module_name(name));
    std::string text(part.text);
    for (const auto& [word, value] : words) replace_all(text, word, value);
    files.push_back(folder / file);
    write_file(files.back(), text);
  }
  return files;
}

}  // namespace qsohost::cli
