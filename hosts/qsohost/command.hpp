// The whole program as a function, for hosts that are no program of their own.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "arguments.hpp"
#include "output.hpp"

namespace qsohost::cli {

// Carries out a command that has been parsed, and returns the exit code. Throws what the framework
// throws.
int execute(const Arguments& arguments);

// The result of `work`, or for what it throws a message on Stream::Err and the exit code.
int exit_code_of(const std::function<int()>& work);

// Parses and carries out `words` (without the program's name); errors are told on Stream::Err. All
// output goes to `output`, from any thread. No signal handler is installed: `interrupts` counts
// interruptions as RunOptions::interrupts does. One command at a time.
int command(const std::vector<std::string>& words, const std::atomic<int>& interrupts,
            const std::function<void(Stream, std::string_view)>& output);

}  // namespace qsohost::cli
