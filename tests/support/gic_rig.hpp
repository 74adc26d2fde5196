// SPDX-License-Identifier: BSD-2-Clause
//
// A GIC without a Vm: the core, its register files, and fake list registers with a guest behind each. A test plays the
// guest (registers, acknowledge, end) and the host (maintenance, kicks).
#pragma once

#include <hosts/fake/heap_allocator.hpp>
#include <hosts/fake/list_registers.hpp>
#include <hosts/fake/virtual_timer.hpp>
#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/dev/arm/gic/distributor_v2.hpp>
#include <sel4vm/dev/arm/gic/distributor_v3.hpp>
#include <sel4vm/dev/arm/gic/gic_core.hpp>
#include <sel4vm/dev/arm/gic/redistributor.hpp>
#include <sel4vm/dev/arm/gic/sgi.hpp>

#include <deque>
#include <utility>

namespace sel4vm::test {

namespace gicd = aarch64::gicd;
namespace gicr = aarch64::gicr;

struct GicRigConfig {
    dev::GicVersion version = dev::GicVersion::v2;
    u32 cpus = 1;
    u32 spis = 64;
    fake::ListRegisters::Abilities abilities = fake::ListRegisters::full();
    bool message_spis = false;
    u32 first_redistributors = ~u32{0};
};

struct GicRig {
    explicit GicRig(const GicRigConfig &setup) : config(setup) {
        dev::GicConfig wanted{setup.version, setup.cpus, setup.spis, LockMode::none};
        wanted.message_spis = setup.message_spis;
        SEL4VM_ASSERT(core.init(allocator, wanted).has_value());
        for (u32 n = 0; n < setup.cpus; ++n) {
            lists.emplace_back(setup.abilities);
            timers.emplace_back();
            SEL4VM_ASSERT(core.attach(n, lists[n], timers[n]).has_value());
        }
        for (u32 n = 0; n < setup.cpus; ++n)
            turn_on(n);
    }
    [[nodiscard]] bool v2() const { return config.version == dev::GicVersion::v2; }

