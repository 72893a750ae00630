# SPDX-License-Identifier: Apache-2.0
# The fuzz targets: turboci_fuzz_target(NAME CORPUS SOURCES LIBRARIES) is called for each. CORPUS is a directory in
# corpus/.
set(fuzz_dir ${CMAKE_CURRENT_LIST_DIR})
set(model_dir ${CMAKE_CURRENT_LIST_DIR}/../model)

turboci_fuzz_target(plan_reader plan "${fuzz_dir}/fuzz_plan_reader.cpp" "turboci_endpoint")
turboci_fuzz_target(output output "${fuzz_dir}/fuzz_output.cpp;${fuzz_dir}/dot_reader.cpp" "turboci_format;yaml-cpp")
turboci_fuzz_target(junit junit "${fuzz_dir}/fuzz_junit.cpp" "turboci_format")
turboci_fuzz_target(model model
  "${fuzz_dir}/fuzz_model.cpp;${model_dir}/bench.cpp;${model_dir}/describe.cpp;${model_dir}/flaw.cpp;${model_dir}/generate.cpp;${model_dir}/model_rules.cpp;${model_dir}/model_validate.cpp;${model_dir}/model_write.cpp;${model_dir}/picture.cpp;${model_dir}/shrink.cpp"
  "turboci_endpoint;turboci_store_sqlite")
