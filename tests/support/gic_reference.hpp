// SPDX-License-Identifier: BSD-2-Clause
//
// What a GIC does, said as plainly as possible: one record for each interrupt of each vCPU, no list registers, searched
// from end to end. The randomized test compares the model with it.
#pragma once

#include <sel4vm/base/types.hpp>

#include <map>
#include <optional>
#include <vector>

namespace sel4vm::test {

class GicReference {
public:
    struct Irq {
        bool enabled = false;
        bool edge = false;
        bool wire = false;
        bool latch = false;
        u32 senders = 0; ///< SGIs: instead of the latch
        int active_on = -1;
        u8 priority = 0;
        u8 group = 0;
        u32 targets = 0; ///< vCPUs, as a mask
        [[nodiscard]] bool pending() const { return latch || senders != 0 || (wire && !edge); }
    };
    struct Running {
        u32 intid;
        u32 source;
        u8 priority;
    };

    GicReference(u32 cpus, u32 intids)
        : cpus_(cpus), intids_(intids), running(cpus), private_(cpus, std::vector<Irq>(32)), shared_(intids) {
        for (auto &bank : private_) {
            for (u32 sgi = 0; sgi < 16; ++sgi)
                bank[sgi].edge = true;
        }
        for (u32 cpu = 0; cpu < cpus; ++cpu) {
            for (Irq &irq : private_[cpu])
                irq.targets = 1u << cpu;
        }
        for (Irq &irq : shared_)
            irq.targets = 1;
    }

    Irq &at(u32 cpu, u32 intid) { return intid < 32 ? private_[cpu][intid] : shared_[intid]; }
    [[nodiscard]] u32 intids() const { return intids_; }

    void set_wire(u32 cpu, u32 intid, bool high) {
        Irq &irq = at(cpu, intid);
        if (irq.edge && high && !irq.wire)
            irq.latch = true;
        irq.wire = high;
    }
    /// The lowest-numbered of its targets that is on.
    [[nodiscard]] bool takes(const Irq &irq, u32 cpu) const {
        const u32 able = irq.targets & on;
        return able != 0 && (able & (~able + 1)) == 1u << cpu;
    }
    /// What it has active stays so.
    void turn_off(u32 cpu) {
        on &= ~(1u << cpu);
        running[cpu].clear();
    }
    void turn_on(u32 cpu) { on |= 1u << cpu; }
    [[nodiscard]] bool deliverable(u32 cpu, u32 intid) {
        const Irq &irq = at(cpu, intid);
        return irq.enabled && (groups >> irq.group & 1) != 0 && irq.pending() && irq.active_on < 0 && takes(irq, cpu);
    }
    /// The priority that the vCPU's next acknowledgement must have; none when it must be spurious.
    std::optional<u8> next(u32 cpu) {
        std::optional<u8> best;
        for (u32 intid = 0; intid < intids_; ++intid) {
            if (deliverable(cpu, intid) && (!best || at(cpu, intid).priority < *best))
                best = at(cpu, intid).priority;
        }
        if (best && !running[cpu].empty() && *best >= running[cpu].back().priority)
            return std::nullopt;
        return best;
    }
    void acknowledged(u32 cpu, u32 intid, u32 source) {
        Irq &irq = at(cpu, intid);
        running[cpu].push_back({intid, source, irq.priority});
        irq.latch = false;
        irq.senders &= ~(1u << source);
        irq.active_on = static_cast<int>(cpu);
    }
    /// Ends what runs; the caller tells the hardware the same.
    Running end(u32 cpu) {
        const Running ended = running[cpu].back();
        running[cpu].pop_back();
        Irq &irq = at(cpu, ended.intid);
        if (irq.active_on == static_cast<int>(cpu))
            irq.active_on = -1;
        return ended;
    }
    /// How many interrupts a vCPU has active, each in a list register.
    [[nodiscard]] u32 active_count(u32 cpu) {
        u32 count = 0;
        for (u32 intid = 0; intid < intids_; ++intid)
            count += at(cpu, intid).active_on == static_cast<int>(cpu) ? 1u : 0u;
        return count;
    }

    /// Whether any vCPU has acknowledged it and not ended it.
    [[nodiscard]] bool runs(u32 intid) const {
        for (const auto &each : running) {
            for (const Running &one : each) {
                if (one.intid == intid)
                    return true;
            }
        }
        return false;
    }
    /// Whether every running priority belongs to an interrupt that is active here.
    [[nodiscard]] bool running_is_visible(u32 cpu) {
        for (const Running &each : running[cpu]) {
            if (at(cpu, each.intid).active_on != static_cast<int>(cpu))
                return false;
        }
        return true;
    }

    u32 groups = 0;   ///< forwarded
    u32 on = ~u32{0}; ///< vCPUs
private:
    u32 cpus_;
    u32 intids_;

public:
    std::vector<std::vector<Running>> running;

private:
    std::vector<std::vector<Irq>> private_;
    std::vector<Irq> shared_;
};

} // namespace sel4vm::test
