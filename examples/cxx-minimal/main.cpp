// SPDX-License-Identifier: BSD-2-Clause
//
// Boots Linux in a virtual machine with the C++ interface: what ../c-minimal does in C, on the same hosts. A VM is described by plain
// records; the machine made from them owns every device, and the device tree comes from the same records, so nothing has to be
// said twice, placed by hand or freed.
#include <sel4vm/program/host.hpp>

using namespace sel4vm;

namespace {

machine::MachineDescription linux_guest(machine::GicVersion gic) {
    return {
        .name = "linux",
        .memory = {{.base = Gpa{0x4000'0000}, .size_bytes = 256 * kMiB}},
        .gic = {.version = gic},
        .devices = {machine::default_uart()},
        .images = {{.kind = machine::ImageKind::kernel, .source = "kernel"},
                   {.kind = machine::ImageKind::initrd, .source = "initrd"}},
        .cmdline = "console=ttyAMA0",
    };
}

} // namespace

int main() {
    program::Host host;
    if (!host.open())
        return 2;
    const auto guest = host.make_guest(linux_guest(host.gic_version()));
    if (!guest) {
        host.log().line(LogLevel::error, "linux", guest.error().message.view());
        return 1;
    }
    if (!(*guest)->start())
        return 1;
    host.run();
    return (*guest)->stop_reason() == StopReason::powered_off ? 0 : 1;
}
