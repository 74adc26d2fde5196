// SPDX-License-Identifier: BSD-2-Clause
//
// The PL011 as a kind of device that descriptions can ask for. Apart from the model, so that who does not use it does not link it.
#pragma once

#include <sel4vm/dev/device_kind.hpp>

namespace sel4vm::dev {

inline constexpr DeviceNode kPl011Node{.name = "pl011",
                                       .compatible = text_list("arm,pl011\0arm,primecell"),
                                       .clock_names = text_list("uartclk\0apb_pclk")};
extern const DeviceKind kPl011;
/// As kPl011, for a machine whose PL011 somebody else emulates: it has a node, and none is made.
inline constexpr DeviceKind kPl011Elsewhere{.type = "pl011", .role = DeviceRole::serial, .node = kPl011Node};

} // namespace sel4vm::dev
