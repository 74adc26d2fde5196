// SPDX-License-Identifier: BSD-2-Clause
//
// A whole VM under a stream of exits from a hostile guest: any MMIO, system register, hypercall and wait, on any of its
// vCPUs, with any registers, interleaved with interrupts, time and console input. Assertions and sanitizers judge; besides,
// hardware's rules for list registers must hold, and host memory must not grow.
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <support/machine_rig.hpp>

namespace {

using namespace sel4vm;

class Input {
public:
    explicit Input(std::span<const u8> bytes) : bytes_(bytes) {}
    [[nodiscard]] bool empty() const { return bytes_.empty(); }
    u64 number(usize count) {
        u64 value = 0;
        for (usize i = 0; i < count && !bytes_.empty(); ++i) {
            value = value << 8 | bytes_.front();
            bytes_ = bytes_.subspan(1);
        }
        return value;
    }

private:
    std::span<const u8> bytes_;
};

Width width_of(u64 n) { return static_cast<Width>(1u << (n & 3)); }

/// Mostly addresses where something is; sometimes any.
Gpa address(Input &input) {
    constexpr u64 kBases[] = {0x0800'0000, 0x080a'0000, 0x080b'0000, 0x0900'0000, 0x0901'0000, 0x4000'0000, 0, 0};
    const u64 choice = input.number(1);
    const u64 base = kBases[choice & 7];
    return Gpa{base != 0 ? base + (input.number(2) & 0xffff) : input.number(6)};
}

Exit make_exit(Input &input) {
    switch (input.number(1) & 7) {
    case 0:
    case 1: {
        const Gpa at = address(input);
        return Exit{MemoryExit{at, 0, MemoryAccess::read, width_of(input.number(1)), true}};
    }
    case 2:
    case 3: {
        const Gpa at = address(input);
        const Width width = width_of(input.number(1));
        return Exit{MemoryExit{at, input.number(bytes_of(width)), MemoryAccess::write, width, true}};
    }
    case 4: {
        constexpr u32 kFamilies[] = {0x8400'0000, 0xc400'0000, 0x8000'0000, 0x8400'0050, 0xc400'0050, 0};
        const u64 choice = input.number(1);
        const u32 family = kFamilies[choice % 6];
        const u64 function = family != 0 ? family | (input.number(1) & 0x3f) : input.number(4);
        return Exit{
            HypercallExit{function, static_cast<u16>(choice >> 6), (choice & 8) != 0 ? Conduit::smc : Conduit::hvc}};
    }
    case 5: {
        const u64 shape = input.number(3);
        const u32 op0 = (shape & 1) != 0 ? 3 : 2;
        const u32 id = aarch64::sysreg_id(op0, static_cast<u32>(shape >> 1 & 7), static_cast<u32>(shape >> 4 & 15),
                                          static_cast<u32>(shape >> 8 & 15), static_cast<u32>(shape >> 12 & 7));
        return Exit{SystemRegisterExit{id, (shape >> 15 & 1) != 0, input.number(8)}};
    }
    case 6: return Exit{WaitExit{(input.number(1) & 1) != 0, 0}};
    default: {
        constexpr ExitKind kPlain[] = {ExitKind::kicked, ExitKind::irq_maintenance, ExitKind::undefined,
                                       ExitKind::debug};
        const u64 choice = input.number(1);
        if (choice & 4)
            return Exit{TimerExit{27}};
        return Exit{kPlain[choice & 3]};
    }
    }
}

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
        rig.machine->vm().irq_chip()->set_level(33 + (what >> 3 & 3), level_of((what & 0x20) != 0));
    if (what & 0x40)
        rig.clock.advance(input.number(3));
    if (what & 0x80) {
        if (dev::Pl011 *uart = rig.machine->console_uart()) {
            const std::array<u8, 3> bytes{1, 2, static_cast<u8>(what)};
            static_cast<void>(uart->receive(bytes));
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
            rig.deliver(Exit{ExitKind::irq_maintenance}, vcpu);
        between(rig, input, vcpu);
        SEL4VM_ASSERT(rig.lists[vcpu].violation() == nullptr);
    }
    SEL4VM_ASSERT(rig.allocator.requests() == allocations); // nothing is allocated on the exit path
    SEL4VM_ASSERT(rig.log.lines.size() < 64);
    return 0;
}
