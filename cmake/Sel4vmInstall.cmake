# SPDX-License-Identifier: BSD-2-Clause
#
# What `cmake --install build/tools` puts where, under the usual GNU directories:
#   bin/sel4vm, share/man/man1         the tool
#   share/sel4vm/                      the host image that the tool packs, with its notice, and vmm.elf: the names of its functions
#   include/, lib/lib*.a               headers and static libraries: every layer, and the fake host for tests of devices
#   lib/cmake/sel4vm, lib/pkgconfig    find_package(sel4vm), pkg-config sel4vm and sel4vm-fake
#   lib/sel4vm-el2, lib/cmake/sel4vm-el2   find_package(sel4vm-el2), for programs of the el2 host: Sel4vmEl2Install.cmake
#   share/doc/sel4vm/                  README.md, docs/ and examples/ as here, pages beside the sources, licence, third-party notice
# Both builds must be complete and as new as the sources: what is installed belongs together.
include(CMakePackageConfigHelpers)
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME development) # the other one is tool: Sel4vmPackages.cmake
set(SEL4VM_TARGET_BUILD "${PROJECT_SOURCE_DIR}/build/target" CACHE PATH "Build folder of the preset target")

# el2 is linked into the host image; natively it is only a part of itself, for tests. The KVM host is linked into a program of its own.
get_property(layers GLOBAL PROPERTY SEL4VM_LAYERS)
list(REMOVE_ITEM layers sel4vm_el2 sel4vm_kvm)

add_library(sel4vm_umbrella INTERFACE)
add_library(sel4vm::sel4vm ALIAS sel4vm_umbrella)
set_target_properties(sel4vm_umbrella PROPERTIES EXPORT_NAME sel4vm)
target_link_libraries(sel4vm_umbrella INTERFACE sel4vm_machine_arm)

# The tool and the image that it packs come from two build folders.
set(built ${layers})
set(stamps "[[${PROJECT_BINARY_DIR}/built]]")
if(TARGET sel4vm)
  list(APPEND built sel4vm sel4vm_notice)
  string(APPEND stamps " [[${SEL4VM_TARGET_BUILD}/built]]")
