// Walking the columns from stage to stage.
#pragma once

#include <string>
#include <vector>

#include "qsohost/host/chain.hpp"
#include "qsohost/port.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

// What `stage` reads and adds after `before`: its member ports, and what it declares.
Ports ports_of(const Stage& stage, const Schema& before);

// What a batch made in memory holds, as if earlier stages had declared it.
Schema schema_of(const Batch& batch);

// What a batch holds after a stage.
Schema after(Role role, const Schema& before, const Ports& ports, const std::string& label);

// What does not fit: "needs column ...", one message each.
std::vector<std::string> misfits(Role role, const Schema& before, const Ports& ports);

// What does not fit because of a swap, with advice: all misfits that the stages of the chain file
// would not have.
std::vector<std::string> misfits_by_swap(const ChainStage& stage, Schema now, Schema as_written);

}  // namespace qsohost::inline v1
