#include "report_command.hpp"

#include <unistd.h>

#include <string>

#include "output.hpp"
#include "qsohost/error.hpp"
#include "report/report.hpp"
#include "text_file.hpp"

namespace qsohost::cli {
namespace {

// A line that is overwritten, on a terminal alone.
class SectionProgress {
 public:
  ~SectionProgress() { erase(); }
  void show(std::size_t position, std::size_t count, std::string_view title) {
    if (is_terminal_) complain("\r\033[K{}/{} {}", position + 1, count, title);
  }
  void erase() {
    if (is_terminal_) complain("\r\033[K");
  }

 private:
  bool is_terminal_ = isatty(STDERR_FILENO) != 0;
};

}  // namespace

int write_report(const Arguments& arguments) {
  const ReportArguments& page = arguments.page;
  ReportRequest request{.runs = page.runs,
                        .options = page.options,
                        .title = page.title,
                        .plots = page.plots,
                        .catalogs = page.catalogs};
  SectionProgress progress;
  request.progress = [&](std::size_t position, std::size_t count, std::string_view title) {
    progress.show(position, count, title);
  };
  const Report report = make_report(request);
  progress.erase();
  std::filesystem::path file = page.out;
  if (file.empty()) file = page.runs.front() / "report.html";
  write_text_file(file, report.html);
  for (const std::string& what : report.left_out) complain("warning: left out: {}\n", what);
  say("{}\n", file.string());
  return unless_output_is_lost(kDone);
}

}  // namespace qsohost::cli