endif()
sel4vm_built_stamp(${built})
install(CODE "
  file(GLOB_RECURSE sources [[${PROJECT_SOURCE_DIR}/src/*]] [[${PROJECT_SOURCE_DIR}/include/*]] [[${PROJECT_SOURCE_DIR}/apps/*]])
  foreach(stamp IN ITEMS ${stamps})
    get_filename_component(folder \"\${stamp}\" DIRECTORY)
    if(NOT EXISTS \"\${stamp}\")
      message(FATAL_ERROR \"\${folder} has not been built completely: ./dev build\")
    endif()
    foreach(source IN LISTS sources)
      if(\"\${source}\" IS_NEWER_THAN \"\${stamp}\")
        message(FATAL_ERROR \"\${folder} is older than \${source}: ./dev build\")
      endif()
    endforeach()
  endforeach()" ALL_COMPONENTS)

install(TARGETS ${layers} sel4vm_umbrella sel4vm_fake_program EXPORT sel4vm-targets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}"
        FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}")
install(TARGETS sel4vm_sel4_names EXPORT sel4vm-targets FILE_SET HEADERS DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/sel4vm/sel4_names")
set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/sel4vm")
install(EXPORT sel4vm-targets NAMESPACE sel4vm:: DESTINATION "${package_dir}")
configure_package_config_file(cmake/sel4vm-config.cmake.in "${PROJECT_BINARY_DIR}/sel4vm-config.cmake"
                              INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/sel4vm-config-version.cmake" COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/sel4vm-config.cmake" "${PROJECT_BINARY_DIR}/sel4vm-config-version.cmake"
        DESTINATION "${package_dir}")

# pkg-config: the archives as one group, because a host and the layers need each other; layers without an archive have no -l.
function(sel4vm_pkg_config name description)
  set(libraries "")
  foreach(layer IN LISTS ARGN)
    get_target_property(type ${layer} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
      string(APPEND libraries " -l${layer}")
    endif()
  endforeach()
  set(PC_NAME "${name}")
  set(PC_DESCRIPTION "${description}")
  set(PC_LIBRARIES "${libraries}")
  # From where the file lies, for the prefix may be chosen when installing.
  file(RELATIVE_PATH PC_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
  configure_file("${PROJECT_SOURCE_DIR}/cmake/sel4vm.pc.in" "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
  install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endfunction()
set(core ${layers})
list(REMOVE_ITEM core sel4vm_fake sel4vm_fake_bindings sel4vm_process_bindings)
list(REVERSE core)
sel4vm_pkg_config(sel4vm "${PROJECT_DESCRIPTION}" ${core})
sel4vm_pkg_config(sel4vm-fake "The fake host of libsel4vm, for C and C++ programs in a process, and for tests of devices and VMMs"
                  sel4vm_fake_bindings sel4vm_process_bindings sel4vm_fake ${core})

install(FILES LICENSE README.md CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT tool OPTIONAL)
# In the folders of the checkout, so that the links in them lead somewhere.
if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/docs")
  install(DIRECTORY docs DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT tool)
  file(GLOB_RECURSE pages CONFIGURE_DEPENDS RELATIVE "${PROJECT_SOURCE_DIR}" src/*.md)
  foreach(page ${pages})
    get_filename_component(folder "${page}" DIRECTORY)
    install(FILES "${page}" DESTINATION "${CMAKE_INSTALL_DOCDIR}/${folder}" COMPONENT tool)
  endforeach()
endif()
if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/examples")
  install(DIRECTORY examples DESTINATION "${CMAKE_INSTALL_DOCDIR}" USE_SOURCE_PERMISSIONS COMPONENT tool)
  install(PROGRAMS tools/debs DESTINATION "${CMAKE_INSTALL_DOCDIR}/examples/debian-linux" COMPONENT tool)
endif()
file(GLOB man_pages CONFIGURE_DEPENDS docs/man/*.1)
if(man_pages)
  install(FILES ${man_pages} DESTINATION "${CMAKE_INSTALL_MANDIR}/man1" COMPONENT tool)
endif()

if(TARGET sel4vm)
  install(TARGETS sel4vm RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}" COMPONENT tool)

  # Made from the linked files themselves: see tools/third_party_notice.py.
  set(archives "")
  foreach(layer IN LISTS layers)
    get_target_property(type ${layer} TYPE)
    if(type STREQUAL "STATIC_LIBRARY")
      list(APPEND archives "$<TARGET_FILE:${layer}>")
    endif()
  endforeach()
  sel4vm_notice(sel4vm "${PROJECT_BINARY_DIR}/THIRD-PARTY-NOTICES" "the sel4vm tool and libraries" ${archives})
  install(FILES "${PROJECT_BINARY_DIR}/THIRD-PARTY-NOTICES" DESTINATION "${CMAKE_INSTALL_DOCDIR}" COMPONENT tool)

  # What programs for the el2 host are built with: Sel4vmEl2Install.cmake.
  install(CODE "
    execute_process(COMMAND \"\${CMAKE_COMMAND}\" --install [[${SEL4VM_TARGET_BUILD}]] --prefix \"\${CMAKE_INSTALL_PREFIX}\"
                    COMMAND_ERROR_IS_FATAL ANY)")
  install(FILES "${SEL4VM_TARGET_BUILD}/apps/vmm/vmm.img" "${SEL4VM_TARGET_BUILD}/apps/vmm/vmm.THIRD-PARTY-NOTICES"
          DESTINATION "${CMAKE_INSTALL_DATADIR}/sel4vm" COMPONENT tool)
  install(FILES "${SEL4VM_TARGET_BUILD}/apps/vmm/vmm.symbols" RENAME vmm.elf DESTINATION "${CMAKE_INSTALL_DATADIR}/sel4vm" COMPONENT tool)
  include(Sel4vmPackages)
endif()