    // -- registers
    u64 read(u64 offset, u32 cpu = 0, Width width = Width::b4) {
        auto value = v2() ? v2_frame.read(cpu, offset, width) : v3_frame.read(cpu, offset, width);
        settle();
        return *value;
    }
    void write(u64 offset, u64 value, u32 cpu = 0, Width width = Width::b4) {
        auto done = v2() ? v2_frame.write(cpu, offset, width, value) : v3_frame.write(cpu, offset, width, value);
        SEL4VM_ASSERT(done.has_value());
        settle();
    }
    u64 read_redistributor(u32 owner, u64 offset, u32 cpu = 0, Width width = Width::b4) {
        auto value = redistributors.read(cpu, owner * dev::Redistributors::kBytesPerCpu + offset, width);
        settle();
        return *value;
    }
    void write_redistributor(u32 owner, u64 offset, u64 value, u32 cpu = 0, Width width = Width::b4) {
        auto done = redistributors.write(cpu, owner * dev::Redistributors::kBytesPerCpu + offset, width, value);
        SEL4VM_ASSERT(done.has_value());
        settle();
    }
    /// The register of a bit family that holds an interrupt, wherever the version has it: (offset, cpu) of one bit.
    void write_bits(u32 family, u32 word, u32 bits, u32 cpu = 0, u32 owner = kSame) {
        if (!v2() && word == 0)
            write_redistributor(owner == kSame ? cpu : owner, gicr::kFrameBytes + family, bits, cpu);
        else
            write(family + 4 * word, bits, cpu);
    }
    u32 read_bits(u32 family, u32 word, u32 cpu = 0) {
        return static_cast<u32>(!v2() && word == 0 ? read_redistributor(cpu, gicr::kFrameBytes + family, cpu)
                                                   : read(family + 4 * word, cpu));
    }
    bool bit_of(u32 family, u32 intid, u32 cpu = 0) {
        return (read_bits(family, intid / 32, cpu) >> (intid % 32) & 1) != 0;
    }
    void write_bit(u32 family, u32 intid, u32 cpu = 0) { write_bits(family, intid / 32, bit<u32>(intid % 32), cpu); }
    void set_priority(u32 intid, u8 priority, u32 cpu = 0) {
        if (!v2() && intid < 32)
            write_redistributor(cpu, gicr::kIpriorityr + intid, priority, cpu, Width::b1);
        else
            write(gicd::kIpriorityr + intid, priority, cpu, Width::b1);
    }
    u8 priority(u32 intid, u32 cpu = 0) {
        return static_cast<u8>(!v2() && intid < 32 ? read_redistributor(cpu, gicr::kIpriorityr + intid, cpu, Width::b1)
                                                   : read(gicd::kIpriorityr + intid, cpu, Width::b1));
    }
    void make_edge(u32 intid, u32 cpu = 0) {
        const u32 shift = 2 * (intid % 16) + 1;
        if (!v2() && intid < 32) {
            const u64 old = read_redistributor(cpu, gicr::kIcfgr1, cpu);
            write_redistributor(cpu, gicr::kIcfgr1, old | u64{1} << shift, cpu);
        } else {
            const u32 offset = gicd::kIcfgr + 4 * (intid / 16);
            write(offset, read(offset, cpu) | u64{1} << shift, cpu);
        }
    }
    void route(u32 intid, u32 cpu) {
        if (v2())
            write(gicd::kItargetsr + intid, u64{1} << cpu, 0, Width::b1);
        else
            write(gicd::kIrouter + 8 * intid, aarch64::affinity_of_vcpu(cpu), 0, Width::b8);
    }
    /// Forwards both groups, wakes the redistributors.
    void open() {
        write(gicd::kCtlr, 3);
        for (u32 n = 0; !v2() && n < config.cpus; ++n)
            write_redistributor(n, gicr::kWaker, 0, n);
    }
    /// Makes an interrupt deliverable to a vCPU.
    void arm(u32 intid, u8 priority = 0x80, u32 cpu = 0) {
        set_priority(intid, priority, cpu);
        if (intid >= 32)
            route(intid, cpu);
        write_bit(gicd::kIsenabler, intid, cpu);
    }
    void sgi_v2(u32 value, u32 cpu = 0) { write(gicd::kSgir, value, cpu); }
    void sgi_v3(u64 value, u32 cpu = 0, dev::SgiRegister which = dev::SgiRegister::sgi1) {
        dev::send_sgi_v3(core, cpu, which, value);
        settle();
    }
    /// An SGI to one vCPU in the version's way.
    void send_sgi(u32 from, u32 to, u32 sgi) {
        if (v2())
            sgi_v2(1u << (16 + to) | sgi, from);
        else
            sgi_v3(u64{aarch64::affinity_of_vcpu(to) & 0xff00} << 8 | u64{sgi} << 24 | u64{1} << (to % 16), from);
    }

    // -- wires
    void raise(u32 intid, u32 cpu = 0) { set(intid, Level::high, cpu); }
    void lower(u32 intid, u32 cpu = 0) { set(intid, Level::low, cpu); }
    /// As Gic::inject() does where list registers can be written at any time: the short way, or pending.
    void inject(u32 intid, u32 cpu = 0) {
        const u8 target = core.irqs().target_of(cpu, intid);
        const bool shared = intid >= 32 && target != dev::kNoCpu;
        if (!shared || !core.delivery(target).load_injected_alone(core.irqs().shared(intid / 32), intid % 32, intid))
            core.irqs().set_pending(cpu, intid / 32, bit<u32>(intid % 32));
        settle();
    }
    void pulse(u32 intid, u32 cpu = 0) {
        raise(intid, cpu);
        lower(intid, cpu);
    }
    void set(u32 intid, Level level, u32 cpu) {
        core.irqs().set_wire(cpu, intid, level);
        settle();
    }
    void fire_timer(u32 cpu = 0, u32 intid = 27) {
        SEL4VM_ASSERT(timers[cpu].fires());
        core.delivery(cpu).timer_fired(intid);
        settle();
    }

