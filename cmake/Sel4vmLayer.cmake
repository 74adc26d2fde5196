# SPDX-License-Identifier: BSD-2-Clause
#
# sel4vm_library(NAME [SOURCES file...] [ONLY regex] [NOT regex] [DEPENDS target...] [LIBS target...])
#
# One layer of the library, from the folder that calls it. Without SOURCES, every *.cpp below the folder (and *.S for the
# target) belongs to it; with ONLY, just those whose path inside the folder matches the expression, with NOT, those whose does not. A layer without
# sources is an INTERFACE library. DEPENDS names other layers, LIBS names things that are not ours.
# Headers form a file set rooted at src/, included as <sel4vm/...> or <hosts/...>, and all are installed. Each compiles on its own: the
# source of the same name includes it first (tools/check_includes.py), and the target sel4vm_header_checks compiles the others.
function(sel4vm_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "ONLY;NOT" "SOURCES;DEPENDS;LIBS")
  if(arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "sel4vm_library(${name}): unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
  endif()

  if(NOT arg_SOURCES)
    set(patterns *.cpp)
    if(SEL4VM_TARGET)
      list(APPEND patterns *.S)
    endif()
    file(GLOB_RECURSE arg_SOURCES CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" ${patterns})
  endif()
  file(GLOB_RECURSE headers CONFIGURE_DEPENDS RELATIVE "${CMAKE_CURRENT_SOURCE_DIR}" *.hpp *.h)
  if(arg_ONLY)
    list(FILTER arg_SOURCES INCLUDE REGEX "${arg_ONLY}")
    list(FILTER headers INCLUDE REGEX "${arg_ONLY}")
  endif()
  if(arg_NOT)
    list(FILTER arg_SOURCES EXCLUDE REGEX "${arg_NOT}")
    list(FILTER headers EXCLUDE REGEX "${arg_NOT}")
  endif()

  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    set(scope PUBLIC)
    sel4vm_freestanding_language(${name})
  else()
    add_library(${name} INTERFACE)
    set(scope INTERFACE)
  endif()
  string(REPLACE "sel4vm_" "" short "${name}")
  add_library(sel4vm::${short} ALIAS ${name})
  set_target_properties(${name} PROPERTIES EXPORT_NAME ${short})

  target_sources(${name} ${scope} FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/src" FILES ${headers})
  target_include_directories(${name} ${scope} "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>")
  target_compile_features(${name} ${scope} cxx_std_20)
  target_link_libraries(${name} ${scope} ${arg_DEPENDS} ${arg_LIBS})
  set_property(GLOBAL APPEND PROPERTY SEL4VM_LAYERS ${name})
  # Once is enough: in the target build, and natively what is not part of that.
  if(SEL4VM_TARGET OR name MATCHES "^sel4vm_(fake|kvm|process)")
    sel4vm_check_headers(${name} ${headers})
  endif()
endfunction()

# sel4vm_check_headers(LAYER header...): a source for each header that no source of the layer includes first. What is compiled is thrown
# away, so it is not optimised.
function(sel4vm_check_headers layer)
  if(NOT TARGET sel4vm_header_checks)
    add_custom_target(sel4vm_header_checks)
  endif()
  set(checks "")
  foreach(header IN LISTS ARGN)
    string(REGEX REPLACE "\\.h(pp)?$" ".cpp" source "${header}")
    if(NOT EXISTS "${CMAKE_CURRENT_SOURCE_DIR}/${source}")
      cmake_path(RELATIVE_PATH CMAKE_CURRENT_SOURCE_DIR BASE_DIRECTORY "${PROJECT_SOURCE_DIR}/src" OUTPUT_VARIABLE folder)
      set(check "${CMAKE_CURRENT_BINARY_DIR}/headers/${header}.cpp")
      file(CONFIGURE OUTPUT "${check}" CONTENT "#include <${folder}/${header}>\n")
      list(APPEND checks "${check}")
    endif()
  endforeach()
  if(checks)
    add_library(${layer}_headers OBJECT EXCLUDE_FROM_ALL ${checks})
    target_link_libraries(${layer}_headers PRIVATE ${layer})
    target_compile_options(${layer}_headers PRIVATE -O0 -g0 $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti>)
    set_target_properties(${layer}_headers PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
    add_dependencies(sel4vm_header_checks ${layer}_headers)
  endif()
endfunction()

# sel4vm_freestanding_language(TARGET): the language subset of everything that may run on a target.
function(sel4vm_freestanding_language target)
  target_compile_options(${target} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti>)
endfunction()

# sel4vm_compile_for_size(file...): sources of the calling folder whose speed does not matter on the target, because they run while a
# VM is built or for rare exits. The image has a budget of 304 KiB.
function(sel4vm_compile_for_size)
  if(SEL4VM_TARGET)
    set_property(SOURCE ${ARGV} APPEND PROPERTY COMPILE_OPTIONS -Oz)
  endif()
endfunction()
