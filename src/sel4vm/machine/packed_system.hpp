// SPDX-License-Identifier: BSD-2-Clause
//
// Opening the bundle that came with a program: container, manifest and what the manifest says are checked, and what is wrong goes to
// the log, worded for people.
//
// Threads: pure apart from the log. Uses libfdt: on the target only before the first guest runs. About 14 KiB of stack.
#pragma once

#include <sel4vm/boot/bundle.hpp>
#include <sel4vm/host/services.hpp>
#include <sel4vm/machine/description.hpp>

#include <optional>
#include <span>

namespace sel4vm::machine {

/// The bundle that `bytes` begin with, with its description in `system`; the strings there, and the blobs, are in `bytes`. No value: it is
/// not one, or not one that could be run, and `log` says why.
[[nodiscard]] std::optional<boot::Bundle> open_system(std::span<const u8> bytes, dev::DeviceKinds kinds,
                                                      SystemDescription &system, Log &log);

} // namespace sel4vm::machine
