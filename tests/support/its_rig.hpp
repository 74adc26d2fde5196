// SPDX-License-Identifier: BSD-2-Clause
//
// A machine with an ITS, and a driver for it: tables and a command queue in the guest's memory, LPI registers, CPU interfaces.
#pragma once

#include <sel4vm/arch/aarch64/irq_service.hpp>
#include <sel4vm/arch/aarch64/its_registers.hpp>
#include <sel4vm/dev/arm/gic/its.hpp>
#include <support/machine_rig.hpp>

#include <array>

namespace sel4vm::test {

namespace gits = aarch64::gits;
using aarch64::ItsCommand;

inline constexpr u64 kItsBase = 0x0808'0000;
inline constexpr u64 kGicdBase = 0x0800'0000;
inline constexpr u64 kGicrBase = 0x080a'0000;

inline fake::ListRegisters::Abilities with_lpis(u8 lists = 4) {
    auto abilities = fake::ListRegisters::full(lists);
    abilities.max_intid = 0xffff;
    return abilities;
}

inline machine::MachineDescription its_machine(u32 vcpus) {
    machine::MachineDescription vm = small_machine(machine::GicVersion::v3, vcpus);
    vm.gic.msi.kind = machine::MsiKind::its;
    return vm;
}

struct ItsRig {
    // In the guest's RAM, which ends at 0x4080'0000.
    static constexpr u64 kDevices = 0x4040'0000;     // 4 KiB: 512 devices
    static constexpr u64 kCollections = 0x4041'0000; // 4 KiB
    static constexpr u64 kQueue = 0x4042'0000;       // 4 KiB: 128 commands
    static constexpr u64 kConfiguration = 0x4043'0000;
    static constexpr u64 kPending = 0x4050'0000; // 64 KiB each
    static constexpr u64 kTranslations = 0x4060'0000;
    static constexpr u32 kQueueBytes = 0x1000;
    static constexpr u64 kValid = u64{1} << 63;