    // -- power
    void turn_off(u32 cpu) {
        core.turned_off(cpu);
        settle();
    }
    /// The guest then opens its CPU interface, as it does first of all.
    void turn_on(u32 cpu) {
        lists[cpu].restart();
        core.turned_on(cpu);
        lists[cpu].set_control(fake::ListRegisters::kOpen);
        settle();
    }
    /// The guest closes its CPU interface, or opens it.
    void set_control(u32 cpu, u32 control) {
        lists[cpu].set_control(control);
        settle();
    }

    // -- the host
    /// Who is woken, as a mask.
    [[nodiscard]] u32 take_wakes() {
        u32 mask = 0;
        core.irqs().take_wakes().for_each([&](u32 n) { mask |= bit<u32>(n); });
        return mask;
    }
    /// Lets every woken vCPU do its sync; maintenance where the hardware asks for it.
    void settle() {
        if (!automatic)
            return;
        for (int round = 0; round < 64; ++round) {
            const dev::CpuSet wakes = core.irqs().take_wakes();
            bool quiet = wakes.empty();
            for (u32 n = 0; n < config.cpus; ++n) {
                if (wakes.has(n) && core.irqs().cpu(n).on)
                    core.delivery(n).service();
                if (lists[n].maintenance_asserted() && core.irqs().cpu(n).on) {
                    core.delivery(n).maintain();
                    quiet = false;
                }
            }
            if (quiet)
                return;
        }
        SEL4VM_PANIC("the GIC does not come to rest");
    }
    void sync(u32 cpu = 0) { core.delivery(cpu).service(); }
    [[nodiscard]] bool deliverable(u32 cpu = 0) { return core.delivery(cpu).has_deliverable(); }

    // -- the guest at its CPU interface
    using Acknowledged = fake::ListRegisters::Acknowledged;
    std::optional<Acknowledged> acknowledge(u32 cpu = 0) { return lists[cpu].acknowledge(); }
    /// The INTID, or 1023.
    u32 take(u32 cpu = 0) {
        const auto taken = lists[cpu].acknowledge();
        return taken ? taken->intid : 1023;
    }
    void end(u32 intid, u32 cpu = 0, u8 source = 0) {
        lists[cpu].end(intid, source);
        if (const u16 physical = lists[cpu].take_ended_physical(); physical != 0 && physical == timers[cpu].physical)
            timers[cpu].masked = false;
        settle();
    }
    /// Deactivates as the trapped registers do.
    void deactivate(u32 intid, u32 cpu = 0) {
        core.deactivate(cpu, intid);
        settle();
    }
    /// Takes and ends; the INTID or 1023.
    u32 serve(u32 cpu = 0) {
        const auto taken = lists[cpu].acknowledge();
        if (!taken)
            return 1023;
        end(taken->intid, cpu, taken->source);
        return taken->intid;
    }
    [[nodiscard]] const char *violation() const {
        for (const fake::ListRegisters &each : lists) {
            if (each.violation() != nullptr)
                return each.violation();
        }
        return nullptr;
    }

    static constexpr u32 kSame = ~u32{0};
    GicRigConfig config;
    bool automatic = true;
    fake::HeapAllocator allocator;
    dev::GicCore core;
    dev::DistributorV2 v2_frame{core};
    dev::DistributorV3 v3_frame{core};
    dev::Redistributors redistributors{core, config.first_redistributors};
    std::deque<fake::ListRegisters> lists;
    std::deque<fake::VirtualTimer> timers;
};

} // namespace sel4vm::test
