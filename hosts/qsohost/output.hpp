// All output of the program. A closed terminal, a full disk or a reader that has exited must not
// end a run, so nothing here throws: after the first failed write a stream is silently ignored.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>

namespace qsohost::cli {

enum class Stream : std::uint8_t { Out, Err };

// Writes and flushes; thread-safe. After a failed write it does nothing. Identifiers and words of
// servers cannot control the terminal: see printable().
void write_text(Stream stream, std::string_view text) noexcept;
// Erases the line of the terminal at stderr that the cursor is in.
void erase_line() noexcept;

template <class... T>
void say(fmt::format_string<T...> format, T&&... values) {
  write_text(Stream::Out, fmt::format(format, std::forward<T>(values)...));
}
template <class... T>
void complain(fmt::format_string<T...> format, T&&... values) {
  write_text(Stream::Err, fmt::format(format, std::forward<T>(values)...));
}

// From now on all output is given to `output`, which must not throw, instead of stdout and stderr;
// empty: no more.
void redirect_output(std::function<void(Stream, std::string_view)> output);

// True after a failed write.
bool is_lost(Stream stream) noexcept;
// For a command whose whole result is its output: `code`, or kRunFailed with a message on stderr if
// stdout could not be written. A reader that closes its end of a pipe is not an error.
int unless_output_is_lost(int code);

// At the start of main(). A stream that is closed at the start is redirected to /dev/null, so that
// no file of the run gets its descriptor; and a pipe without a reader, or a file that is as large
// as the system allows (ulimit -f), becomes a write error instead of a signal.
void prepare_output() noexcept;

}  // namespace qsohost::cli
