// A survey that no other part knows: files have names of its own for its columns, across its bands,
// and one of these is not in its product.
#include <cmath>
#include <qsohost/plugin.hpp>
#include <string>

using namespace qsohost;

namespace {

class OwnNames : public Fetcher {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    for (const std::string band : {"u", "v"}) {
      ports.adds_group(
          {.name = "own." + band,
           .survey = "own",
           .band = band,
           .time = "t",
           .mag = "brightness",
           .mag_err = "sigma",
           .time_system = {qsohost::TimeScale::TDB, 2450000, qsohost::TimePlace::Barycentre}});
      ports.adds({"own." + band, "seeing", DType::F32, "arcsec", "of the image"});
    }
    for (const std::string column : {"brightness", "t", "sigma"}) {
      for (const std::string band : {"v", "u"}) {
        ports.adds({.group = "own." + band,
                    .name = column,
                    .dtype = DType::F64,
                    .unit = column == "t" ? "d" : "mag",
                    .help = "of " + band,
                    .file_name = column == "t" ? "BJD_" + band : band + "_own_" + column,
                    .in_product = true});
      }
    }
  }

  void fetch(Batch& batch, Outcomes& outcomes) override {
    outcomes.for_each(batch, [&](const Object& object) {
      const double id = std::stod(object.id());
      for (const std::string band : {"u", "v"}) {
        Group& group = batch.group("own." + band);
        for (int k = 0; k < (band == "u" ? 60 : 40); ++k) {
          group.at("t").append(7000 + k * k / 3.0 + id);
          group.at("brightness").append(19 + 0.3 * std::sin(k * id) + 0.02 * k);
          group.at("sigma").append(0.01 + 0.001 * k);
          group.at("seeing").append(1.5F);
        }
      }
    });
  }
};

}  // namespace

QSOHOST_PLUGIN("own-names", "1.0.0", stage<OwnNames>("own-names", "a survey of its own kind"));
