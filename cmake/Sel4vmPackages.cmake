# SPDX-License-Identifier: BSD-2-Clause
#
# Debian packages of what Sel4vmInstall.cmake installs, made by `./dev package` (cpack -G DEB in build/tools):
#   sel4vm          the tool, the host image that it packs, manual, completions, schema, documents, examples
#   libsel4vm-dev   headers, static libraries, CMake packages and pkg-config files, for programs on the PC and on the el2 host
# What Debian expects of a package besides is done by finish_packages.cmake, when the files have been put together.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sel4vm)
set(CPACK_PACKAGE_VERSION "${PROJECT_VERSION}")
set(CPACK_PACKAGE_CONTACT "The libsel4vm C++ authors <sel4vm@packages.invalid>")
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_SOURCE_DIR}/build/packages")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL tool development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/finish_packages.cmake")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)

set(CPACK_DEBIAN_TOOL_PACKAGE_NAME sel4vm)
set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION misc)
set(CPACK_DEBIAN_TOOL_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_TOOL_PACKAGE_RECOMMENDS "qemu-system-arm")
set(CPACK_DEBIAN_TOOL_PACKAGE_SUGGESTS "binutils, cpio, libsel4vm-dev, python3, u-boot-qemu")
set(CPACK_COMPONENT_TOOL_DESCRIPTION "build and run systems of AArch64 guest virtual machines
 The command-line tool of libsel4vm: it checks descriptions of systems in
 TOML, packs virtual machines and a bare-metal host at EL2 into one bootable
 image, and starts images in QEMU on the terminal.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libsel4vm-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libexpected-dev, libfdt-dev")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "cmake | pkgconf | pkg-config, g++ | clang")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "g++-aarch64-linux-gnu, sel4vm (= ${PROJECT_VERSION})")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "library for AArch64 guest virtual machines - development files
 Headers, static libraries, CMake packages and pkg-config files of libsel4vm,
 with the interface of seL4's libsel4vm for C and one of its own for C++20:
 for programs on its fake host inside a process, and, with a cross compiler,
 for images of its bare-metal host at EL2.")
include(CPack)
