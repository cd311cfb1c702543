#!/usr/bin/env bash
# cppcheck over the C++ of framework, plugins and hosts: what clang-tidy does not look for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Messages that are left out:
#   missingInclude*     library headers are not read; the compilers check them
#   unknownMacro        macros of these headers
#   passedByValue       std::string_view, std::span and enums, which are meant to be
#   useStlAlgorithm     a matter of taste (it is of the group "style", listed for those who add it)
cppcheck --quiet --std=c++20 --language=c++ --enable=warning,performance,portability --inline-suppr \
  --error-exitcode=1 -j "$(nproc)" -I framework/include -I framework/src \
  --suppress=missingInclude --suppress=missingIncludeSystem --suppress=unknownMacro \
  framework hosts plugins
