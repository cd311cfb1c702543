// What a TAP service says, by content: statuses are not to be relied on.
#pragma once

#include <string>
#include <string_view>

#include "qsohost/tap.hpp"

namespace qsohost::inline v1 {

// Throws TryAgain, with the service's own words, for what is an error document and no table.
void check_tap_answer(const Response& response);

// True if nothing says that the answer is whole: its end was not announced, and it is no VOTable.
bool may_be_cut(const Response& response);

// True if the answer says, or looks as if, there are more rows.
bool has_overflow(const std::string& body, const TapQuery& query);

// The words of what stands at a job's /error: a VOTable, HTML or text. One line.
std::string tap_error_words(const Response& response);

// "completed\n" to "COMPLETED".
std::string tap_phase(std::string_view body);

}  // namespace qsohost::inline v1
