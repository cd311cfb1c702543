// A filter that holds a run between two batches, for as long as a test wants to.
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <qsohost/plugin.hpp>
#include <thread>

using namespace qsohost;

namespace {

// While the file "shut-NAME" is beside the run directory NAME, batches wait, and a file "at-NAME"
// says so. The first ones pass: more than are in flight at a time, so that the first one of the
// source is among them, and is committed.
class Gate : public Filter {
 public:
  void open(Context& context) override {
    const std::filesystem::path run_dir = context.run().run_dir;
    const std::string name = run_dir.filename().string();
    shut_ = run_dir.parent_path() / ("shut-" + name);
    waiting_ = run_dir.parent_path() / ("at-" + name);
    passed_ = 0;
  }
  void apply(Batch& /*batch*/, Counts& /*counts*/) const override {
    if (passed_++ < kPass || !std::filesystem::exists(shut_)) return;
    std::ofstream(waiting_).flush();
    while (std::filesystem::exists(shut_)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

 private:
  static constexpr int kPass = 8;
  std::filesystem::path shut_, waiting_;
  mutable std::atomic<int> passed_ = 0;
};

}  // namespace

QSOHOST_PLUGIN("gate", "1.0.0", stage<Gate>("gate", "waits between batches"));
