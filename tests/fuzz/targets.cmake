# SPDX-License-Identifier: Apache-2.0
# The fuzz targets: turboci_fuzz_target(NAME CORPUS SOURCES LIBRARIES) is called for each. CORPUS is a directory in
# corpus/.
set(fuzz_dir ${CMAKE_CURRENT_LIST_DIR})

turboci_fuzz_target(plan_reader plan "${fuzz_dir}/fuzz_plan_reader.cpp" "turboci_endpoint")
turboci_fuzz_target(output output "${fuzz_dir}/fuzz_output.cpp;${fuzz_dir}/dot_reader.cpp" "turboci_format;yaml-cpp")
turboci_fuzz_target(junit junit "${fuzz_dir}/fuzz_junit.cpp" "turboci_format")
turboci_fuzz_target(model model "${fuzz_dir}/fuzz_model.cpp" "turboci_model")
if(TURBOCI_HAVE_GRPC)
  turboci_fuzz_target(convert convert "${fuzz_dir}/fuzz_convert.cpp" "turboci_grpc")
endif()
