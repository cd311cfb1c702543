// Answers as they come from archives in trouble.
#pragma once

#include <httplib.h>

#include <string>
#include <string_view>

namespace qsohost::skysim {

// Ends the connection that a request came by with an RST: its socket is replaced by another one,
// which the library then closes.
void reset_connection(const httplib::Request& request);

// Ends inside a row. Every other time the length is announced, so that the client can see it.
void cut_in_row(httplib::Response& response, std::string body, std::string_view type);

// Ends behind a line, so that what came looks whole; no length is announced. `part`: how much of
// the body comes, from 0 to 1.
void cut_at_line(httplib::Response& response, std::string body, std::string_view type, double part);

// Takes so long.
void drip(httplib::Response& response, std::string body, std::string_view type, double seconds);

}  // namespace qsohost::skysim
