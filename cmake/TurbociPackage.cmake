# SPDX-License-Identifier: Apache-2.0
# Packages, in build/packages: `cpack -G DEB` makes one for Debian of all programs, `cpack -G TGZ` an archive of those
# that need no shared library. Each has its SHA-256 beside it.
set(TURBOCI_PACKAGE_CONTACT "turboci developers <turboci@example.org>" CACHE STRING
  "Who maintains the packages that cpack makes: NAME <ADDRESS>")

set(CPACK_PACKAGE_NAME turboci)
set(CPACK_PACKAGE_VENDOR "turboci developers")
set(CPACK_PACKAGE_CONTACT ${TURBOCI_PACKAGE_CONTACT})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY ${PROJECT_DESCRIPTION})
set(CPACK_PACKAGE_DIRECTORY ${CMAKE_BINARY_DIR}/packages)
set(CPACK_PACKAGE_CHECKSUM SHA256)
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_GENERATOR DEB TGZ)
string(TOLOWER "turboci-${PROJECT_VERSION}-${CMAKE_SYSTEM_NAME}-${CMAKE_SYSTEM_PROCESSOR}" CPACK_PACKAGE_FILE_NAME)

set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"turboci keeps work plans for CI: which questions a run must answer, which work
answers them, and how they depend on each other. Plans are YAML or JSON files;
their state is one file, and every command is one atomic transaction on it.

The package has the command turboci, the server turbocid and the programs for
stores on servers where they were built, manual pages, completions and units
for systemd, which are not enabled.")

# What goes into which package: the library and its headers into none.
set(TURBOCI_DEB_COMPONENTS Unspecified documents server postgresql service)
set(TURBOCI_TGZ_COMPONENTS Unspecified documents)
if(TARGET turboci-postgresql)
  get_target_property(link_options turboci-postgresql LINK_OPTIONS)
  if(link_options MATCHES -static-pie)
    list(APPEND TURBOCI_TGZ_COMPONENTS postgresql)
  endif()
endif()
set(units packaging/systemd/turboci-worker@.service)
if(TURBOCI_HAVE_GRPC)
  list(APPEND units examples/server/turbocid.service)
endif()
install(FILES ${units} DESTINATION lib/systemd/system COMPONENT service EXCLUDE_FROM_ALL)

# Read by cpack itself, once for each kind of package.
configure_file(cmake/TurbociPackageConfig.cmake.in TurbociPackageConfig.cmake @ONLY)
set(CPACK_PROJECT_CONFIG_FILE ${CMAKE_CURRENT_BINARY_DIR}/TurbociPackageConfig.cmake)
include(CPack)
