# `cpack --config build/CPackConfig.cmake` makes a Debian package of everything installed: program,
# library, plugins, and files for authors of plugins.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME qsohost)
set(CPACK_PACKAGE_VENDOR "The qsohost developers")
set(CPACK_PACKAGE_CONTACT "The qsohost developers <qsohost@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Chains of plugins over the light curves of quasars")
set(CPACK_RESOURCE_FILE_LICENSE ${CMAKE_CURRENT_SOURCE_DIR}/LICENSE)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})
# Needed to write plugins, including those with PostgreSQL; not needed at run time.
set(CPACK_DEBIAN_PACKAGE_SUGGESTS
    "cmake (>= 3.25), g++ (>= 4:12), catch2, pkg-config, libfmt-dev, libpq-dev, libpqxx-dev")
include(CPack)
