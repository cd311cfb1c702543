// Lists in JSON, as ECSV writes arrays: [1.5,null], [[1,2],[3,4]], ["a","b"].
#pragma once

#include <functional>
#include <string_view>

namespace qsohost::inline io_v1 {

// Calls `see` for each element, those of inner lists one after the other, until it returns false.
// An element is as it is written, or, with `is_text`, the text that the quotes hold. False if `see`
// was, or if this is not a list.
bool for_each_element(std::string_view list,
                      const std::function<bool(std::string_view element, bool is_text)>& see);

}  // namespace qsohost::inline io_v1
