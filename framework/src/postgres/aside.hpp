// For calls that block and support neither a timeout nor a stop flag.
#pragma once

#include <future>
#include <thread>
#include <type_traits>
#include <utility>

namespace qsohost::inline v1 {

// Runs `work` on a separate thread. It must own everything that it uses: a caller that stops
// waiting drops the future and leaves the thread running, perhaps until the program ends. (Plugins
// are never unloaded, so its code stays.)
template <class F>
std::future<std::invoke_result_t<F>> start_aside(F work) {
  std::packaged_task<std::invoke_result_t<F>()> task(std::move(work));
  auto result = task.get_future();
  std::thread(std::move(task)).detach();
  return result;
}

}  // namespace qsohost::inline v1
