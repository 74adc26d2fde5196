# SPDX-License-Identifier: BSD-2-Clause
#
# sel4vm_notice(EXECUTABLE OUTPUT TITLE [ARCHIVE...]): OUTPUT names every Debian package of which something is linked into
# the executable (or compiled into the archives), with its copyright file.
# sel4vm_check_no_fp(EXECUTABLE [ENTRY name...] [ALLOW regex...] [NOT_FROM regex...]): the link fails when FP registers are
# used in what the entry points of the exit path reach; see tools/check_no_fp.py.
find_package(Python3 REQUIRED COMPONENTS Interpreter)

# GNU's, whatever the compiler: the script reads its output.
find_program(SEL4VM_READELF NAMES readelf aarch64-linux-gnu-readelf REQUIRED)

function(sel4vm_notice executable output title)
  target_link_options(${executable} PRIVATE "-Wl,-Map=$<TARGET_FILE:${executable}>.map")
  add_custom_command(
    OUTPUT "${output}"
    COMMAND Python3::Interpreter "${sel4vm_SOURCE_DIR}/tools/third_party_notice.py" --title "${title}" --output "${output}"
            --readelf "${SEL4VM_READELF}" --source "${sel4vm_SOURCE_DIR}" --debs "${SEL4VM_DEBS_ROOT}/.."
            --map "$<TARGET_FILE:${executable}>.map" "$<TARGET_FILE:${executable}>" ${ARGN}
    DEPENDS ${executable} ${ARGN} "${sel4vm_SOURCE_DIR}/tools/third_party_notice.py"
    COMMENT "Collecting the notices of what ${executable} links" VERBATIM)
  add_custom_target(${executable}_notice ALL DEPENDS "${output}")
endfunction()

# sel4vm_built_stamp(DEPENDENCY...): the file `built` in the build folder is as new as the last complete build of these.
function(sel4vm_built_stamp)
  add_custom_target(sel4vm_built ALL COMMAND "${CMAKE_COMMAND}" -E touch "${PROJECT_BINARY_DIR}/built" VERBATIM)
  add_dependencies(sel4vm_built ${ARGN})
endfunction()

function(sel4vm_check_no_fp executable)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "ENTRY;ALLOW;NOT_FROM")
  set(options "")
  foreach(kind ENTRY ALLOW NOT_FROM)
    string(TOLOWER "--${kind}" option)
    string(REPLACE "_" "-" option "${option}")
    foreach(value IN LISTS arg_${kind})
      list(APPEND options "${option}=${value}")
    endforeach()
  endforeach()
  add_custom_command(
    TARGET ${executable} POST_BUILD
    COMMAND Python3::Interpreter "${sel4vm_SOURCE_DIR}/tools/check_no_fp.py" --objdump "${CMAKE_OBJDUMP}" ${options}
            "$<TARGET_FILE:${executable}>" VERBATIM)
endfunction()
