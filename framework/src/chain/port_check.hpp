// Walking the columns from stage to stage.
#pragma once

#include <string>
#include <vector>

#include "qsohost/chain.hpp"
#include "qsohost/port.hpp"
#include "qsohost/stage.hpp"

namespace qsohost::inline v1 {

// What `stage` reads and adds behind `before`: its member ports, and what it declares.
Ports ports_of(const Stage& stage, const Schema& before);

// What a batch holds behind a stage.
Schema after(const Schema& before, const Ports& ports, const std::string& label);

// What does not fit: "needs column ...", one message each.
std::vector<std::string> misfits(Role role, const Schema& before, const Ports& ports);

// What to add to a misfit of `stage` that is there because of a swap: which columns another stage
// gave, and what to do. "" if it would not fit behind the stages that the chain file names either.
std::string swap_hint(const ChainStage& stage, const Schema& now, const Schema& as_written);

}  // namespace qsohost::inline v1
