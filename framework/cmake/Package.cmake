# `cpack --config build/CPackConfig.cmake` makes two Debian packages: qsohost, with program, library,
# plugins, and files for authors of plugins; and python3-qsohost, the module for Python.
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
# What names no component is the package qsohost.
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL Unspecified)
set(CPACK_DEBIAN_UNSPECIFIED_PACKAGE_NAME qsohost)
if(QSOHOST_PYTHON)
  set(package_scripts ${CMAKE_CURRENT_SOURCE_DIR}/hosts/python/debian)
  list(APPEND CPACK_COMPONENTS_ALL python)
  set(CPACK_COMPONENT_PYTHON_DESCRIPTION "The host of qsohost as a module for Python")
  set(CPACK_DEBIAN_PYTHON_PACKAGE_NAME python3-qsohost)
  set(CPACK_DEBIAN_PYTHON_PACKAGE_SECTION python)
  # The module is compiled for one version of Python, and refuses another version of the library.
  set(CPACK_DEBIAN_PYTHON_PACKAGE_DEPENDS
      "qsohost (= ${PROJECT_VERSION}), python3 (>= 3.11), python3 (<< 3.12), python3-numpy")
  set(CPACK_DEBIAN_PYTHON_PACKAGE_RECOMMENDS "python3-astropy, python3-matplotlib, python3-pandas")
  set(CPACK_DEBIAN_PYTHON_PACKAGE_CONTROL_EXTRA "${package_scripts}/postinst;${package_scripts}/prerm")
endif()
include(CPack)
