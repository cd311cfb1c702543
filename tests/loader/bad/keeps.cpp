// Fitters that keep what is the batch's beyond the call, and look at it when the batch is gone.
#include <mutex>
#include <optional>
#include <qsohost/plugin.hpp>

using namespace qsohost;

namespace {

class Keeps : public Fitter {
 public:
  void fit(const Object& object, Result& result) const override {
    const std::lock_guard lock(mutex_);
    if (!first_) first_ = object;
    if (kept_.empty()) kept_ = object.batch().objects().at("z").values<double>();
    result.count("first", "z", static_cast<std::int64_t>(look()));
  }

 private:
  virtual double look() const = 0;

 protected:
  mutable std::optional<Object> first_;
  mutable std::span<const double> kept_;

 private:
  mutable std::mutex mutex_;
};

class KeepsObject final : public Keeps {
  double look() const override { return first_->number("z"); }
};

class KeepsSpan final : public Keeps {
  double look() const override { return kept_[0]; }
};

}  // namespace

QSOHOST_PLUGIN("keeps", "1.0.0", stage<KeepsObject>("keeps-object", "keeps an Object"),
               stage<KeepsSpan>("keeps-span", "keeps a span"));
