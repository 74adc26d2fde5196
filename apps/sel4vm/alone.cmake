# SPDX-License-Identifier: BSD-2-Clause
#
# For the preset cli: what the tool uses of the library, and nothing else, is compiled with it, as few large sources. The linker says when
# something is missing here. Two files that use one name of their own for different things cannot share a source: one of them is left out below.
list(TRANSFORM sources PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
set(large_on_their_own options.cpp toml_library.cpp)
set(used
  boot/bundle.cpp boot/crc32.cpp boot/elf_image.cpp boot/fdt_check.cpp boot/fdt_writer.cpp boot/image.cpp boot/layout.cpp boot/other_files.cpp
  machine/cpu_budgets.cpp machine/cpu_placement.cpp machine/image_placement.cpp machine/manifest_decode.cpp machine/manifest_encode.cpp machine/net_validation.cpp machine/panic_line.cpp machine/shared_places.cpp
  machine/shared_validation.cpp machine/validate.cpp machine/validate_disks.cpp machine/validate_pci.cpp machine/validate_flash.cpp machine/validate_passthrough.cpp
  machine/arm/cpu_nodes.cpp machine/arm/device_nodes.cpp machine/arm/device_tree.cpp machine/arm/device_tree_adapt.cpp
  machine/arm/passed_nodes.cpp machine/arm/pci_node.cpp machine/arm/shared_nodes.cpp machine/arm/virt_devices.cpp vm/timeout.cpp vm/block_requests.cpp)
list(TRANSFORM used PREPEND "${PROJECT_SOURCE_DIR}/src/sel4vm/")
# A kind of device brings its maker along.
file(GLOB devices CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/sel4vm/dev/*/*.cpp")
list(FILTER devices EXCLUDE REGEX "/dev/arm/")
list(APPEND used ${devices})
target_sources(sel4vm_cli PRIVATE ${used})
target_include_directories(sel4vm_cli PUBLIC "${PROJECT_SOURCE_DIR}/src")
target_link_libraries(sel4vm_cli PUBLIC sel4vm_deps::fdt)

set_target_properties(sel4vm_cli PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
# Warnings are for the other presets, which compile each file by itself.
target_compile_options(sel4vm_cli PRIVATE -w)
set(left_out boot/elf_image.cpp boot/layout.cpp boot/other_files.cpp)
list(TRANSFORM left_out PREPEND "${PROJECT_SOURCE_DIR}/src/sel4vm/")
list(REMOVE_ITEM used ${left_out})
list(TRANSFORM large_on_their_own PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
list(REMOVE_ITEM sources ${large_on_their_own})
set_source_files_properties(${sources} PROPERTIES UNITY_GROUP tool)
set_source_files_properties(${used} PROPERTIES UNITY_GROUP library)
