# SPDX-License-Identifier: Apache-2.0
# gRPC: the server, the client of one, and what they say to each other.
# Sets TURBOCI_HAVE_GRPC. turboci_proto is the code that protoc makes of proto/: in the build folder, never installed.
set(TURBOCI_GRPC AUTO CACHE STRING "Build what needs gRPC: ON, OFF, or AUTO where it is found")
set_property(CACHE TURBOCI_GRPC PROPERTY STRINGS AUTO ON OFF)
set(TURBOCI_HAVE_GRPC OFF)
if(NOT TURBOCI_GRPC STREQUAL AUTO AND NOT TURBOCI_GRPC)
  return()
endif()
include(${CMAKE_CURRENT_LIST_DIR}/GrpcLibraries.cmake)
if(TARGET turboci_grpc_libraries)
  set(TURBOCI_HAVE_GRPC ON)
elseif(TURBOCI_GRPC STREQUAL AUTO)
  message(STATUS "turboci: gRPC was not found, building without it")
  return()
else()
  message(FATAL_ERROR "TURBOCI_GRPC needs protobuf and gRPC (Debian: libgrpc++-dev, libprotobuf-dev, protobuf-compiler, "
    "protobuf-compiler-grpc).")
endif()

set(proto_root ${PROJECT_SOURCE_DIR}/proto)
set(proto_out ${PROJECT_BINARY_DIR}/proto)
# The plugin only for files with a service: what it makes of others takes seconds to compile and holds nothing.
set(proto_services turboci/v1/admin turboci/v1/plans turboci/v1/service turboci/v1/stagerunner turboci/v1/worker)
set(proto_messages google/rpc/error_details google/rpc/status turboci/v1/check turboci/v1/claim turboci/v1/common
    turboci/v1/model turboci/v1/node turboci/v1/stage turboci/v1/workplan)
file(MAKE_DIRECTORY ${proto_out})
set(proto_files)
set(proto_code)
set(proto_service_files)
foreach(name IN LISTS proto_messages proto_services)
  list(APPEND proto_files ${proto_root}/${name}.proto)
  list(APPEND proto_code ${proto_out}/${name}.pb.cc)
  list(APPEND proto_headers ${proto_out}/${name}.pb.h)
endforeach()
foreach(name IN LISTS proto_services)
  list(APPEND proto_service_files ${proto_root}/${name}.proto)
  list(APPEND proto_code ${proto_out}/${name}.grpc.pb.cc)
  list(APPEND proto_headers ${proto_out}/${name}.grpc.pb.h)
endforeach()
add_custom_command(OUTPUT ${proto_code} ${proto_headers} DEPENDS ${proto_files} VERBATIM
  COMMENT "Generating code for the protos"
  COMMAND protobuf::protoc -I${proto_root} --cpp_out=${proto_out} ${proto_files}
  COMMAND protobuf::protoc -I${proto_root} --grpc_out=${proto_out}
    --plugin=protoc-gen-grpc=$<TARGET_FILE:gRPC::grpc_cpp_plugin> ${proto_service_files})

add_library(turboci_proto STATIC ${proto_code} ${proto_headers})
target_include_directories(turboci_proto SYSTEM PUBLIC ${proto_out})
target_link_libraries(turboci_proto PUBLIC turboci_grpc_libraries)
set_target_properties(turboci_proto PROPERTIES UNITY_BUILD OFF)
target_compile_options(turboci_proto PRIVATE -w -g0)  # it is not ours to clean up
if(TURBOCI_SANITIZE)
  target_compile_options(turboci_proto PRIVATE -fno-sanitize=all)  # nor to look into
endif()
