// SPDX-License-Identifier: BSD-2-Clause
//
// The VMM on the fake host: the guest's few instructions are executed in this process, its files are ours, and nothing is emulated by QEMU.
#include "vmm.hpp"

#include <hosts/fake/host_base.hpp>

#include <cstdio>
#include <initializer_list>
#include <string>

using namespace sel4vm;

namespace {

std::string code(std::initializer_list<u32> instructions) {
    std::string bytes;
    for (const u32 instruction : instructions)
        for (unsigned shift = 0; shift < 32; shift += 8)
            bytes += static_cast<char>(instruction >> shift & 0xff);
    return bytes;
}

int failures = 0;
void expect(bool good, const char *what) {
    if (!good)
        std::printf("FAILED: %s\n", what);
    failures += good ? 0 : 1;
}

void a_ring_is_counted() {
    fake::shared().files["kernel"] = code({
        0xd2a14201, // mov x1, #0x0a100000
        0x528000e2, // mov w2, #7
        0xb9000022, // str w2, [x1]
        0xb9000022, // str w2, [x1]
        0x52800100, 0x72b08000, 0xd4000003, // PSCI SYSTEM_OFF
    });
    program::Host host;
    Doorbell doorbell;
    expect(host.open().has_value(), "the fake host opens");
    expect(run_vmm(host, doorbell) == StopReason::powered_off, "the guest powers off");
    expect(doorbell.rings() == 14, "it has rung 7 and 7 times");
}

void a_guest_without_a_kernel_is_none() {
    fake::shared().files = {{"another", "file"}};
    program::Host host;
    Doorbell doorbell;
    expect(host.open().has_value(), "the fake host opens");
    expect(run_vmm(host, doorbell) == StopReason::none, "nothing runs");
}

} // namespace

int main() {
    a_ring_is_counted();
    a_guest_without_a_kernel_is_none();
    std::printf("%s\n", failures == 0 ? "passed" : "failed");
    return failures == 0 ? 0 : 1;
}
