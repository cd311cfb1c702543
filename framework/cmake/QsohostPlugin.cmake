# qsohost_add_plugin(NAME source... [LIBRARIES library...])
#
# Builds a plugin of the host: a module with hidden symbols that must resolve at link time and is
# never unloaded. tests/*.cpp beside it (Catch2, see <qsohost/testing.hpp>) become the ctest
# "plugin.NAME"; tests/CHAIN.toml is a chain that must pass `qsohost --check`: "plugin.NAME.CHAIN".
include_guard(GLOBAL)

# Unoptimised fitters are ten times slower.
if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  message(STATUS "qsohost: no CMAKE_BUILD_TYPE was given; plugins are built as Release")
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

set(QSOHOST_PLUGIN_OUTPUT_DIR ${CMAKE_BINARY_DIR}/lib/qsohost/plugins
    CACHE PATH "Where built plugins are put")
if(NOT DEFINED QSOHOST_TESTS)
  option(QSOHOST_TESTS "Build the tests" ON)
endif()
# Not in the function, since the setting would end with the function's scope.
if(QSOHOST_TESTS)
  enable_testing()
endif()

# Catch's main compiles slowly: build it once. Without Catch2 there is no such target.
function(qsohost_catch_main)
  if(NOT TARGET qsohost_catch_main)
    find_package(Catch2 QUIET GLOBAL)
    if(NOT Catch2_FOUND)
      message(WARNING "qsohost: tests are not built, since Catch2 is not there (Debian: catch2); "
                      "-DQSOHOST_TESTS=OFF says that none are wanted")
      return()
    endif()
    add_library(qsohost_catch_main STATIC ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/catch_main.cpp)
    target_link_libraries(qsohost_catch_main PUBLIC Catch2::Catch2)
  endif()
endfunction()

# Sets where tests find plugins and survey data. Labels: see .github/CONTRIBUTING.md.
function(qsohost_test_environment test)
  set(data $ENV{QSO_SHARED_DATA})
  if(NOT data)
    set(data ${CMAKE_SOURCE_DIR}/../shared/data)
  endif()
  set_tests_properties(${test} PROPERTIES
    ENVIRONMENT "QSOHOST_PLUGIN_PATH=${QSOHOST_PLUGIN_OUTPUT_DIR};QSO_SHARED_DATA=${data}"
    LABELS fast)
endfunction()

# Cases with the tag [.TAG] need something optional (survey data, astropy), and print "skipped:"
# without it: a separate ctest, NAME.TAG, since Catch2 cannot skip.
function(qsohost_optional_test name program tag)
  add_test(NAME ${name}.${tag} COMMAND ${program} "[${tag}]")
  qsohost_test_environment(${name}.${tag})
  set_tests_properties(${name}.${tag} PROPERTIES SKIP_REGULAR_EXPRESSION "skipped:")
endfunction()

# Chains that must pass `qsohost --check`.
function(qsohost_check_chains name)
  # In the source tree of qsohost the program is defined after the plugins.
  get_target_property(is_installed qsohost::framework IMPORTED)
  if(NOT is_installed)
    set(program $<TARGET_FILE:qsohost>)
  else()
    find_program(QSOHOST_PROGRAM qsohost HINTS ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/../../../bin)
    set(program ${QSOHOST_PROGRAM})
  endif()
  file(GLOB chains CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/*.toml)
  foreach(chain IN LISTS chains)
    cmake_path(GET chain STEM stem)
    add_test(NAME plugin.${name}.${stem} COMMAND ${program} --chain ${chain} --check)
    qsohost_test_environment(plugin.${name}.${stem})
  endforeach()
endfunction()

function(qsohost_add_plugin name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBRARIES")
  add_library(${name}_objects OBJECT ${arg_UNPARSED_ARGUMENTS})
  target_compile_features(${name}_objects PUBLIC cxx_std_20)
  set_target_properties(${name}_objects PROPERTIES
    CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(${name}_objects PUBLIC qsohost::framework ${arg_LIBRARIES})
  if(TARGET qsohost_warnings)
    target_link_libraries(${name}_objects PRIVATE qsohost_warnings)
    qsohost_use_precompiled(qsohost_std_headers ${name}_objects)
    qsohost_compile_together(${name}_objects)
  endif()

  add_library(${name} MODULE)
  set_target_properties(${name} PROPERTIES PREFIX "" LINKER_LANGUAGE CXX
    LIBRARY_OUTPUT_DIRECTORY ${QSOHOST_PLUGIN_OUTPUT_DIR}
    INSTALL_RPATH "$ORIGIN/../..")
  target_link_libraries(${name} PRIVATE ${name}_objects)
  target_link_options(${name} PRIVATE -Wl,-z,nodelete)
  if(NOT CMAKE_CXX_FLAGS MATCHES "-fsanitize")
    target_link_options(${name} PRIVATE -Wl,--no-undefined)
  endif()
  install(TARGETS ${name} LIBRARY DESTINATION lib/qsohost/plugins)

  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/tests/*.cpp)
  if(QSOHOST_TESTS)
    qsohost_check_chains(${name})
  endif()
  if(QSOHOST_TESTS AND tests)
    qsohost_catch_main()
  endif()
  if(QSOHOST_TESTS AND tests AND TARGET qsohost_catch_main)
    add_executable(test_${name} ${tests})
    target_include_directories(test_${name} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    # Links the objects too, so that tests reach what the plugin does not export.
    target_link_libraries(test_${name} PRIVATE ${name}_objects qsohost_catch_main)
    if(TARGET qsohost_warnings)
      target_link_libraries(test_${name} PRIVATE qsohost_warnings qsohost_test_warnings)
      qsohost_use_precompiled(qsohost_test_headers test_${name})
    endif()
    add_dependencies(test_${name} ${name})
    add_test(NAME plugin.${name} COMMAND test_${name})
    qsohost_test_environment(plugin.${name})
  endif()
endfunction()
