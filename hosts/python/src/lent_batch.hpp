// A batch of the host while a stage in Python has it.
#pragma once

#include <memory>

#include "batch_views.hpp"
#include "qsohost/batch.hpp"

namespace qsohost::python {

// A batch with the same content.
Batch copy_of(const Batch& batch);

// Takes the batch away from the host, for views that hold it alive, and gives it back at the end;
// a copy of it if Python has kept a view, which later stages then cannot change or free. With the
// GIL.
class QSOHOST_PYTHON_HIDDEN LentBatch {
 public:
  explicit LentBatch(Batch& home) : home_(home), held_(std::make_shared<Batch>(std::move(home))) {}
  ~LentBatch() { home_ = held_.use_count() == 1 ? std::move(*held_) : copy_of(*held_); }
  LentBatch(const LentBatch&) = delete;
  LentBatch& operator=(const LentBatch&) = delete;

  BatchView view() const { return {held_}; }
  GroupView group(const std::string& name) const { return {held_, &held_->group(name)}; }

 private:
  Batch& home_;
  std::shared_ptr<Batch> held_;
};

}  // namespace qsohost::python
