# SPDX-License-Identifier: Apache-2.0
# Most of the time of a build goes into parsing these, once a file. The Meson build does without, so that a
# missing include is found.
set(TURBOCI_PRECOMPILED
  <algorithm> <array> <chrono> <cstdint> <functional> <map> <memory> <optional> <set> <span> <string>
  <string_view> <unordered_map> <utility> <variant> <vector> <fmt/format.h>)
if(TURBOCI_PCH)
  target_precompile_headers(turboci_domain PRIVATE ${TURBOCI_PRECOMPILED})
  foreach(target
      turboci_os turboci_store_sqlite turboci_format turboci_service turboci_endpoint turboci_runner turboci_cli)
    if(TARGET ${target})
      target_precompile_headers(${target} REUSE_FROM turboci_domain)
    endif()
  endforeach()
endif()
