# SPDX-License-Identifier: BSD-2-Clause
#
# For seL4 projects in which this tree takes the place of the repository seL4_projects_libs: find_package(sel4_projects_libs)
# finds it, and the function has the name that clients call. Of that repository's libraries, sel4vm and sel4vmmplatsupport exist.
if(SEL4_PROJECTS_LIBS_DIR AND NOT SEL4_PROJECTS_LIBS_DIR STREQUAL CMAKE_CURRENT_LIST_DIR)
  message(FATAL_ERROR "Both ${SEL4_PROJECTS_LIBS_DIR} and ${CMAKE_CURRENT_LIST_DIR} offer sel4_projects_libs: remove one from "
                      "CMAKE_MODULE_PATH (docs/using-on-sel4.md, \"Into a project\").")
endif()
set(SEL4_PROJECTS_LIBS_DIR "${CMAKE_CURRENT_LIST_DIR}" CACHE STRING "")
mark_as_advanced(SEL4_PROJECTS_LIBS_DIR)

function(sel4_projects_libs_import_libraries)
  if(NOT TARGET sel4vm)
    add_subdirectory(${SEL4_PROJECTS_LIBS_DIR} sel4_projects_libs)
  endif()
endfunction()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(sel4_projects_libs DEFAULT_MSG SEL4_PROJECTS_LIBS_DIR)
