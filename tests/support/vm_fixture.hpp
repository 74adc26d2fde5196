// SPDX-License-Identifier: BSD-2-Clause
//
// A VM on the fake host with everything a test touches at hand. RAM is 2 MiB at 0x4000'0000 unless asked otherwise.
#pragma once

#include <hosts/fake/event_port.hpp>
#include <hosts/fake/guest_space.hpp>
#include <hosts/fake/heap_allocator.hpp>
#include <hosts/fake/services.hpp>
#include <hosts/fake/vcpu.hpp>
#include <sel4vm/arch/aarch64/architecture.hpp>
#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/vm/executor.hpp>

#include <deque>
#include <functional>

namespace sel4vm::test {

inline GpaRange range(u64 base, u64 size) { return *GpaRange::make(Gpa{base}, size); }

inline Exit read_exit(u64 gpa, Width width = Width::b4) {
    return Exit{MemoryExit{Gpa{gpa}, 0, MemoryAccess::read, width, true}};
}
inline Exit write_exit(u64 gpa, u64 data, Width width = Width::b4) {
    return Exit{MemoryExit{Gpa{gpa}, data, MemoryAccess::write, width, true}};
}
inline Exit hypercall_exit(u32 function, aarch64::Conduit conduit = aarch64::Conduit::hvc) {
    return Exit{aarch64::hypercall(function, 0, conduit)};
}
inline Exit wait_exit() { return Exit{WaitExit{false}}; }

/// Boots at the start of RAM, and counts.
struct Hooks final : LifecycleHooks {
    BootStep prepare_boot(Vm &, BootCall call) override {
        if (call == BootCall::first) {
            ++prepared;
            steps_left = more_steps;
        }
        if (fail)
            return BootStep::failed();
        if (steps_left != 0) {
            --steps_left;
            return BootStep::more();
        }
        return BootStep::ready({0x4000'0000, 0x4800'0000});
    }
    void paused(Vm &) override { ++pauses; }
    void resuming(Vm &) override { ++resumes; }
    void stopped(Vm &, StopReason reason) override {
        ++stops;
        last = reason;
    }
    void entering(Vcpu &vcpu) override {
        ++entered;
        if (first_x1 != 0)
            vcpu.port().set_general_register(1, first_x1);
        if (on_entering)
            on_entering(vcpu);
    }
    void turned_off(Vcpu &) override { ++turned_offs; }
    int prepared = 0;
    int more_steps = 0; ///< of each boot, after the first one
    int steps_left = 0;
    int entered = 0;
    int turned_offs = 0;
    u64 first_x1 = 0;
    std::function<void(Vcpu &)> on_entering;
    int pauses = 0;
    int resumes = 0;
    int stops = 0;
    bool fail = false;
    StopReason last = StopReason::none;
};

struct Listener final : ExecutorListener {
    void notification(u64 badge, u64 message) override {
        badges |= badge;
        messages.push_back(message);
    }
    void vm_stopped(Vm &vm) override {
        ++stopped;
        if (on_stopped)
            on_stopped(vm);
    }
    void vm_restarted(Vm &) override { ++restarted; }
    u64 badges = 0;
    std::vector<u64> messages;
    int stopped = 0;
    int restarted = 0;
    std::function<void(Vm &)> on_stopped;
};

struct VmFixture {
    static constexpr u64 kRam = 0x4000'0000;

    explicit VmFixture(usize vcpus = 1, ResetPolicy on_reset = ResetPolicy::restart, u64 ram_bytes = 2 * kMiB)
        : vm(VmConfig{.name = "guest", .id = VmId{0}, .on_reset = on_reset, .architecture = &aarch64::architecture()},
             space, allocator, log) {
        for (usize i = 0; i < vcpus; ++i) {
            fake::Vcpu &port = ports.emplace_back();
            auto added = vm.add_vcpu(port);
            SEL4VM_ASSERT(added.has_value());
            events.add(VmId{0}, (*added)->id(), port);
        }
        if (ram_bytes > 0)
            SEL4VM_ASSERT(vm.add_memory(range(kRam, ram_bytes), RegionKind::ram).has_value());
        vm.set_lifecycle_hooks(&hooks);
        SEL4VM_ASSERT(executor.add(vm));
    }
    Vcpu &vcpu(u16 n = 0) { return vm.vcpu(VcpuId{n}); }
    Answer handle(const Exit &exit, u16 n = 0) { return vm.handle(vcpu(n), exit); }
    void script(const Exit &exit, u16 n = 0) { events.script(VmId{0}, VcpuId{n}, exit); }
    /// Steps until the script is used up and the host is idle, or the VM stopped.
    void run() { executor.run(); }

    fake::HeapAllocator allocator;
    fake::GuestSpace space;
    fake::Log log;
    fake::Clock clock;
    fake::EventPort events;
    std::deque<fake::Vcpu> ports;
    Hooks hooks;
    Listener listener;
    Vm vm;
    Executor executor{events, clock, listener};
};

} // namespace sel4vm::test
