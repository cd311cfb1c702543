// All that the program says. A terminal that is gone, a full disk or a reader that has read enough
// must not end a run, so nothing here throws: the first write that fails ends a stream in silence.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string_view>
#include <utility>

namespace qsohost::cli {

enum class Stream : std::uint8_t { Out, Err };

// Writes and flushes; any thread. Once a write has failed, nothing is written any more.
void write_text(Stream stream, std::string_view text) noexcept;

template <class... T>
void say(fmt::format_string<T...> format, T&&... values) {
  write_text(Stream::Out, fmt::format(format, std::forward<T>(values)...));
}
template <class... T>
void complain(fmt::format_string<T...> format, T&&... values) {
  write_text(Stream::Err, fmt::format(format, std::forward<T>(values)...));
}

// True once a write to it has failed.
bool is_lost(Stream stream) noexcept;
// For a command whose whole result is its output: `code`, or kRunFailed with words on stderr if
// stdout could not be written. A reader that has closed its end of a pipe has got what it wanted.
int unless_output_is_lost(int code);

// At the start of main(). A stream that was closed from the start is put on /dev/null, lest a file
// of the run is opened in its place; and a pipe without a reader becomes an error of the write.
void prepare_output() noexcept;

}  // namespace qsohost::cli
