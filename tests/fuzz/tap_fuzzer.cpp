// Whatever a TAP service answers, to a query or about a job (UWS), the exchange ends with rows or
// with a reason. The first byte of the input says which of the two; the rest: see
// canned_answers.hpp.
#include "canned_answers.hpp"
#include "fuzz_file.hpp"
#include "qsohost/io/text.hpp"
#include "qsohost/tap.hpp"

using namespace qsohost;
using namespace qsohost::fuzz;

namespace {

void read_rows(const TapAnswer& answer) {
  try {
    TableReader reader(answer.body);
    std::vector<std::string_view> cells;
    while (reader.next(cells)) {
      if (cells.size() != reader.columns().size()) std::abort();
    }
  } catch (const BadObject& e) {
    throw TryAgain(e.what());
  }
}

void exchange(TapQuery query, CannedAnswers& archive) {
  constexpr int most_attempts = 3;
  bool is_read = false;
  TapExchange tap(std::move(query), [&](const TapAnswer& answer) {
    read_rows(answer);
    is_read = true;
  });
  std::optional<Request> request = tap.begin();
  for (int attempts = 1; request; ++attempts) {
    const Response response = archive(*request);
    const bool is_good = response.status >= 200 && response.status < 300;
    try {
      if (is_good) {
        request = tap.answer(*request, response);
        attempts = 0;
        continue;
      }
    } catch (const TryAgain&) {
    }
    if (attempts < most_attempts) continue;
    request = tap.failed("no good answer");
    attempts = 0;
  }
  if (tap.failure().empty() != is_read) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  CannedAnswers archive({reinterpret_cast<const char*>(data) + 1, size - 1});
  TapQuery query;
  query.url = "http://a/tap";
  query.adql = "SELECT 1";
  query.as_job = (data[0] & 1) != 0;
  query.deletes_job = (data[0] & 2) != 0;
  query.max_rows = (data[0] & 4) != 0 ? 2 : 0;
  refusing([&] { exchange(std::move(query), archive); });
  return 0;
}
