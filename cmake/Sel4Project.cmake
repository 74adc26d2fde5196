# SPDX-License-Identifier: BSD-2-Clause
#
# The library inside an seL4 CMake project (seL4_tools): the targets sel4vm and sel4vmmplatsupport, which other projects
# link by these names. Included by the root CMakeLists.txt when the kernel's configuration is known. docs/using-on-sel4.md
# describes both ways to put this tree into a project.
if(TARGET sel4vm OR TARGET sel4vmmplatsupport)
  message(FATAL_ERROR "Two libraries offer the targets sel4vm and sel4vmmplatsupport: libsel4vm in ${PROJECT_SOURCE_DIR} and "
                      "another one. Remove the folders libsel4vm and libsel4vmmplatsupport of seL4_projects_libs, or this tree "
                      "(docs/using-on-sel4.md, \"Into a project\").")
endif()
if(NOT KernelArmHypervisorSupport OR NOT KernelSel4ArchAarch64)
  message(FATAL_ERROR "libsel4vm needs an AArch64 kernel with KernelArmHypervisorSupport; this one is ${KernelSel4Arch}.")
endif()
foreach(option KernelDebugBuild KernelPrinting KernelEnableBenchmarks KernelDangerousCodeInjection)
  if(${option})
    message(WARNING "${option} is on: a guest's hvc instruction can use calls of the kernel that are for development (docs/threat-model.md).")
    break()
  endif()
endforeach()
if(NOT KernelArmExportVCNTUser AND NOT KernelArmExportPCNTUser)
  message(WARNING "Neither KernelArmExportVCNTUser nor KernelArmExportPCNTUser is on: without a counter, guests have no physical timer, and a "
                  "vCPU whose virtual timer is armed does not block (docs/using-on-sel4.md).")
endif()

