#!/usr/bin/env bash
# cppcheck over the C++ of framework, plugins and hosts: what clang-tidy does not look for.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Messages that are left out, since all of them were wrong here:
#   missingInclude, missingIncludeSystem   headers of libraries are not read
#   uninitMemberVar, operatorEqVarError    it loses initialisers of members in inline namespaces; the
#                                          compilers and the sanitizers look for the same
#   accessMoved                            counts both branches of a condition
#   passedByValue                          small structs, views
#   returnStdMoveLocal                     takes an element of a temporary for a local variable
wrong_here=(missingInclude missingIncludeSystem uninitMemberVar operatorEqVarError accessMoved
            passedByValue returnStdMoveLocal)
cppcheck --quiet --std=c++20 --language=c++ --enable=warning,performance,portability --inline-suppr \
  --error-exitcode=1 -j "$(nproc)" -I framework/include -I framework/src \
  "${wrong_here[@]/#/--suppress=}" framework hosts plugins
