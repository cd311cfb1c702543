// Responses of failing archives.
#pragma once

#include <httplib.h>

#include <string>
#include <string_view>

#include "faults.hpp"

namespace qsohost::skysim {

// Ends the connection of a request with an RST: its socket is replaced by another one, which the
// library then closes.
void reset_connection(const httplib::Request& request);

// Ends inside a row. Every other time with a Content-Length, so that the client can detect it.
void cut_in_row(httplib::Response& response, std::string body, std::string_view type);

// Ends after a line, so that the body looks complete; without a Content-Length. `part`: fraction of
// the body that is sent, from 0 to 1.
void cut_at_line(httplib::Response& response, std::string body, std::string_view type, double part);

// Takes this long.
void drip(httplib::Response& response, std::string body, std::string_view type, double seconds);

struct FaultScale {
  double part = 0;        // of the body, where it is cut
  double time_scale = 1;  // divides the real service's delays
};
// One of the faults that need no other rows than the right ones: all but None, Empty and JobError.
void send_faulty(Fault fault, const httplib::Request& request, httplib::Response& response,
                 const std::string& body, const std::string& type, const FaultScale& scale);

}  // namespace qsohost::skysim
