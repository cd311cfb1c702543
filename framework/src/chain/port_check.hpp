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

}  // namespace qsohost::inline v1
