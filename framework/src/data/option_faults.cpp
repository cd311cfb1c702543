#include "data/option_faults.hpp"

#include <fmt/format.h>

#include <set>

#include "qsohost/error.hpp"

namespace qsohost::inline v1 {

std::string fault_in_options(const OptionOwner& owner) {
  std::set<std::string> names;
  for (const OptionBase* option : owner.options()) {
    if (!names.insert(option->name()).second) {
      return fmt::format("two options are called '{}'; give one another name", option->name());
    }
    try {
      if (!option->is_required()) option->check();
    } catch (const Error& e) {
      return fmt::format("option '{}': its default {}", option->name(), e.what());
    }
    if (option->table() == nullptr) continue;
    const std::string inside = fault_in_options(*option->table());
    if (!inside.empty())
      return fmt::format("option '{}': in its tables, {}", option->name(), inside);
  }
  return {};
}

}  // namespace qsohost::inline v1
