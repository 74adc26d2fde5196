# SPDX-License-Identifier: BSD-2-Clause
#
# How test programs are made. See tests/CMakeLists.txt for the rules that a test file follows. Time limits are many times what a
# test takes: they end one that hangs, and are no statement about speed.
include(GoogleTest)

# sel4vm_test_program(TARGET): how the code of tests is compiled. Most of the time would go into optimising GoogleTest's macros, so they are
# compiled for the compiler's speed; the library that they test is not. GCC reads GoogleTest and the standard library once for all; clang
# reads what each file names itself, and so finds an include that is missing.
function(sel4vm_test_program target)
  target_link_libraries(${target} PRIVATE GTest::gtest GTest::gtest_main)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_compile_options(${target} PRIVATE -O0)
    return()
  endif()
  if(NOT TARGET sel4vm_test_headers)
    file(CONFIGURE OUTPUT "${PROJECT_BINARY_DIR}/test_headers.cpp" CONTENT "")
    add_library(sel4vm_test_headers OBJECT "${PROJECT_BINARY_DIR}/test_headers.cpp")
    target_link_libraries(sel4vm_test_headers PRIVATE GTest::gtest)
    target_compile_options(sel4vm_test_headers PRIVATE -Og -fno-rtti)
    # Headers of the system alone: the compiler's cache then serves every checkout.
    target_precompile_headers(sel4vm_test_headers PRIVATE
      <gtest/gtest.h> <algorithm> <array> <cstring> <deque> <fstream> <functional> <map> <memory> <optional> <random> <span> <string>
      <string_view> <utility> <vector> <tl/expected.hpp>)
  endif()
  target_compile_options(${target} PRIVATE -Og -fno-rtti)
  target_precompile_headers(${target} REUSE_FROM sel4vm_test_headers)
endfunction()

# Tests use the whole library, so that a file moves between folders without touching CMake.
function(sel4vm_link_everything target)
  get_property(layers GLOBAL PROPERTY SEL4VM_LAYERS)
  target_link_libraries(${target} PUBLIC ${layers})
  foreach(library sel4vm_cli sel4vm_kvm_options)
    if(TARGET ${library})
      target_link_libraries(${target} PUBLIC ${library})
    endif()
  endforeach()
  target_include_directories(${target} PUBLIC "${PROJECT_SOURCE_DIR}/tests")
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-rtti>)
endfunction()

# tests/support: what several test programs share, included as <support/...>.
function(sel4vm_test_support)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/tests/support/*.cpp")
  if(sources)
    add_library(sel4vm_test_support STATIC ${sources})
    sel4vm_link_everything(sel4vm_test_support)
    target_link_libraries(sel4vm_test_support PUBLIC GTest::gtest)
  endif()
endfunction()

# sel4vm_test_suite(FOLDER): one program of all *_test.cpp below the folder.
function(sel4vm_test_suite folder)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*_test.cpp")
  if(NOT sources)
    return()
  endif()
  add_executable(${folder}_tests ${sources})
  sel4vm_link_everything(${folder}_tests)
  if(TARGET sel4vm_test_support)
    target_link_libraries(${folder}_tests PRIVATE sel4vm_test_support)
  endif()
  sel4vm_test_program(${folder}_tests)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    add_test(NAME ${folder}.clang COMMAND ${folder}_tests --gtest_brief=1)
    set_tests_properties(${folder}.clang PROPERTIES LABELS ${folder} TIMEOUT 900)
  else()
    gtest_discover_tests(${folder}_tests DISCOVERY_MODE PRE_TEST TEST_PREFIX "${folder}." PROPERTIES LABELS ${folder} TIMEOUT 600)
  endif()
endfunction()

# The checkers of tools/ over the sources, and over sources that are deliberately wrong.
function(sel4vm_source_checks)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  foreach(checker check_includes check_sources check_reference)
    add_test(NAME check.${checker} COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/tools/${checker}.py")
    add_test(NAME check.${checker}_finds_mistakes
             COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/tools/${checker}.py" --self-test)
    set_tests_properties(check.${checker} check.${checker}_finds_mistakes PROPERTIES LABELS check TIMEOUT 600)
  endforeach()
  # It checks images, where they are linked (Sel4vmNotice.cmake).
  add_test(NAME check.check_no_fp_finds_mistakes
           COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/tools/check_no_fp.py" --self-test)
  set_tests_properties(check.check_no_fp_finds_mistakes PROPERTIES LABELS check TIMEOUT 600)
endfunction()

# The examples of docs/reference, compiled: they must be right, not run.
function(sel4vm_reference_examples)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  file(GLOB pages CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/docs/reference/*.md")
  set(sources "")
  foreach(language cpp c)
    set(source "${PROJECT_BINARY_DIR}/reference_examples.${language}")
    add_custom_command(OUTPUT "${source}" VERBATIM
      COMMAND Python3::Interpreter "${PROJECT_SOURCE_DIR}/tools/check_reference.py" --examples "${source}"
      DEPENDS ${pages} "${PROJECT_SOURCE_DIR}/tools/check_reference.py")
    list(APPEND sources "${source}")
  endforeach()
  add_library(reference_examples OBJECT ${sources})
  sel4vm_link_everything(reference_examples)
  target_link_libraries(reference_examples PUBLIC sel4vm_sel4_names)
  target_compile_options(reference_examples PRIVATE -Wno-unused -Wno-unused-result $<$<COMPILE_LANGUAGE:C>:-Wno-unused-parameter>)
endfunction()

# sel4vm_script_tests(FOLDER [TIMEOUT seconds] [EXCLUDE file...]): each executable *_test.sh or *_test.py below the folder is a
# test. The script finds the tool in $SEL4VM, the checkout in $SEL4VM_SOURCE and the build folders in $SEL4VM_BUILD.
function(sel4vm_script_tests folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "TIMEOUT" "EXCLUDE")
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 900)
  endif()
  get_filename_component(folder "${folder}" ABSOLUTE)
  get_filename_component(label "${folder}" NAME)
  file(GLOB_RECURSE scripts CONFIGURE_DEPENDS RELATIVE "${folder}" "${folder}/*_test.sh" "${folder}/*_test.py")
  list(REMOVE_ITEM scripts ${arg_EXCLUDE})
  foreach(script IN LISTS scripts)
    string(REGEX REPLACE "_test\\.(sh|py)$" "" name "${script}")
    add_test(NAME ${label}.${name} COMMAND "${folder}/${script}")
    sel4vm_script_test_properties(${label}.${name} ${label} ${arg_TIMEOUT})
  endforeach()
endfunction()

# For folders that register their own tests: the environment, label and time limit that scripts get.
function(sel4vm_script_test_properties name label timeout)
  set_tests_properties(${name} PROPERTIES LABELS "${label}" TIMEOUT ${timeout} ENVIRONMENT
    "SEL4VM=${PROJECT_BINARY_DIR}/apps/sel4vm/sel4vm;SEL4VM_SOURCE=${PROJECT_SOURCE_DIR};SEL4VM_BUILD=${PROJECT_SOURCE_DIR}/build")
endfunction()
