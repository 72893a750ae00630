# SPDX-License-Identifier: Apache-2.0
# gRPC and protobuf: turboci_grpc_libraries, where all of them are found, and whether they are archives:
# TURBOCI_GRPC_STATIC. The caller has said in TURBOCI_STATIC if it wants archives, and has looked for PkgConfig and Threads.

# Archives where a release is linked statically: starting with the shared libraries takes 20 ms and more. All of them or
# none, since a program that holds protobuf twice registers its messages twice.
set(TURBOCI_GRPC_STATIC OFF)
if(TURBOCI_STATIC AND PkgConfig_FOUND)
  pkg_check_modules(TURBOCI_GRPCPP QUIET grpc++)
  set(grpc_names grpc++_reflection grpcpp_channelz ${TURBOCI_GRPCPP_STATIC_LIBRARIES} absl_synchronization protobuf)
  set(grpc_system ${grpc_names})
  list(FILTER grpc_system INCLUDE REGEX "^(atomic|dl|m|pthread|rt)$")
  list(FILTER grpc_names EXCLUDE REGEX "^(atomic|dl|m|pthread|rt)$")
  include(${CMAKE_CURRENT_LIST_DIR}/FindArchives.cmake)
  find_archives(grpc_archives "${TURBOCI_GRPCPP_STATIC_LIBRARY_DIRS}" ${grpc_names})
  if(TURBOCI_GRPCPP_FOUND AND NOT grpc_archives MATCHES NOTFOUND)
    set(TURBOCI_GRPC_STATIC ON)
  endif()
endif()
# Protobuf first, by CMake's own module: gRPC's package wants its targets, and protobuf brings no package everywhere.
set(suffixes ${CMAKE_FIND_LIBRARY_SUFFIXES})
if(NOT TURBOCI_GRPC_STATIC)
  set(CMAKE_FIND_LIBRARY_SUFFIXES .so .a)
endif()
find_package(Protobuf 3.15 QUIET)
if(Protobuf_FOUND)
  find_package(gRPC CONFIG QUIET)
endif()
set(CMAKE_FIND_LIBRARY_SUFFIXES ${suffixes})
if(NOT TARGET protobuf::protoc OR NOT TARGET gRPC::grpc++ OR NOT TARGET gRPC::grpc_cpp_plugin)
  return()
endif()
add_library(turboci_grpc_libraries INTERFACE)
if(TURBOCI_GRPC_STATIC)
  # What the archives need of each other is a circle: they are searched until nothing is missing.
  target_link_libraries(turboci_grpc_libraries INTERFACE
    -Wl,--start-group ${grpc_archives} -Wl,--end-group ${grpc_system} Threads::Threads)
else()
  target_link_libraries(turboci_grpc_libraries INTERFACE
    gRPC::grpc++_reflection gRPC::grpcpp_channelz gRPC::grpc++ protobuf::libprotobuf)
  if(TURBOCI_STATIC)
    message(STATUS "turboci: an archive for gRPC is missing, linking turbocid and turboci-grpc to shared libraries")
  endif()
endif()
