# SPDX-License-Identifier: BSD-2-Clause
#
# Toolchain for the target: Debian's AArch64 cross compiler without an operating system below it. The flags say what the
# EL2 environment is: no FP or SIMD registers, no unaligned accesses (the MMU may be off), no atomics helper library,
# position independent because the image runs where the loader puts it.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
set(CMAKE_ASM_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_OBJCOPY aarch64-linux-gnu-objcopy)
set(CMAKE_OBJDUMP aarch64-linux-gnu-objdump)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)

set(sel4vm_machine_flags "-mgeneral-regs-only -mno-outline-atomics -mstrict-align")
set(sel4vm_common_flags
    "-ffreestanding ${sel4vm_machine_flags} -fpie -fno-stack-protector -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections")
set(CMAKE_C_FLAGS_INIT "${sel4vm_common_flags}")
set(CMAKE_CXX_FLAGS_INIT "${sel4vm_common_flags} -fno-threadsafe-statics -fno-use-cxa-atexit")
set(CMAKE_ASM_FLAGS_INIT "-mno-outline-atomics")
set(CMAKE_EXE_LINKER_FLAGS_INIT "-nostdlib -nostartfiles -static-pie -Wl,--gc-sections -Wl,--build-id=none")

# Functions and loops start where they fall: aligning them costs 4 % of the image.
foreach(language C CXX ASM)
  set(CMAKE_${language}_FLAGS_RELEASE "-O2 -falign-functions=4 -fno-align-loops -fno-align-jumps -g" CACHE STRING "Flags of the release build")
endforeach()

set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
