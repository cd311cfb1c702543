// The closing messages of a run.
#pragma once

#include <string>

#include "arguments.hpp"
#include "qsohost/host/run.hpp"

namespace qsohost::cli {

// Per stage: objects and epochs in and out, seconds, rate, outcomes; then which stage is the
// bottleneck.
std::string stage_table(const RunReport& report);

// The same without times.
std::string outcome_table(const RunReport& report);

// Per stage with counts: one line per item, one column per kind of count.
std::string count_tables(const RunReport& report);

// The whole closing text: tables, notes, products, how the run ended and how to continue.
std::string closing_text(const RunReport& report, const Arguments& arguments);

// A word quoted for a shell.
std::string shell_word(const std::string& word);

// The command that continues this run, e.g. with "--resume"; "": the one that starts it.
std::string go_on_command(const Arguments& arguments, const std::string& how);

int exit_code(RunEnd end);

}  // namespace qsohost::cli
