# SPDX-License-Identifier: Apache-2.0
# The libraries in use. Archives are preferred where the binary is to start quickly: loading shared
# libraries is most of the start-up time of a short command.
if(TURBOCI_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .a .so)
endif()
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(SQLite3 3.35 REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(CLI11 2.1 REQUIRED)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
pkg_check_modules(YAML_CPP REQUIRED IMPORTED_TARGET yaml-cpp>=0.7)
pkg_check_modules(PUGIXML REQUIRED IMPORTED_TARGET pugixml)
if(NOT TARGET yaml-cpp)
  add_library(yaml-cpp ALIAS PkgConfig::YAML_CPP)
endif()

# fmt compiled once where its version is the one that fmt_instances.cpp was written for.
if(fmt_VERSION VERSION_GREATER_EQUAL 9 AND fmt_VERSION VERSION_LESS 10)
  add_library(turboci_fmt STATIC cmake/fmt_instances.cpp)
  target_include_directories(turboci_fmt SYSTEM PUBLIC
    $<TARGET_PROPERTY:fmt::fmt-header-only,INTERFACE_INCLUDE_DIRECTORIES>)
else()
  add_library(turboci_fmt INTERFACE)
  target_link_libraries(turboci_fmt INTERFACE fmt::fmt-header-only)
endif()
