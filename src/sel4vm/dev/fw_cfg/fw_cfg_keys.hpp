// SPDX-License-Identifier: BSD-2-Clause
//
// Numbers of fw_cfg's items that a board with AArch64 CPUs has.
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::dev::fw_cfg_key {

inline constexpr u16 kSignature = 0x00;
inline constexpr u16 kInterfaces = 0x01;
inline constexpr u16 kCpuCount = 0x05;
inline constexpr u16 kKernelSize = 0x08;
inline constexpr u16 kInitrdSize = 0x0b;
inline constexpr u16 kMostCpus = 0x0f;
inline constexpr u16 kKernelData = 0x11;
inline constexpr u16 kInitrdData = 0x12;
inline constexpr u16 kCmdlineSize = 0x14;
inline constexpr u16 kCmdlineData = 0x15;
inline constexpr u16 kDirectory = 0x19;
inline constexpr u16 kFirstFile = 0x20;

} // namespace sel4vm::dev::fw_cfg_key
