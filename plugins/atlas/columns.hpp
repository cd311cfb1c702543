// The groups that the stage fills.
#pragma once

#include <qsohost/stage.hpp>

#include "result.hpp"

namespace atlas {

void declare_columns(qsohost::Ports& ports);
// Appends the epochs of one object.
void append(const std::vector<Epoch>& epochs, qsohost::Batch& batch);

}  // namespace atlas
