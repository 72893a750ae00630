# SPDX-License-Identifier: Apache-2.0
include(CMakePackageConfigHelpers)

install(TARGETS turboci DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS libturboci EXPORT turboci-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/turboci DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")

# CMake package
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/turboci)
install(EXPORT turboci-targets FILE turbociTargets.cmake NAMESPACE turboci:: DESTINATION ${package_dir})
configure_package_config_file(cmake/turbociConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/turbociConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/turbociConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/turbociConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/turbociConfigVersion.cmake DESTINATION ${package_dir})

# pkg-config. Meson writes the same file by its own module.
configure_file(cmake/turboci.pc.in turboci.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/turboci.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

add_subdirectory(man)
install(FILES completions/turboci.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME turboci)
install(FILES completions/_turboci DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES completions/turboci.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY examples DESTINATION ${CMAKE_INSTALL_DOCDIR} USE_SOURCE_PERMISSIONS
  PATTERN build EXCLUDE PATTERN scratch EXCLUDE PATTERN outbox.txt EXCLUDE)
