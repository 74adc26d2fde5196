# SPDX-License-Identifier: BSD-2-Clause
#
# Language level, warnings and sanitizers, the same for every file of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)

if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(SEL4VM_CCACHE ccache)
  if(SEL4VM_CCACHE)
    # What one checkout has compiled serves the next: paths are relative to the checkout. Precompiled headers are those of the system.
    set(CMAKE_C_COMPILER_LAUNCHER env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
        CCACHE_SLOPPINESS=pch_defines,time_macros "${SEL4VM_CCACHE}")
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_C_COMPILER_LAUNCHER})
  endif()
endif()

add_compile_options(
  -Wall -Wextra -Wshadow -Werror
  $<$<COMPILE_LANGUAGE:C,CXX>:-Wconversion>
  $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>
  # GCC leaves this out of -Wconversion for C++, clang does not: say it, so that both compilers agree.
  $<$<COMPILE_LANGUAGE:C,CXX>:-Wsign-conversion>
  $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>)
if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  add_compile_options($<$<COMPILE_LANGUAGE:CXX>:-Wthread-safety>)
endif()

# Debug information and assertions name files relative to the checkout, so that a build is the same in any folder.
add_compile_options("-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")

if(SEL4VM_TESTS OR SEL4VM_FUZZ OR SEL4VM_THREAD_TESTS)
  # See base/mutex.hpp: tests and fuzzers also check in which order locks are taken.
  add_compile_definitions(SEL4VM_CHECK_LOCK_ORDER)
endif()
if(SEL4VM_SANITIZE)
  # The vptr check needs RTTI, which the library does without.
  add_compile_options(-fsanitize=${SEL4VM_SANITIZE} -fno-sanitize=vptr -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${SEL4VM_SANITIZE} -fno-sanitize=vptr)
endif()
if(SEL4VM_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SEL4VM_FUZZ needs clang (libFuzzer); the compiler is ${CMAKE_CXX_COMPILER}")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
