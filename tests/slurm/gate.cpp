// A sink that holds a run between two commits, for as long as a test wants to.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <qsohost/plugin.hpp>
#include <thread>

using namespace qsohost;

namespace {

// While the file "shut-NAME" is beside the run directory NAME, batches wait, and a file "at-NAME"
// says so. The first ones pass; a sink gets batches in the order of the source, so they are
// committed while the next one waits.
class Gate : public Sink {
 public:
  void open(Context& context) override {
    const std::filesystem::path run_dir = context.run().run_dir;
    const std::string name = run_dir.filename().string();
    shut_ = run_dir.parent_path() / ("shut-" + name);
    waiting_ = run_dir.parent_path() / ("at-" + name);
    passed_ = 0;
  }
  void write(const Batch& /*batch*/, const Chunk& /*part*/) override {
    if (passed_++ < kPass || !std::filesystem::exists(shut_)) return;
    std::ofstream(waiting_).flush();
    while (std::filesystem::exists(shut_)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  void finish(std::span<const Chunk> /*chunks*/, Products& /*products*/) override {}

 private:
  static constexpr int kPass = 2;
  std::filesystem::path shut_, waiting_;
  int passed_ = 0;
};

}  // namespace

QSOHOST_PLUGIN("gate", "1.0.0", stage<Gate>("gate", "waits between batches"));
