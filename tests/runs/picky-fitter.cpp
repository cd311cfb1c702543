// A fitter that calls every second quasar bad, for tests of what becomes of a batch that has such.
#include <cmath>
#include <qsohost/plugin.hpp>
#include <string>

using namespace qsohost;

namespace {

class PickyFitter : public Fitter {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.adds({"", label() + ".number", DType::F64, "", "of the quasar"});
  }
  void fit(const Object& object, Result& result) const override {
    const double number = std::stod(object.id());
    if (std::fmod(number, 2) == 0) throw BadObject("an even number");
    result.set(label() + ".number", number);
  }
};

}  // namespace

QSOHOST_PLUGIN("picky-fitter", "1", stage<PickyFitter>("picky-fitter", "dislikes even numbers"));
