# SPDX-License-Identifier: BSD-2-Clause
#
# Programs that run on the el2 host: NAME.elf, which QEMU's -kernel loads where it is linked, and NAME.img, a raw arm64 Image for any
# boot loader. The raw image is as long as its memory, bss included, so that a bundle may be appended to it. In the checkout and,
# by find_package(sel4vm-el2), outside of it.
#
# sel4vm_el2_image(NAME source... [LIBS target...])   a program with an app_main(), which has the machine to itself
# sel4vm_el2_program(NAME source...)                  one with a main(), written to the C interface or to sel4vm/program, in C or C++
set(SEL4VM_EL2_LINK_BASE 0x40200000)
if(NOT SEL4VM_EL2_LINK_SCRIPT)
  set(SEL4VM_EL2_LINK_SCRIPT "${PROJECT_SOURCE_DIR}/src/hosts/el2/boot/image.lds")
endif()

function(sel4vm_el2_image name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBS")
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions -fno-rtti>)
  # The host is named twice: libfdt, which comes after it, calls the host's C library.
  target_link_libraries(${name} PRIVATE ${arg_LIBS} sel4vm::el2 sel4vm_deps::fdt "$<TARGET_FILE:sel4vm::el2>")
  set_target_properties(${name} PROPERTIES SUFFIX .elf LINK_DEPENDS "${SEL4VM_EL2_LINK_SCRIPT}" INTERPROCEDURAL_OPTIMIZATION ON)
  target_link_options(${name} PRIVATE "LINKER:-T,${SEL4VM_EL2_LINK_SCRIPT}" "LINKER:--defsym=SEL4VM_EL2_LINK_BASE=${SEL4VM_EL2_LINK_BASE}"
                      "LINKER:-z,max-page-size=4096" "LINKER:-z,text" "LINKER:--no-dynamic-linker" "LINKER:--undefined=sel4vm_el2_head")
  add_custom_command(TARGET ${name} POST_BUILD VERBATIM
                     COMMAND "${CMAKE_OBJCOPY}" -O binary --set-section-flags .bss=alloc,load,contents
                             "$<TARGET_FILE:${name}>" "${CMAKE_CURRENT_BINARY_DIR}/${name}.img"
                     BYPRODUCTS "${CMAKE_CURRENT_BINARY_DIR}/${name}.img")
endfunction()

function(sel4vm_el2_program name)
  sel4vm_el2_image(${name} ${ARGN} LIBS sel4vm::el2_program)
  target_compile_options(${name} PRIVATE -Os)
  if(COMMAND sel4vm_notice)
    sel4vm_notice(${name} "${CMAKE_CURRENT_BINARY_DIR}/${name}.THIRD-PARTY-NOTICES" "the el2 program ${name}")
  endif()
endfunction()
