# Headers of the standard library and of fmt are compiled once, instead of in each source: they take a
# third of the time of a build. They are no replacement for #include: tests/nightly.sh builds without.
#
#   qsohost_precompile(NAME HEADER...)    makes a set of precompiled headers
#   qsohost_use_precompiled(NAME TARGET...)
#   qsohost_compile_together(TARGET...)   some sources of a folder at a time: what they include and
#                                         instantiate is compiled once. Helpers in their unnamed
#                                         namespaces must differ in name or parameters.
find_package(fmt REQUIRED)
option(QSOHOST_PRECOMPILE "Compile common headers once; without, a missing #include is an error" ON)

function(qsohost_precompile name)
  if(NOT QSOHOST_PRECOMPILE)
    return()
  endif()
  set(source ${CMAKE_BINARY_DIR}/${name}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "")
  add_library(${name} OBJECT ${source})
  # All that use it must have the same options.
  target_link_libraries(${name} PRIVATE fmt::fmt qsohost_warnings)
  target_precompile_headers(${name} PRIVATE ${ARGN})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # Equal headers are equal bytes, for ccache.
    target_compile_options(${name} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  endif()
endfunction()

function(qsohost_use_precompiled name)
  if(NOT TARGET ${name})
    return()
  endif()
  foreach(target IN LISTS ARGN)
    target_link_libraries(${target} PRIVATE fmt::fmt)
    target_precompile_headers(${target} REUSE_FROM ${name})
    target_compile_options(${target} PRIVATE -fPIC)  # not -fPIE, in programs too
    # g++ 12 forgets which of them are the system's, and warns falsely of copies in std::string.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -Wno-array-bounds -Wno-stringop-overflow
                             -Wno-stringop-overread)
    endif()
  endforeach()
endfunction()

function(qsohost_compile_together)
  if(NOT QSOHOST_PRECOMPILE)
    return()
  endif()
  foreach(target IN LISTS ARGN)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 8)
    # A class of a .cpp may have members of its unnamed namespace; g++ takes that .cpp for a header.
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
    endif()
  endforeach()
endfunction()

set(headers <fmt/format.h> <fmt/ranges.h> <algorithm> <array> <chrono> <cmath> <filesystem> <fstream>
    <functional> <map> <memory> <mutex> <numeric> <optional> <set> <span> <string> <string_view>
    <thread> <utility> <vector>)
qsohost_precompile(qsohost_std_headers ${headers})
if(QSOHOST_TESTS)
  qsohost_precompile(qsohost_test_headers <catch2/catch.hpp> ${headers})
endif()
