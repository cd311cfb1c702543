// Parameters of requests. The library refuses forms of more than 8 kB with status 413; a list of
// some thousand ids is longer.
#pragma once

#include <httplib.h>

namespace qsohost::skysim {

// Before the body is read: keeps the library from parsing it.
void keep_form(httplib::Request& request);

// Of the URL, and of a form that was kept.
httplib::Params parameters_of(const httplib::Request& request);

}  // namespace qsohost::skysim
