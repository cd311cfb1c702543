// Interprets responses of TAP services by content: their HTTP statuses are not reliable.
#pragma once

#include <string>
#include <string_view>

#include "qsohost/tap.hpp"

namespace qsohost::inline v1 {

// Throws TryAgain, with the service's message, for an error document instead of a table.
void check_tap_answer(const Response& response);

// True if nothing shows that the response is complete: its end was not announced, and it is not a
// VOTable.
bool may_be_cut(const Response& response);

// True if the response says, or looks as if, there are more rows.
bool has_overflow(const std::string& body, const TapQuery& query);

// The message at a job's /error: a VOTable, HTML or text. One line.
std::string tap_error_words(const Response& response);

// "completed\n" to "COMPLETED".
std::string tap_phase(std::string_view body);

}  // namespace qsohost::inline v1
