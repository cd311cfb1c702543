#include "data/caught.hpp"

#include <cxxabi.h>
#include <fmt/format.h>

#include <cstdlib>
#include <exception>
#include <typeinfo>

namespace qsohost::inline v1 {

std::string caught_words() {
  try {
    throw;
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    const std::type_info* type = abi::__cxa_current_exception_type();
    int status = 0;
    char* readable = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
    std::string out = fmt::format(
        "it threw a value of type '{}', which is no std::exception and says nothing; throw "
        "ChainError, TryAgain, NotFound or BadObject with what is wrong",
        readable != nullptr ? readable : type->name());
    std::free(readable);  // NOLINT(cppcoreguidelines-no-malloc): __cxa_demangle used malloc
    return out;
  }
}

}  // namespace qsohost::inline v1
