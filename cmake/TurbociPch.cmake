# SPDX-License-Identifier: Apache-2.0
# What nearly every file includes, compiled once for the layers and once for the test programs. Files include what
# they use all the same: builds without this show it.
set(TURBOCI_PCH_HEADERS <algorithm> <array> <chrono> <functional> <map> <memory> <optional> <span> <string>
  <string_view> <unordered_map> <utility> <vector> <fmt/format.h> <turboci/turboci.hpp>)
target_precompile_headers(turboci_domain PRIVATE ${TURBOCI_PCH_HEADERS})
foreach(layer engine os store_sqlite store_memory store format service server endpoint runner cli)
  target_precompile_headers(turboci_${layer} REUSE_FROM turboci_domain)
endforeach()
