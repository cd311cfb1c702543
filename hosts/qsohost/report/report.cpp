#include "report/report.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <exception>
#include <optional>

#include "qsohost/error.hpp"
#include "report/catalog_compare.hpp"
#include "report/differences.hpp"
#include "report/light_curves.hpp"
#include "report/page.hpp"
#include "report/sections.hpp"
#include "report/side_by_side.hpp"
#include "report/user_plots.hpp"
#include "table.hpp"

namespace qsohost::cli {
namespace {

namespace fs = std::filesystem;

using Runs = std::vector<RunProducts>;

// A section of one run.
struct Maker {
  const char* id;
  const char* title;
  std::function<Section(const RunProducts&)> make;
};

class Builder {
 public:
  explicit Builder(const ReportRequest& request);
  Report build() &&;

 private:
  void announce(std::string_view title);
  Section made(const Maker& maker, const RunProducts& run);
  void add_differences();
  void add_sections();
  void add_user_plots();
  void add_catalogs();
  void add_left_out();
  void leave_out(const RunProducts& run, const std::string& what);
  std::string name_of(const RunProducts& run) const;
  std::string made_line() const;
  std::vector<Maker> makers();
  ReportOptions options_of(const RunProducts& run) const;

  const ReportRequest& request_;
  Runs runs_;
  std::vector<UserPlot> plots_;
  std::vector<Maker> makers_;
  Page page_;
  Report report_;
  std::vector<std::string> nothing_there_;  // titles of sections without data
  bool has_panels_ = false;                 // of light curves
  std::size_t done_ = 0;
};

std::vector<Maker> Builder::makers() {
  return {
      {"outcomes", "Outcomes", outcomes_section},
      {"light-curves", "Light curves",
       [&](const RunProducts& run) { return light_curves_section(run, options_of(run)); }},
      {"tau-sigma", "Time-scale and amplitude", tau_sigma_section},
      {"luminosity", "Variability and luminosity", luminosity_section},
      {"structure-function", "Structure function", structure_function_section},
      {"coverage", "Coverage", coverage_section},
      {"sky", "Sky", sky_section},
      {"fit-quality", "Fit quality", fit_quality_section},
      {"separations", "Cross-match", separations_section},
      {"archives", "Archives", archives_section},
      {"provenance", "Versions and chain", provenance_section},
  };
}

// Two runs share the page: half of the objects each, and ids of their own.
ReportOptions Builder::options_of(const RunProducts& run) const {
  ReportOptions options = request_.options;
  if (runs_.size() > 1) {
    options.light_curves = (options.light_curves + 1) / 2;
    options.id_prefix = &run == &runs_.front() ? "a-" : "b-";
  }
  return options;
}

RunProducts opened(const fs::path& folder) {
  RunProducts run(folder);
  if (run.products().empty() && !run.status() && run.left_out().empty()) {
    throw UsageError(fmt::format(
        "{}: holds neither products (*.fits) nor a run; name the run directory of a chain",
        folder.string()));
  }
  return run;
}

Builder::Builder(const ReportRequest& request) : request_(request), makers_(makers()) {
  if (!request.plots.empty()) plots_ = read_plots_file(request.plots);
  for (const fs::path& folder : request.runs) runs_.push_back(opened(folder));
}

void Builder::announce(std::string_view title) {
  const std::size_t count = makers_.size() + (runs_.size() > 1 ? 1 : 0) +
                            (request_.plots.empty() ? 0 : 1) + (request_.catalogs.empty() ? 0 : 1);
  if (request_.progress) request_.progress(done_, count, title);
  ++done_;
}

// "A" and "B", or "" if there is but one.
std::string Builder::name_of(const RunProducts& run) const {
  if (runs_.size() < 2) return "";
  return &run == &runs_.front() ? "A" : "B";
}

// Messages name the folder, which is told in the line `made` alone.
void Builder::leave_out(const RunProducts& run, const std::string& what) {
  std::string text = what;
  const std::string folder = run.folder().string() + "/";
  for (std::size_t at = 0; (at = text.find(folder, at)) != std::string::npos;) {
    text.erase(at, folder.size());
  }
  const std::string name = name_of(run);
  report_.left_out.push_back(name.empty() ? text : fmt::format("{}: {}", name, text));
}

// Figures are called after their section too, so that no two of a page have the same id.
void set_id(Section& section, const std::string& id) {
  section.id = id;
  for (plot::Figure& figure : section.figures) figure.id = id + "-" + figure.id;
}

Section Builder::made(const Maker& maker, const RunProducts& run) {
  try {
    Section section = maker.make(run);
    set_id(section, maker.id);
    return section;
  } catch (const std::exception& error) {
    leave_out(run, fmt::format("section '{}': {}", maker.title, error.what()));
    return {.id = maker.id, .title = maker.title};
  }
}

void Builder::add_differences() {
  announce("Differences");
  try {
    Section section = differences_section(runs_.front(), runs_.back());
    set_id(section, "differences");
    page_.sections.push_back({section.id, section.title, {std::move(section)}});
  } catch (const std::exception& error) {
    report_.left_out.push_back(fmt::format("section 'Differences': {}", error.what()));
  }
}

void Builder::add_sections() {
  for (const Maker& maker : makers_) {
    announce(maker.title);
    std::vector<Section> sections;
    for (const RunProducts& run : runs_) sections.push_back(made(maker, run));
    if (std::ranges::all_of(sections, &Section::empty)) {
      nothing_there_.emplace_back(maker.title);
      continue;
    }
    if (sections.size() > 1) set_side_by_side(sections);
    has_panels_ = has_panels_ || std::ranges::any_of(sections, [](const Section& section) {
                    return !section.markup.empty();
                  });
    page_.sections.push_back({maker.id, maker.title, std::move(sections)});
  }
}

void Builder::add_user_plots() {
  if (plots_.empty()) return;
  announce("Further plots");
  std::vector<Section> sections;
  for (const RunProducts& run : runs_) {
    Section section{.id = "plots", .title = "Further plots"};
    try {
      section = user_plots_section(run, plots_);
    } catch (const RunError& error) {  // of a product; mistakes of the user end the report
      leave_out(run, fmt::format("further plots: {}", error.what()));
    }
    set_id(section, "plots");
    sections.push_back(std::move(section));
  }
  if (sections.size() > 1) set_side_by_side(sections);
  page_.sections.push_back({"plots", "Further plots", std::move(sections)});
}

void Builder::add_catalogs() {
  if (request_.catalogs.empty()) return;
  announce("Catalogues compared");
  const fs::path& run = request_.runs.front();
  const fs::path& left = request_.catalogs.size() > 1 ? request_.catalogs.front() : run;
  CatalogCompareOptions options;
  options.fitted = run;
  Section section = catalog_compare(left, request_.catalogs.back(), options);
  set_id(section, "catalogs");
  page_.sections.push_back({section.id, section.title, {std::move(section)}});
}

void Builder::add_left_out() {
  for (const RunProducts& run : runs_) {
    for (const std::string& what : run.left_out()) leave_out(run, what);
  }
  Section section{.id = "left-out", .title = "Left out"};
  if (!report_.left_out.empty()) {
    ReportTable table{.title = "What could not be read or shown", .names = {"what, and why"}};
    for (const std::string& what : report_.left_out) table.rows.push_back({what});
    section.tables.push_back(std::move(table));
  }
  if (!nothing_there_.empty()) {
    section.paragraphs.push_back(fmt::format("No data for: {}.", fmt::join(nothing_there_, ", ")));
  }
  if (!section.empty()) {
    page_.sections.push_back({section.id, section.title, {std::move(section)}});
  }
}

std::string host_name() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "unknown host";
}

std::string Builder::made_line() const {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  std::string out = fmt::format("Made {:%Y-%m-%d %H:%M:%S} UTC on {} by qsohost {}", now,
                                host_name(), QSOHOST_VERSION);
  for (const RunProducts& run : runs_) {
    const std::string name = name_of(run);
    out += fmt::format(" · {}{}", name.empty() ? "" : name + ": ",
                       fs::absolute(run.folder()).lexically_normal().string());
    if (run.status()) out += fmt::format(", begun {} UTC", run.status()->begun);
  }
  std::ranges::replace(out, '\n', ' ');  // it is one line, whatever a folder is called
  return out;
}

// The numbers that a reader asks first.
std::vector<std::pair<std::string, std::string>> headline(const RunProducts& run) {
  std::vector<std::pair<std::string, std::string>> out;
  if (run.status() && !run.status()->report.stages.empty()) {
    const RunReport& report = run.status()->report;
    out.emplace_back(count_text(report.objects), "objects");
    out.emplace_back(count_text(report.stages.back().objects_out), "at the end of the chain");
    out.emplace_back(count_text(report.stages.back().epochs_out), "epochs kept");
  }
  std::uint64_t fits = 0;
  for (const Product* product : run.of_kind(ProductKind::Fit)) fits += product->rows;
  if (fits > 0) out.emplace_back(count_text(fits), "rows of fits");
  out.emplace_back(count_text(run.products().size()), "products");
  return out;
}

std::string title_of(const Runs& runs) {
  std::string out;
  for (const RunProducts& run : runs) {
    out += (out.empty() ? "" : " and ") + (run.chain().empty() ? "a run" : run.chain());
  }
  return out;
}

Report Builder::build() && {
  page_.title = request_.title.empty() ? title_of(runs_) : request_.title;
  page_.made = made_line();
  if (runs_.size() == 1) page_.numbers = headline(runs_.front());
  if (runs_.size() > 1) {
    for (const RunProducts& run : runs_) {
      page_.runs.push_back(fmt::format("{}: {}", name_of(run), run.chain()));
    }
    add_differences();
  }
  add_sections();
  add_user_plots();
  add_catalogs();
  add_left_out();
  if (has_panels_) {
    page_.script = light_curves_script();
    page_.style = light_curves_style();
    page_.licences = licences();
  }
  report_.html = html(page_);
  return std::move(report_);
}

}  // namespace

Report make_report(const ReportRequest& request) {
  return Builder(request).build();
}

}  // namespace qsohost::cli
