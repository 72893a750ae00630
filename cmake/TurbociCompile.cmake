# SPDX-License-Identifier: Apache-2.0
# Flags that every file of the project is compiled with.
include(CheckCXXCompilerFlag)
include(CheckLinkerFlag)

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor
                    -Wold-style-cast)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # Both warn of what cannot happen when GCC 12 optimises std::optional and std::string.
  add_compile_options(-Wno-maybe-uninitialized -Wno-restrict)
endif()
if(TURBOCI_WERROR)
  add_compile_options(-Werror)
endif()
if(TURBOCI_SANITIZE)
  string(COMPARE EQUAL "${TURBOCI_SANITIZE}" thread TURBOCI_SANITIZE_THREAD)
  if(TURBOCI_SANITIZE_THREAD)
    set(sanitizers thread)
  else()
    set(sanitizers address,undefined)
    # What describes undefined behaviour is more than the program, and slows down each start, of which the tests make
    # thousands. A trap stops as surely; with ASAN_OPTIONS=handle_sigill=1 it says where. It leaves out vptr, which
    # Meson's build in CI has.
    if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
      add_compile_options(-fsanitize-undefined-trap-on-error)
    else()
      add_compile_options(-fsanitize-trap=undefined)
    endif()
  endif()
  add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${sanitizers})
  # Links the many large programs in half of the time. What clang makes of AddressSanitizer it warns of.
  check_linker_flag(CXX -fuse-ld=gold TURBOCI_HAVE_GOLD)
  if(TURBOCI_HAVE_GOLD AND (TURBOCI_SANITIZE_THREAD OR CMAKE_CXX_COMPILER_ID STREQUAL GNU))
    add_link_options(-fuse-ld=gold)
  endif()
  set(TURBOCI_STATIC OFF)
  set(TURBOCI_LTO OFF)
elseif(is_release)
  # A section for each function and variable: what links the archive can leave out what it does not use.
  set(TURBOCI_SECTIONS -ffunction-sections -fdata-sections)
  add_compile_options(-fstack-protector-strong ${TURBOCI_SECTIONS})
  add_compile_definitions(_FORTIFY_SOURCE=2)
endif()

# With another compiler than GCC an archive would hold nothing but bitcode: no LTO there.
if(TURBOCI_LTO AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  check_cxx_compiler_flag(-flto=auto TURBOCI_HAVE_LTO)
  if(TURBOCI_HAVE_LTO)
    set(TURBOCI_LTO_COMPILE -flto=auto)
    # Fat objects, so that the installed archive suits any linker.
    set(TURBOCI_LTO_ARCHIVE -flto=auto -ffat-lto-objects)
    # The warnings come up again where the files are put together, and two more of the same kind.
    set(TURBOCI_LTO_LINK -flto=auto -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow
        -Wno-array-bounds)
  endif()
endif()