file(GLOB_RECURSE sources CONFIGURE_DEPENDS
  src/sel4vm/base/*.cpp src/sel4vm/host/*.cpp src/sel4vm/arch/*.cpp src/sel4vm/vm/*.cpp src/sel4vm/dev/*.cpp
  src/sel4vm/boot/*.cpp src/sel4vm/machine/*.cpp src/sel4vm/capi/*.cpp
  src/sel4vm/program/*.cpp src/hosts/sel4/*.cpp src/bindings/sel4/*.cpp)
list(FILTER sources EXCLUDE REGEX "bindings/sel4/platform_support.cpp$")
add_library(sel4vm STATIC EXCLUDE_FROM_ALL ${sources})
set_target_properties(sel4vm PROPERTIES CXX_STANDARD 20 CXX_EXTENSIONS ON)
# Ours stand before libstdc++'s and libfdt's own.
target_include_directories(sel4vm BEFORE PUBLIC "$<$<COMPILE_LANGUAGE:CXX>:${PROJECT_SOURCE_DIR}/src/hosts/sel4/std>")
target_include_directories(sel4vm PUBLIC include src)

# The freestanding part of libstdc++ and tl::expected, beside musl: the build gives no standard folders of the compiler's.
function(sel4vm_cxx_headers target)
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} -x c++ -E -v /dev/null
    OUTPUT_QUIET ERROR_VARIABLE said ERROR_STRIP_TRAILING_WHITESPACE)
  string(REGEX MATCHALL "\n (/[^\n]*)" folders "${said}")
  foreach(folder ${folders})
    string(REGEX REPLACE "^\n +" "" folder "${folder}")
    get_filename_component(folder "${folder}" REALPATH)
    if(folder MATCHES "/c\\+\\+/")
      list(APPEND found "${folder}")
    endif()
  endforeach()
  if(NOT found)
    message(FATAL_ERROR "${CMAKE_CXX_COMPILER} names no folder of C++ headers")
  endif()
  find_path(SEL4VM_EXPECTED_INCLUDE tl/expected.hpp PATHS /usr/include REQUIRED NO_CMAKE_FIND_ROOT_PATH)
  set(expected "${CMAKE_CURRENT_BINARY_DIR}/expected/tl")
  file(MAKE_DIRECTORY "${expected}")
  configure_file("${SEL4VM_EXPECTED_INCLUDE}/tl/expected.hpp" "${expected}/expected.hpp" COPYONLY)
  foreach(folder ${found} "${CMAKE_CURRENT_BINARY_DIR}/expected")
    target_compile_options(${target} PUBLIC "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-isystem ${folder}>")
  endforeach()
  # The C headers come after, for libstdc++'s wrap them (#include_next). musl has no __GLIBC_PREREQ; libstdc++ asks for it
  # where it sees Linux.
  set(c_headers "$<TARGET_PROPERTY:muslc,INTERFACE_INCLUDE_DIRECTORIES>")
  target_compile_options(${target} PUBLIC
    "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-idirafter $<JOIN:${c_headers}, -idirafter >>"
    "$<$<COMPILE_LANGUAGE:CXX>:-D__GLIBC_PREREQ(a$<COMMA>b)=0>")
  # On a debug kernel sel4.h declares strcpy() without saying that it is C's, which is right only after string.h has.
  target_compile_options(${target} PUBLIC "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include string.h>")
  target_compile_options(${target} PUBLIC
    "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-std=gnu++20 -ffreestanding -fno-exceptions -fno-rtti -fno-threadsafe-statics>")
endfunction()
sel4vm_cxx_headers(sel4vm)
# Where the interrupt controller is. Defaults are those of libsel4vm for its platforms.
set(gic_places_qemu-arm-virt 0x08000000 0x08010000 0x08040000)
set(gic_places_tx1 0x50040000 0x50042000 0x50046000)
set(gic_places_tx2 0x03880000 0x03882000 0x03886000)
set(gic_places_odroidc2 0xc4300000 0xc4302000 0xc4306000)
set(gic_places_zynqmp 0xf9000000 0xf9020000 0xf9060000)
set(gic_places "${gic_places_${KernelPlatform}}")
if(NOT gic_places)
  set(gic_places ${gic_places_qemu-arm-virt})
endif()
list(GET gic_places 0 gicd)
list(GET gic_places 1 gicc)
list(GET gic_places 2 gicv)
set(Sel4VmGicDistributor ${gicd} CACHE STRING "Guest-physical address of the guests' GIC distributor")
set(Sel4VmGicCpuInterface ${gicc} CACHE STRING "Guest-physical address of the guests' GICv2 CPU interface")
set(Sel4VmGicRedistributors 0x080a0000 CACHE STRING "Guest-physical address of the guests' GICv3 redistributors")
set(Sel4VmGicVirtualInterface ${gicv} CACHE STRING "Physical address of the hardware's GICv2 virtual CPU interface (GICV)")
target_compile_definitions(sel4vm PRIVATE
  SEL4VM_GICD_GUEST_PADDR=${Sel4VmGicDistributor} SEL4VM_GICC_GUEST_PADDR=${Sel4VmGicCpuInterface}
  SEL4VM_GICR_GUEST_PADDR=${Sel4VmGicRedistributors} SEL4VM_GICV_PADDR=${Sel4VmGicVirtualInterface})

# Whoever links the library optimises it as one program (docs/adr/0005). GCC's linker does that by itself for objects made so; what the
# compiler calls of its own accord must be ordinary code.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  set_target_properties(sel4vm PROPERTIES INTERPROCEDURAL_OPTIMIZATION ON)
  set_source_files_properties(src/hosts/sel4/runtime.cpp PROPERTIES COMPILE_OPTIONS -fno-lto)
endif()

# What an exit goes through is compiled for speed, the rest for size: setting up, errors, and what guests do once. No FP register of the VMM's
# own, because the kernel would have to switch the guest's out; no tables for unwinding, because nothing unwinds.
set(options $<$<COMPILE_LANGUAGE:CXX>:-mgeneral-regs-only> -Os -fbuiltin -fno-asynchronous-unwind-tables -fno-unwind-tables
    "-ffile-prefix-map=${PROJECT_SOURCE_DIR}/=")
target_compile_options(sel4vm PRIVATE ${options})
file(GLOB exit_path CONFIGURE_DEPENDS
  src/hosts/sel4/endpoint_port.cpp src/hosts/sel4/exits.cpp src/hosts/sel4/register_words.cpp src/hosts/sel4/vcpu.cpp
  src/sel4vm/vm/dispatch.cpp src/sel4vm/vm/executor.cpp src/sel4vm/vm/address_map.cpp
  src/sel4vm/dev/arm/gic/cpu_delivery_alone.cpp src/sel4vm/dev/arm/gic/gic.cpp src/sel4vm/dev/arm/psci.cpp
  src/sel4vm/capi/guest_vcpu*.cpp src/sel4vm/capi/api_vcpu.cpp src/sel4vm/capi/api_irq.cpp src/sel4vm/capi/irq_table.cpp
  src/sel4vm/capi/machine_events.cpp src/sel4vm/capi/reservations.cpp)
set_property(SOURCE ${exit_path} APPEND PROPERTY COMPILE_OPTIONS -O2)
target_link_libraries(sel4vm PUBLIC
  muslc sel4 sel4runtime sel4simple sel4utils sel4vka sel4vspace platsupport utils fdt sel4_autoconf)

file(GLOB sources CONFIGURE_DEPENDS src/sel4vmmplatsupport/*.cpp src/bindings/sel4/platform_support.cpp)
add_library(sel4vmmplatsupport STATIC EXCLUDE_FROM_ALL ${sources})
set_target_properties(sel4vmmplatsupport PROPERTIES CXX_STANDARD 20 CXX_EXTENSIONS ON)
target_compile_options(sel4vmmplatsupport PRIVATE ${options})
target_link_libraries(sel4vmmplatsupport PUBLIC sel4vm)

# sel4vm/host.h for a root task without an environment of its own.
file(GLOB sources CONFIGURE_DEPENDS src/bindings/sel4/environment/*.c)
add_library(sel4vm_environment STATIC EXCLUDE_FROM_ALL ${sources})
target_link_libraries(sel4vm_environment PUBLIC
  sel4vm sel4allocman sel4muslcsys sel4platsupport sel4simple-default cpio)
