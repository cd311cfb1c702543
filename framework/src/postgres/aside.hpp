// Calls that block and take neither a time limit nor a flag to stop.
#pragma once

#include <future>
#include <thread>
#include <type_traits>
#include <utility>

namespace qsohost::inline v1 {

// Does `work` on a thread of its own. It has to own all that it uses: whoever does not want to wait
// any longer drops the future and leaves the thread alone, perhaps until the program ends. (Plugins
// are never unloaded, so its code stays.)
template <class F>
std::future<std::invoke_result_t<F>> start_aside(F work) {
  std::packaged_task<std::invoke_result_t<F>()> task(std::move(work));
  auto result = task.get_future();
  std::thread(std::move(task)).detach();
  return result;
}

}  // namespace qsohost::inline v1
