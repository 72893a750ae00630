# SPDX-License-Identifier: Apache-2.0
# find_archives(RESULT PATHS NAME...): the archives of these libraries, whatever find_library() prefers otherwise. What is not
# there is NOTFOUND in the list.
function(find_archives result paths)
  set(found)
  foreach(name IN LISTS ARGN)
    find_library(TURBOCI_${name}_ARCHIVE lib${name}.a PATHS ${paths})
    mark_as_advanced(TURBOCI_${name}_ARCHIVE)
    list(APPEND found ${TURBOCI_${name}_ARCHIVE})
  endforeach()
  set(${result} ${found} PARENT_SCOPE)
endfunction()
