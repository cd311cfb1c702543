// A Source of objects that are in memory: the stage `arrays`, which chains of the Python module
// use.
#pragma once

#include <memory>

#include "qsohost/batch.hpp"
#include "qsohost/host/loader.hpp"

namespace qsohost::python {

// Offers the stage; its rows are those of `objects`.
void add_array_source(Plugins& plugins, std::shared_ptr<const Batch> objects);

}  // namespace qsohost::python
