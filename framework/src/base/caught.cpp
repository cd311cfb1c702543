#include "base/caught.hpp"

#include <cxxabi.h>
#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <new>
#include <typeinfo>

#include "base/secrets.hpp"

namespace qsohost::inline v1 {

std::string readable_name(const char* symbol) {
  int status = 0;
  char* readable = abi::__cxa_demangle(symbol, nullptr, nullptr, &status);
  std::string out = readable != nullptr ? readable : symbol;
  std::free(readable);  // NOLINT(cppcoreguidelines-no-malloc): __cxa_demangle used malloc
  return out;
}

std::string current_exception_message() {
  try {
    throw;
  } catch (const std::bad_alloc&) {
    return kOutOfMemory;
  } catch (const std::exception& e) {
    return without_secrets(e.what());
  } catch (...) {
    return fmt::format(
        "it threw a value of type '{}', which is no std::exception and says nothing; throw "
        "UsageError, RunError, TryAgain, NotFound or BadObject with what is wrong",
        readable_name(abi::__cxa_current_exception_type()->name()));
  }
}

}  // namespace qsohost::inline v1
