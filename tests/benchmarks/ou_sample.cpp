// ou_sample FOLDER QUASARS: simulated light curves as files of ZTF's archive, one a quasar, with as
// many epochs as quasars of SDSS DR16 have in ZTF after cuts (g: median 253, mean 298, at most
// 2,057; r: 383, 396, 2,136), 0.3 % of them outliers; and targets.csv.
#include <fmt/format.h>
#include <fmt/os.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>

#include "simulate.hpp"

namespace {

struct Band {
  const char* filter;
  double median, spread;  // of a log-normal distribution
  double most;
};
constexpr Band kBands[] = {{"zg", 253, 0.572, 2057}, {"zr", 383, 0.258, 2136}};

void write_quasar(const std::filesystem::path& file, std::uint64_t seed, double z) {
  simulate::Random random(seed);
  auto out = fmt::output_file(file.string());
  out.print("oid,mjd,mag,magerr,catflags,filtercode,ra,dec,chi,sharp,limitmag,airmass\n");
  for (const Band& band : kBands) {
    simulate::Truth truth = simulate::any_truth(random);
    truth.tau *= 1 + z;
    const double n = band.median * std::exp(band.spread * random.normal());
    ou::Curve c = simulate::curve(static_cast<std::size_t>(std::clamp(n, 5.0, band.most)),
                                  2 * seed + (band.filter[1] == 'r'), truth);
    simulate::add_outliers(c, 0.003, random);
    for (std::size_t i = 0; i < c.size(); ++i)
      out.print("{},{:.7f},{:.6f},{:.6f},0,{},150.1,2.2,1.0,0.01,20.5,1.2\n",
                100000 + 10 * seed + (band.filter[1] == 'r'), 58200 + c.time[i], c.mag[i],
                c.mag_err[i], band.filter);
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    fmt::print(stderr, "usage: ou_sample FOLDER QUASARS\n");
    return 2;
  }
  const std::filesystem::path folder = arguments[1];
  const std::uint64_t quasars = std::strtoull(arguments[2], nullptr, 10);
  std::filesystem::create_directories(folder / "irsa");
  auto targets = fmt::output_file((folder / "targets.csv").string());
  targets.print("source_id,ra,dec,z\n");
  for (std::uint64_t id = 1; id <= quasars; ++id) {
    const double z = 0.5 + 2.0 * static_cast<double>(id % 100) / 100;
    targets.print("{},150.1,2.2,{}\n", id, z);
    write_quasar(folder / "irsa" / fmt::format("{}.csv", id), id, z);
  }
  return 0;
}