    explicit ItsRig(u32 vcpus = 1, u8 lists = 4) : ItsRig(its_machine(vcpus), lists) {}
    explicit ItsRig(const machine::MachineDescription &what, u8 lists = 4) : rig(what, with_lpis(lists)) {
        SEL4VM_ASSERT(rig.start());
        // As a driver does before it hands the tables over; the device tree lies there.
        SEL4VM_ASSERT(memory().fill(Gpa{kDevices}, 4 * kMiB, 0).has_value());
        for (u16 n = 1; n < vcpus(); ++n) {
            Vm &vm = rig.machine->vm();
            SEL4VM_ASSERT(vm.power_on(vm.vcpu(VcpuId{n}), {}) == Vm::PowerOn::done);
        }
    }
    /// What a driver does first.
    void open() {
        store(kGicdBase, 3);
        for (u32 n = 0; n < vcpus(); ++n) {
            const u64 at = kGicrBase + n * dev::Redistributors::kBytesPerCpu;
            store(at + aarch64::gicr::kWaker, 0);
            store(at + aarch64::gicr::kPropbaser, kConfiguration | 13, 0, Width::b8);
            store(at + aarch64::gicr::kPendbaser, (kPending + n * 0x1'0000) | u64{1} << 62, 0, Width::b8);
            store(at, 1);
            rig.lists[n].set_control(fake::ListRegisters::kOpen);
        }
        set_its(gits::kBaser, kValid | kDevices);
        set_its(gits::kBaser + 8, kValid | kCollections);
        set_its(gits::kCbaser, kValid | kQueue);
        store(kItsBase + gits::kCtlr, 1);
    }
    [[nodiscard]] u32 vcpus() const { return rig.description.vcpu_count; }

    // -- accesses
    void store(u64 at, u64 value, u16 cpu = 0, Width width = Width::b4) {
        static_cast<void>(handle(Exit{MemoryExit{Gpa{at}, value, MemoryAccess::write, width, true}}, cpu));
    }
    u64 load(u64 at, u16 cpu = 0, Width width = Width::b4) {
        return handle(Exit{MemoryExit{Gpa{at}, 0, MemoryAccess::read, width, true}}, cpu).data();
    }
    void set_its(u64 at, u64 value, u16 cpu = 0) { store(kItsBase + at, value, cpu, Width::b8); }
    u64 its(u64 at) { return load(kItsBase + at, 0, Width::b8); }
    Answer handle(const Exit &exit, u16 cpu) {
        Vm &vm = rig.machine->vm();
        return vm.handle(vm.vcpu(VcpuId{cpu}), exit);
    }
    GuestMemory &memory() { return rig.machine->vm().memory(); }
    void poke(u64 at, u64 value) { SEL4VM_ASSERT(memory().store<u64>(Gpa{at}, value).has_value()); }

    // -- commands
    using Words = std::array<u64, 4>;
    static Words command(ItsCommand what, u32 device = 0, u32 event = 0, u64 rest = 0) {
        return {u64{device} << 32 | static_cast<u64>(what), event, rest, 0};
    }
    static u64 translations(u32 device) { return kTranslations + u64{device} * 0x400; }
    /// 2^bits events at the device's own place.
    static Words mapd(u32 device, u32 bits) {
        return command(ItsCommand::mapd, device, bits - 1, kValid | translations(device));
    }
    static Words unmapd(u32 device) { return command(ItsCommand::mapd, device); }
    static Words mapc(u32 collection, u64 cpu) {
        return command(ItsCommand::mapc, 0, 0, kValid | cpu << 16 | collection);
    }
    static Words unmapc(u32 collection) { return command(ItsCommand::mapc, 0, 0, collection); }
    static Words mapti(u32 device, u32 event, u32 intid, u32 collection) {
        Words words = command(ItsCommand::mapti, device, event, collection);
        words[1] |= u64{intid} << 32;
        return words;
    }
    static Words movall(u64 from, u64 to) {
        Words words = command(ItsCommand::movall, 0, 0, from << 16);
        words[3] = to << 16;
        return words;
    }
    /// Puts one into the queue.
    void put(const Words &words) {
        for (u32 n = 0; n < 4; ++n)
            poke(kQueue + next + 8 * n, words[n]);
        next = (next + 32) % kQueueBytes;
    }
    void ring(u16 cpu = 0, u64 flags = 0) { set_its(gits::kCwriter, next | flags, cpu); }
    void issue(const Words &words, u16 cpu = 0) {
        put(words);
        ring(cpu);
        settle();
    }
    /// Every vCPU's exits, as its kicks and its list registers make them.
    void settle() {
        for (int round = 0; round < 3; ++round) {
            for (u16 n = 0; n < vcpus(); ++n) {
                if (rig.machine->vm().vcpu(VcpuId{n}).power_state() != PowerState::on)
                    continue;
                static_cast<void>(handle(Exit{}, n));
                if (rig.lists[n].maintenance_asserted())
                    static_cast<void>(handle(Exit{aarch64::irq_service(aarch64::IrqService::maintenance)}, n));
            }
        }
    }
    /// An answer with Next::stop is applied.
    void park(u16 cpu) {
        Vm &vm = rig.machine->vm();
        rig.vcpus[cpu].set_state(fake::Vcpu::State::stopped);
        vm.parked(vm.vcpu(VcpuId{cpu}));
    }
    void turn_off(u16 cpu) {
        Vm &vm = rig.machine->vm();
        static_cast<void>(vm.power_off(vm.vcpu(VcpuId{cpu})));
        park(cpu);
    }
    /// The guest's table; counts from INTID 8192 on when the next INV says so.
    void configure(u32 intid, u8 priority, bool enabled) {
        SEL4VM_ASSERT(memory()
                          .store<u8>(Gpa{kConfiguration + intid - 8192}, static_cast<u8>(priority | (enabled ? 1 : 0)))
                          .has_value());
    }
    /// Device 1 with eight events, which are LPIs from `intid` on of vCPU 0.
    void map_some(u32 intid = 8192) {
        issue(mapc(0, 0));
        issue(mapd(1, 3));
        for (u32 event = 0; event < 8; ++event) {
            configure(intid + event, 0x80, true);
            issue(mapti(1, event, intid + event, 0));
            issue(command(ItsCommand::inv, 1, event));
        }
    }
    void interrupt(u32 event, u32 device = 1, u16 cpu = 0) { issue(command(ItsCommand::int_, device, event), cpu); }

    // -- the guest at its CPU interface
    u32 take(u16 cpu = 0) {
        settle();
        const auto taken = rig.lists[cpu].acknowledge();
        return taken ? taken->intid : 1023;
    }
    void end(u32 intid, u16 cpu = 0) {
        rig.lists[cpu].end(intid);
        settle();
    }
    u32 serve(u16 cpu = 0) {
        const u32 intid = take(cpu);
        if (intid != 1023)
            end(intid, cpu);
        return intid;
    }
    void expect_no_violation() {
        for (const fake::ListRegisters &each : rig.lists)
            SEL4VM_ASSERT(each.violation() == nullptr);
    }

    MachineRig rig;
    u32 next = 0; ///< offset of the next command
};

} // namespace sel4vm::test
