// SPDX-License-Identifier: BSD-2-Clause
//
// The same in C++.
#include <sel4vm/program/host.hpp>

using namespace sel4vm;

int main() {
    program::Host host;
    if (!host.open())
        return 2;
    const machine::MachineDescription description{
        .name = "guest",
        .memory = {{.base = Gpa{0x4000'0000}, .size_bytes = 2 * kMiB}},
        .gic = {.version = host.gic_version()},
        .images = {{.kind = machine::ImageKind::firmware, .source = "kernel"}},
    };
    const auto guest = host.make_guest(description);
    if (!guest) {
        host.log().line(LogLevel::error, "guest", guest.error().message.view());
        return 3;
    }
    if (!(*guest)->start())
        return 1;
    host.run();
    return (*guest)->stop_reason() == StopReason::powered_off ? 0 : 1;
}
