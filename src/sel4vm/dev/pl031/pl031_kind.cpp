// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/dev/pl031/pl031_kind.hpp>

#include <sel4vm/dev/pl031/pl031.hpp>

namespace sel4vm::dev {

constinit const DeviceKind kPl031{
    .type = "pl031",
    .node = {.name = "pl031", .compatible = text_list("arm,pl031\0arm,primecell"), .clock_names = "apb_pclk"},
    .make = [](const DeviceSite &site) {
        return OwnedDevice::make<Pl031>(site.allocator, site.line, site.clock, site.timeouts, site.locks);
    }};

} // namespace sel4vm::dev
