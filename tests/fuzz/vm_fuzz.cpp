// SPDX-License-Identifier: BSD-2-Clause
//
// A whole VM under a stream of exits from a hostile guest: any MMIO, system register, hypercall and wait, on any of its
// vCPUs, with any registers, interleaved with interrupts, time and console input. Assertions and sanitizers judge; besides,
// hardware's rules for list registers must hold, and host memory must not grow.
#include <support/exit_stream.hpp>
#include <support/machine_rig.hpp>

namespace {

using namespace sel4vm;

using test::Input;
using test::make_exit;

/// What the guest's CPU and the world do without an exit.
void between(test::MachineRig &rig, Input &input, u16 vcpu) {
    const u64 what = input.number(1);
    if (what & 1) {
        if (const auto taken = rig.lists[vcpu].acknowledge()) {
            if (what & 2)
                rig.lists[vcpu].end(taken->intid, taken->source);
        }
    }
    if (what & 4)
        rig.machine->vm().irq_router()->set_level(33 + (what >> 3 & 3), level_of((what & 0x20) != 0));
    if (what & 0x40)
        rig.clock.advance(input.number(3));
    if (what & 0x80) {
        if (SerialPort *port = rig.machine->console_port()) {
            const std::array<u8, 3> bytes{1, 2, static_cast<u8>(what)};
            static_cast<void>(port->receive(bytes));
        }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input input({data, size});
    const u64 shape = input.number(1);
    const bool poor = (shape & 2) != 0;
    test::MachineRig rig(
        test::small_machine((shape & 1) != 0 ? machine::GicVersion::v2 : machine::GicVersion::v3, 1 + (shape >> 2 & 3)),
        poor ? fake::ListRegisters::injection_only() : fake::ListRegisters::full());
    rig.events.fire_timeouts((shape & 0x80) != 0);
    SEL4VM_ASSERT(rig.start());
    const usize allocations = rig.allocator.requests();
    while (!input.empty() && rig.machine->vm().state() != VmState::stopped) {
        const u16 vcpu = static_cast<u16>(input.number(1) % rig.vcpus.size());
        for (unsigned n = 1; n < 4; ++n)
            rig.vcpus[vcpu].set_general_register(n, input.number(3));
        rig.deliver(make_exit(input), vcpu);
        if (rig.lists[vcpu].maintenance_asserted())
            rig.deliver(Exit{aarch64::irq_service(aarch64::IrqService::maintenance)}, vcpu);
        between(rig, input, vcpu);
        SEL4VM_ASSERT(rig.lists[vcpu].violation() == nullptr);
    }
    SEL4VM_ASSERT(rig.allocator.requests() == allocations); // nothing is allocated on the exit path
    SEL4VM_ASSERT(rig.log.lines.size() < 64);
    return 0;
}
