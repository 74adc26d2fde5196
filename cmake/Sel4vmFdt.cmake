# SPDX-License-Identifier: BSD-2-Clause
#
# The imported target sel4vm_deps::fdt (libfdt). Native builds take Debian's libfdt-dev; cross builds take the arm64 build of
# the same package, unpacked by tools/debs into build/debs/root, or where the environment's SEL4VM_DEBS says.
set(debs "${PROJECT_SOURCE_DIR}/build/debs")
if(NOT "$ENV{SEL4VM_DEBS}" STREQUAL "")
  set(debs "$ENV{SEL4VM_DEBS}")
endif()
set(SEL4VM_DEBS_ROOT "${debs}/root" CACHE PATH "Unpacked arm64 Debian packages (tools/debs)")

if(CMAKE_CROSSCOMPILING)
  set(hint "${SEL4VM_DEBS_ROOT}/usr/lib/aarch64-linux-gnu")
  find_library(SEL4VM_FDT_LIBRARY libfdt.a PATHS "${hint}" NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  find_path(SEL4VM_FDT_INCLUDE libfdt.h PATHS "${SEL4VM_DEBS_ROOT}/usr/include" NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
else()
  find_library(SEL4VM_FDT_LIBRARY NAMES libfdt.a fdt)
  find_path(SEL4VM_FDT_INCLUDE libfdt.h)
endif()
if(NOT SEL4VM_FDT_LIBRARY OR NOT SEL4VM_FDT_INCLUDE)
  message(FATAL_ERROR "libfdt was not found. Native builds need the package libfdt-dev; cross builds need its arm64 "
                      "build in ${SEL4VM_DEBS_ROOT}: run ./dev build, or tools/debs fetch")
endif()
add_library(sel4vm_deps::fdt STATIC IMPORTED GLOBAL)
set_target_properties(sel4vm_deps::fdt PROPERTIES IMPORTED_LOCATION "${SEL4VM_FDT_LIBRARY}"
                                                  INTERFACE_INCLUDE_DIRECTORIES "${SEL4VM_FDT_INCLUDE}")
