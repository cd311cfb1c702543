// Stages that wait and compute for a known time: for executor_bench.
#include <time.h>  // NOLINT(modernize-deprecated-headers): clock_gettime

#include <chrono>
#include <thread>

#include <qsohost/plugin.hpp>

using namespace qsohost;

namespace {

class Numbers : public Source {
 public:
  void declare(const Schema& /*before*/, Ports& ports) const override {
    ports.adds({"", "source_id", DType::I64, "", "1, 2, 3, ..."});
  }
  void open(Context& /*context*/) override { next_ = 0; }
  bool read(Batch& batch) override {
    if (next_ == *objects_) return false;
    for (std::size_t i = 0; i < batch.capacity() && next_ < *objects_; ++i) {
      batch.objects().at("source_id").append(++next_);
    }
    return true;
  }

 private:
  Option<std::int64_t> objects_{this, "objects", 300, "how many", {.min = 0}};
  std::int64_t next_ = 0;
};

class Waits : public Fetcher {
 public:
  int lanes() const override { return static_cast<int>(*lanes_); }
  void fetch(Batch& batch, Outcomes& outcomes) override {
    std::this_thread::sleep_for(std::chrono::milliseconds(*ms_));
    outcomes.for_each(batch, [](const Object&) {});
  }

 private:
  Option<std::int64_t> lanes_{this, "lanes", 16, "batches at a time", {.min = 1}};
  Option<std::int64_t> ms_{this, "ms", 40, "time that a batch takes"};
};

double cpu_ms() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return 1e3 * static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_nsec);
}

class Computes : public Filter {
 public:
  void apply(Batch& /*batch*/, Counts& /*counts*/) const override {
    for (const double begin = cpu_ms(); cpu_ms() < begin + *ms_;) {
    }
  }

 private:
  Option<double> ms_{this, "ms", 4.0, "CPU time that a batch takes"};
};

}  // namespace

QSOHOST_PLUGIN("executor-stages", "1.0.0", stage<Numbers>("numbers", "numbered objects"),
               stage<Waits>("waits", "waits"), stage<Computes>("computes", "computes"));
