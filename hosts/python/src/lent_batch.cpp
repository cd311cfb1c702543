#include "lent_batch.hpp"

#include <cstdint>
#include <vector>

namespace qsohost::python {

Batch copy_of(const Batch& batch) {
  Batch copy(batch.ordinal(), batch.first_object(), batch.capacity());
  for (const Column& column : batch.objects()) copy.objects().add(column);
  for (const Group& group : batch.groups()) {
    std::vector<std::uint64_t> lengths;
    for (std::size_t row = 0; row < group.rows(); ++row) lengths.push_back(group.slice(row).count);
    Group& to = copy.add_group(group.info());
    if (to.rows() == 0) to.append_rows(lengths);
    for (const Column& column : group) to.add(column);
  }
  return copy;
}

}  // namespace qsohost::python
