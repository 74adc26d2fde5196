# SPDX-License-Identifier: BSD-2-Clause
#
# The package sel4vm-el2: what somebody else's program needs to become an image of the el2 host. In the build folder (./dev run --program
# uses it there), and installed together with the tools (Sel4vmInstall.cmake):
#   lib/sel4vm-el2/             the target's static libraries, libfdt, the link script
#   lib/cmake/sel4vm-el2/       find_package(sel4vm-el2), and the toolchain file to be given with it
# What is installed is machine code only, which any compiler can link, and names no folder of the build; what the link-time optimiser reads of the build folder's archives is
# for the compiler that wrote it.
include(CMakePackageConfigHelpers)
get_property(layers GLOBAL PROPERTY SEL4VM_LAYERS)
set(package "${PROJECT_BINARY_DIR}/sel4vm-el2")
set(archives lib/sel4vm-el2)
set(config lib/cmake/sel4vm-el2)

# What ./dev run --program builds of the library.
add_custom_target(sel4vm_el2_package)
foreach(layer IN LISTS layers)
  get_target_property(type ${layer} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    add_dependencies(sel4vm_el2_package ${layer})
  endif()
endforeach()

install(TARGETS ${layers} sel4vm_el2_program EXPORT sel4vm-el2-targets
        ARCHIVE DESTINATION ${archives}
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS sel4vm_sel4_names EXPORT sel4vm-el2-targets FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/sel4vm/sel4_names")
install(EXPORT sel4vm-el2-targets NAMESPACE sel4vm:: DESTINATION ${config})
export(EXPORT sel4vm-el2-targets NAMESPACE sel4vm:: FILE "${package}/sel4vm-el2-targets.cmake")

install(CODE "
  file(GLOB archives \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${archives}/*.a\")
  foreach(archive IN LISTS archives)
    execute_process(COMMAND [[${CMAKE_OBJCOPY}]] --strip-debug --wildcard --remove-section=.gnu.lto_* --remove-section=.gnu.debuglto_* \"\${archive}\"
                    COMMAND_ERROR_IS_FATAL ANY)
  endforeach()")

function(sel4vm_el2_config destination fdt script)
  set(PACKAGE_FDT "${fdt}")
  set(PACKAGE_LINK_SCRIPT "${script}")
  configure_package_config_file(cmake/sel4vm-el2-config.cmake.in "${destination}/sel4vm-el2-config.cmake"
                                INSTALL_DESTINATION ${config} PATH_VARS PACKAGE_FDT PACKAGE_LINK_SCRIPT)
endfunction()
sel4vm_el2_config("${package}" "${SEL4VM_FDT_LIBRARY}" "${PROJECT_SOURCE_DIR}/src/hosts/el2/boot/image.lds")
sel4vm_el2_config("${package}/installed" ${archives}/libfdt.a ${archives}/image.lds)
write_basic_package_version_file("${package}/sel4vm-el2-config-version.cmake" COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
configure_file(cmake/Sel4vmEl2Image.cmake "${package}/Sel4vmEl2Image.cmake" COPYONLY)
configure_file(cmake/aarch64-freestanding.cmake "${package}/aarch64-freestanding.cmake" COPYONLY)

install(FILES "${SEL4VM_FDT_LIBRARY}" src/hosts/el2/boot/image.lds DESTINATION ${archives})
install(FILES "${package}/installed/sel4vm-el2-config.cmake" "${package}/sel4vm-el2-config-version.cmake"
              cmake/Sel4vmEl2Image.cmake cmake/aarch64-freestanding.cmake DESTINATION ${config})
