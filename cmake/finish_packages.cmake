# SPDX-License-Identifier: BSD-2-Clause
#
# Run by cpack between installing and packing: what Debian's policy wants of every package. Manual pages and changelogs are compressed, the
# licence is called copyright, libraries have no debug information.
find_program(gzip gzip REQUIRED)
find_program(objcopy NAMES objcopy REQUIRED)
cmake_policy(SET CMP0009 NEW)
foreach(component tool development)
  string(TOUPPER "${component}" upper)
  set(name "${CPACK_DEBIAN_${upper}_PACKAGE_NAME}")
  file(GLOB roots "${CPACK_TEMPORARY_DIRECTORY}/${component}" "${CPACK_TEMPORARY_DIRECTORY}/*/${component}")
  list(GET roots 0 root)
  set(documents "${root}${CPACK_PACKAGING_INSTALL_PREFIX}/share/doc/${name}")
  file(MAKE_DIRECTORY "${documents}")

  file(READ "${CMAKE_CURRENT_LIST_DIR}/../LICENSE" licence)
  string(REGEX REPLACE "\n" "\n " licence "${licence}")
  string(REPLACE "\n \n" "\n .\n" licence "${licence}")
  string(STRIP "${licence}" licence)
  file(WRITE "${documents}/copyright"
"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: sel4vm
Comment: Third parties' software that the files of the package sel4vm hold is named,
 with its licences, in /usr/share/doc/sel4vm/THIRD-PARTY-NOTICES and
 /usr/share/sel4vm/vmm.THIRD-PARTY-NOTICES.

Files: *
Copyright: 2026, the libsel4vm C++ authors
License: BSD-2-Clause
 ${licence}
")
  file(REMOVE "${documents}/LICENSE")

  file(WRITE "${documents}/changelog"
"${name} (${CPACK_PACKAGE_VERSION}) unstable; urgency=medium

  * What has changed is listed in /usr/share/doc/sel4vm/CHANGELOG.md.

 -- ${CPACK_PACKAGE_CONTACT}  Thu, 01 Jan 2026 00:00:00 +0000
")
  set(share "${root}${CPACK_PACKAGING_INSTALL_PREFIX}/share")
  # Where Debian's zsh looks; site-functions is for what is installed by hand.
  if(EXISTS "${share}/zsh/site-functions")
    file(RENAME "${share}/zsh/site-functions" "${share}/zsh/vendor-completions")
  endif()
  if(EXISTS "${share}/sel4vm/vmm.elf")
    file(MAKE_DIRECTORY "${share}/lintian/overrides")
    file(WRITE "${share}/lintian/overrides/${name}"
"# The names of the host image's functions, for the addresses of a panic: data for the tool, which no PC executes.
${name}: arch-dependent-file-in-usr-share [usr/share/sel4vm/vmm.elf]
${name}: binary-from-other-architecture [usr/share/sel4vm/vmm.elf]
${name}: statically-linked-binary [usr/share/sel4vm/vmm.elf]
${name}: unstripped-binary-or-object [usr/share/sel4vm/vmm.elf]
")
  endif()
  file(GLOB compressed "${share}/man/man1/*.1" "${documents}/changelog")
  foreach(file IN LISTS compressed)
    execute_process(COMMAND "${gzip}" -9n "${file}" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
  file(GLOB archives "${root}/*/lib/*.a")
  foreach(file IN LISTS archives)
    execute_process(COMMAND "${objcopy}" --strip-debug "${file}" COMMAND_ERROR_IS_FATAL ANY)
  endforeach()
endforeach()
