# SPDX-License-Identifier: Apache-2.0
include(CMakePackageConfigHelpers)

install(TARGETS turboci DESTINATION ${CMAKE_INSTALL_BINDIR})
if(TURBOCI_HAVE_GRPC)
  install(TARGETS turbocid DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT server)
  install(TARGETS turboci-grpc DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/turboci COMPONENT server)
endif()
if(TURBOCI_HAVE_POSTGRESQL)
  install(TARGETS turboci-postgresql DESTINATION ${CMAKE_INSTALL_LIBEXECDIR}/turboci COMPONENT postgresql)
endif()
install(TARGETS libturboci EXPORT turboci-targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(DIRECTORY include/turboci DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
  FILES_MATCHING PATTERN "*.hpp")

# CMake package
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/turboci)
install(EXPORT turboci-targets FILE turbociTargets.cmake NAMESPACE turboci:: DESTINATION ${package_dir}
  COMPONENT development)
configure_package_config_file(cmake/turbociConfig.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/turbociConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/turbociConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/turbociConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/turbociConfigVersion.cmake DESTINATION ${package_dir} COMPONENT development)

# pkg-config. Meson writes the same file by its own module. The prefix is told from where the file lies, so that it
# holds for `cmake --install --prefix` and for an installation that was moved; only absolute directories stay.
set(pc_directory ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
cmake_path(IS_ABSOLUTE pc_directory pc_is_fixed)
if(pc_is_fixed)
  set(pc_prefix ${CMAKE_INSTALL_PREFIX})
else()
  string(REGEX REPLACE "[^/]+" ".." pc_up ${pc_directory})
  set(pc_prefix "\${pcfiledir}/${pc_up}")
endif()
foreach(name LIBDIR INCLUDEDIR)
  set(pc_${name} ${CMAKE_INSTALL_${name}})
  cmake_path(ABSOLUTE_PATH pc_${name} BASE_DIRECTORY "\${prefix}")
endforeach()
configure_file(cmake/turboci.pc.in turboci.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/turboci.pc DESTINATION ${pc_directory} COMPONENT development)

add_subdirectory(man)
install(FILES completions/turboci.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
  RENAME turboci)
install(FILES completions/_turboci DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
install(FILES completions/turboci.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES README.md CHANGELOG.md CONTRIBUTING.md SECURITY.md LICENSE NOTICE DESTINATION ${CMAKE_INSTALL_DOCDIR}
  COMPONENT documents)
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT documents)
# File by file: beside them lies what runs of the examples have left.
set(examples turboci-ci.yaml deployment/plan.yaml failure/plan.yaml integration/plan.yaml kubernetes/worker.yaml
  library/Makefile
  library/countwords.c library/countwords.h library/countwords_test.c library/plan.yaml matrix/plan.yaml
  monorepo/plan.yaml reports/plan.yaml server/turbocid.service)
set(example_programs deployment/deploy failure/mirror failure/run-tests integration/database-test
  monorepo/what-changed server/client.py slurm/worker.sbatch)
foreach(kind IN ITEMS FILES PROGRAMS)
  set(names ${examples})
  if(kind STREQUAL PROGRAMS)
    set(names ${example_programs})
  endif()
  foreach(name IN LISTS names)
    cmake_path(GET name PARENT_PATH directory)
    install(${kind} examples/${name} DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples/${directory}
      COMPONENT documents)
  endforeach()
endforeach()
