// SPDX-License-Identifier: BSD-2-Clause
//
// Bindings: gpio/pl061-gpio.yaml and input/gpio-keys.yaml of Linux.
#include <sel4vm/dev/pl061/pl061_kind.hpp>

#include <sel4vm/base/text.hpp>
#include <sel4vm/boot/fdt_writer.hpp>
#include <sel4vm/dev/pl061/pl061.hpp>

namespace sel4vm::dev {
namespace {

constexpr u32 kActiveHigh = 0;
constexpr u32 kKeyPower = 116; // KEY_POWER of Linux's input event codes

void add_properties(boot::FdtWriter &out, u32 phandle) {
    out.empty("gpio-controller");
    out.cell("#gpio-cells", 2);
    out.empty("interrupt-controller");
    out.cell("#interrupt-cells", 2);
    out.cell("phandle", phandle);
}

// Each controller has keys of its own, so the name has its number.
void add_keys(boot::FdtWriter &out, u32 phandle) {
    Text<24> name;
    name << "gpio-keys-" << phandle;
    out.begin_node(name.view());
    out.text("compatible", "gpio-keys");
    out.begin_node("poweroff");
    out.text("label", "power button");
    out.cell("linux,code", kKeyPower);
    out.cells("gpios", {phandle, Pl061::kButtonPin, kActiveHigh});
    out.end_node();
    out.end_node();
}

} // namespace

constinit const DeviceKind kPl061{.type = "pl061",
                                  .node = {.name = "pl061",
                                           .compatible = text_list("arm,pl061\0arm,primecell"),
                                           .clock_names = "apb_pclk",
                                           .add_properties = add_properties,
                                           .add_nodes = add_keys},
                                  .make = [](const DeviceSite &site) {
                                      return OwnedDevice::make<Pl061>(site.allocator, site.line, site.clock,
                                                                      site.timeouts, site.locks);
                                  }};

} // namespace sel4vm::dev
