// Whatever a product holds, the report page is made or the run is refused; no text of the data
// becomes markup. Texts of the seeds hold "<fuzz>", which no page has of its own.
#include "fuzz_file.hpp"
#include "report/report.hpp"

using namespace qsohost;
using namespace qsohost::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  write(folder() / "in.fits", data, size);
  refusing([&] {
    cli::ReportRequest request;
    request.runs = {folder()};
    const cli::Report report = cli::make_report(request);
    if (report.html.find("<fuzz") != report.html.npos) std::abort();
  });
  return 0;
}
