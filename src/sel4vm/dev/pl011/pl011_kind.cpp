// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/pl011/pl011_kind.hpp>

#include <sel4vm/dev/pl011/pl011.hpp>

namespace sel4vm::dev {

constinit const DeviceKind kPl011{
    .type = "pl011", .role = DeviceRole::serial, .node = kPl011Node, .make = [](const DeviceSite &site) {
        return OwnedDevice::make<Pl011>(site.allocator, site.line, site.output);
    }};

} // namespace sel4vm::dev
