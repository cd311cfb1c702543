// Parsing of IRSA's CSV answers, in bytes of text a second. The answer is made here, with digits as
// the archive prints them: three sources of some hundred epochs.
#include <benchmark/benchmark.h>

#include <fmt/format.h>

#include <iterator>
#include <random>

#include "ztf_answer.hpp"

namespace {

std::string make_answer(int epochs) {
  std::mt19937_64 random(3);
  std::normal_distribution<float> normal;
  std::string out =
      "oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec,chi,sharp,filefracday,field,ccdid,"
      "qid,limitmag,magzp,magzprms,clrcoeff,clrcounc,exptime,airmass,programid\n";
  for (int source = 0; source < 3; ++source) {
    for (int k = 0; k < epochs; ++k) {
      const double mjd = 58202.3531134 + 1.8712345 * k;
      fmt::format_to(
          std::back_inserter(out),
          "{},{},{:.7f},{:.7f},{},{},{},z{},{},{},{},{},{},675,0x3,0x4,{},{},{},{},{},30,{},1\n",
          675103300002930 + 1000000 * source, 54248304 + 3 * k, mjd + 2400000.5, mjd,
          18.0f + 0.2f * normal(random), 0.02f + 0.001f * normal(random),
          random() % 20 == 0 ? 32768 : 0, "gri"[source], 133.7036412 + 1e-5 * source,
          20.1085003 - 1e-5 * source, 0.7f + 0.2f * normal(random), -0.01f + 0.1f * normal(random),
          20180627483032 + 1000000L * k, 20.4f + 0.5f * normal(random),
          26.2f + 0.05f * normal(random), 0.04f + 0.01f * normal(random),
          -0.05f + 0.01f * normal(random), 9e-5f + 1e-5f * normal(random),
          1.2f + 0.1f * normal(random));
    }
  }
  return out;
}

void parse(benchmark::State& state) {
  const std::string text = make_answer(static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(ztf::parse_answer(text));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(parse)->Arg(10)->Arg(400)->Arg(10000);

}  // namespace
