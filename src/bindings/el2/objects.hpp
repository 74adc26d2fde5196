// SPDX-License-Identifier: BSD-2-Clause
//
// What a client's vka makes on this host: frames, endpoints and notifications.
#pragma once

#include <bindings/el2/endpoint.hpp>
#include <bindings/el2/handles.hpp>

#include <vka/object.h>

namespace sel4vm::el2 {

class Program;

/// The functions of every vka_t of this host; `data` is the Program.
[[nodiscard]] vka_t make_vka(Program &program);

/// True when the page is memory of the machine, false for devices and nothing.
[[nodiscard]] bool is_ram(const PlatformInfo &platform, HostPhys page);

} // namespace sel4vm::el2
