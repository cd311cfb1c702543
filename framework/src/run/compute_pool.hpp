// Where filters and fitters run: one oneTBB arena, or with one thread plain loops without TBB.
#pragma once

#include <functional>
#include <memory>

#include "chain/stage_call.hpp"

namespace qsohost::inline v1 {

class ComputePool {
 public:
  virtual ~ComputePool() = default;  // waits for everything submitted
  virtual void submit(std::function<void()> task) = 0;
  // For use inside a task.
  virtual void for_each(std::size_t n, const std::function<void(std::size_t)>& body) = 0;
};

std::unique_ptr<ComputePool> make_compute_pool(int threads);

}  // namespace qsohost::inline v1
