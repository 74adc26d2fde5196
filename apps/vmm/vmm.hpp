// SPDX-License-Identifier: BSD-2-Clause
//
// The reference VMM: reads the bundle that came with the image, builds its VMs on the el2 host, runs them to their end on
// the boot CPU, and says how they ended. All policy that is not in the bundle is here.
#pragma once

#include <apps/vmm/console.hpp>
#include <apps/vmm/trace.hpp>

#include <hosts/el2/host.hpp>
#include <hosts/el2/vcpu/processor.hpp>
#include <sel4vm/boot/bundle.hpp>
#include <sel4vm/machine/arm/virt_machine.hpp>
#include <sel4vm/vm/access_counts.hpp>
#include <sel4vm/vm/executor.hpp>

namespace sel4vm::vmm {

/// Exit statuses of the run, docs/console.md.
enum class Status : u8 { ok = 0, vm_error = 1, cannot_start = 2 };

class Vmm final : private ExecutorListener {
public:
    explicit Vmm(el2::Host &host);
    Vmm(const Vmm &) = delete;
    Vmm &operator=(const Vmm &) = delete;

    /// Everything, from the bundle to the end of the last VM. The result is for the host to leave the machine with: where
    /// the console has said the status, switching off is enough.
    [[nodiscard]] int run();

private:
    [[nodiscard]] Status run_system();
    /// One VM and what its host side is made of. Destroyed in reverse order: the machine first.
    struct Guest {
        Owned<el2::GuestSpace> space;
        el2::VmShare share;
        OwnedArray<Owned<el2::Vcpu>> vcpus;
        OwnedArray<aarch64::VcpuPorts> ports;
        Owned<machine::VirtMachine> machine;
    };

    /// Of accesses to devices.
    struct Counting {
        Counting(EventPort &to, Clock &clock, const BusNames &names) : counts(names), port(to, clock, counts) {}
        AccessCounts counts;
        RecordingPort port;
    };

    [[nodiscard]] EventPort &events();
    [[nodiscard]] bool read_bundle();
    [[nodiscard]] bool build(usize index);
    [[nodiscard]] bool make_vcpus(Guest &guest, usize index);
    [[nodiscard]] bool out_of_memory(const machine::MachineDescription &description);
    void report_setup(const machine::MachineDescription &description, const machine::VirtMachine &machine);
    void report_exits(Vm &vm);
    void report_accesses(const Vm &vm);

    // ExecutorListener
    void notification(u64 badge, u64 message) override;
    void vm_stopped(Vm &vm) override;

    el2::Host &host_;
    el2::LineMode mode_;
    el2::LineLog log_;
    GuestLine line_;
    GuestsLine guests_line_;
    machine::SystemDescription system_;
    OwnedArray<std::span<const u8>> blobs_;
    Owned<el2::Processor> processor_;
    BusNames names_;
    Owned<Counting> counting_; ///< when asked for
    Owned<Trace> trace_;       ///< when asked for
    Owned<machine::ConsoleSwitch> consoles_;
    Owned<Executor> executor_;
    FixedVector<Guest, machine::kMaxVms> guests_;
    Status status_ = Status::ok;
};

} // namespace sel4vm::vmm
