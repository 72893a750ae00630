# SPDX-License-Identifier: Apache-2.0
# The one library to install, and how the binary is linked.
include(CMakePushCheckState)
include(CheckCXXSourceCompiles)

# libturboci: all layers below the command line in one archive.
set(TURBOCI_LAYERS
  turboci_domain turboci_engine turboci_os turboci_store_sqlite turboci_store_memory turboci_store turboci_format turboci_service turboci_endpoint)
get_target_property(fmt_type turboci_fmt TYPE)
if(fmt_type STREQUAL STATIC_LIBRARY)
  list(APPEND TURBOCI_LAYERS turboci_fmt)
endif()
add_library(libturboci STATIC)
set_target_properties(libturboci PROPERTIES OUTPUT_NAME turboci EXPORT_NAME turboci LINKER_LANGUAGE CXX)
foreach(layer IN LISTS TURBOCI_LAYERS)
  target_sources(libturboci PRIVATE $<TARGET_OBJECTS:${layer}>)
  target_compile_options(${layer} PRIVATE ${TURBOCI_LTO_ARCHIVE})
endforeach()
# Whoever links an archive with bytecode is made to wait for the optimiser, asked for or not.
if(TURBOCI_LTO_ARCHIVE AND CMAKE_OBJCOPY)
  add_custom_command(TARGET libturboci POST_BUILD VERBATIM
    COMMAND ${CMAKE_OBJCOPY} --wildcard --remove-section=.gnu.lto_* --remove-section=.gnu.debuglto_*
      --strip-symbol=__gnu_lto_* $<TARGET_FILE:libturboci>)
endif()
target_include_directories(libturboci INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(libturboci INTERFACE cxx_std_20)
target_link_libraries(libturboci INTERFACE
  SQLite::SQLite3 PkgConfig::YAML PkgConfig::YAML_CPP PkgConfig::PUGIXML Threads::Threads)

# Can a program be linked statically, with all libraries? Position independent all the same: the program
# reads hostile input.
if(TURBOCI_STATIC)
  cmake_push_check_state(RESET)
  set(CMAKE_REQUIRED_FLAGS "-std=c++20 -fPIE")
  set(CMAKE_REQUIRED_LINK_OPTIONS -static-pie)
  set(CMAKE_REQUIRED_LIBRARIES
    PkgConfig::YAML_CPP PkgConfig::PUGIXML PkgConfig::YAML SQLite::SQLite3 Threads::Threads)
  check_cxx_source_compiles("
    #include <pugixml.hpp>
    #include <sqlite3.h>
    #include <yaml-cpp/emitter.h>
    #include <yaml.h>
    int main(int argc, char** argv) {
      YAML::Emitter emitter;
      pugi::xml_document document;
      yaml_parser_t parser;
      sqlite3* database = nullptr;
      return document.load_string(argv[argc - 1]) ? 1 : yaml_parser_initialize(&parser) + sqlite3_open(argv[0], &database);
    }" TURBOCI_CAN_LINK_STATICALLY)
  cmake_pop_check_state()
  if(NOT TURBOCI_CAN_LINK_STATICALLY)
    message(STATUS "turboci: a static library is missing, linking to shared ones")
  endif()
endif()

if(TURBOCI_STATIC AND TURBOCI_CAN_LINK_STATICALLY)
  # SQLite's loader of extensions, never used here, draws a warning about dlopen in static programs; others do for names
  # of hosts.
  # A program relocates itself at each start: what is not used is left out, and relocations are packed where the linker
  # and the C library that is linked in can do that.
  set(TURBOCI_STATIC_PROGRAM -static-pie LINKER:--no-warnings LINKER:--gc-sections)
  cmake_push_check_state(RESET)
  set(CMAKE_REQUIRED_LINK_OPTIONS LINKER:-z,pack-relative-relocs)
  check_cxx_source_compiles("
    #include <cstdlib>
    #if !defined __GLIBC__ || !__GLIBC_PREREQ(2, 36)
    #error not here
    #endif
    int main() {}" TURBOCI_CAN_PACK_RELOCATIONS)
  cmake_pop_check_state()
  if(TURBOCI_CAN_PACK_RELOCATIONS)
    list(APPEND TURBOCI_STATIC_PROGRAM LINKER:-z,pack-relative-relocs)
  endif()
  target_link_options(turboci PRIVATE ${TURBOCI_STATIC_PROGRAM} ${TURBOCI_SECTIONS})
endif()
# What speaks to servers links these layers as they are, not optimised across files.
if(TURBOCI_HAVE_GRPC OR TURBOCI_HAVE_POSTGRESQL)
  set(TURBOCI_LTO_COMPILE ${TURBOCI_LTO_ARCHIVE})
endif()
foreach(target turboci turboci_runner turboci_cli)
  target_compile_options(${target} PRIVATE ${TURBOCI_LTO_COMPILE})
endforeach()
target_link_options(turboci PRIVATE ${TURBOCI_LTO_LINK})
