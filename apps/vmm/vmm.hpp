// SPDX-License-Identifier: BSD-2-Clause
//
// The reference VMM: reads the bundle that came with the image, builds its VMs on the el2 host, runs them to their end on
// the machine's CPUs, and says how they ended. All policy that is not in the bundle is here.
//
// Threads: the boot CPU, but for vm_stopped() and vm_restarted(), which come on the CPU that settles the VM.
#pragma once

#include <apps/vmm/console.hpp>
#include <apps/vmm/console_menu.hpp>
#include <apps/vmm/cpus.hpp>
#include <apps/vmm/machine_disks.hpp>
#include <apps/vmm/passthrough.hpp>

#include <sel4vm/boot/bundle.hpp>
#include <sel4vm/machine/arm/virt_machine.hpp>
#include <sel4vm/machine/cpu_placement.hpp>

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
        OwnedArray<el2::VmShare> shares; ///< by CPU
        OwnedArray<Owned<el2::Vcpu>> vcpus;
        OwnedArray<aarch64::VcpuPorts> ports;
        GivenDevices given;
        Owned<machine::VirtMachine> machine;
    };

    [[nodiscard]] bool read_bundle();
    /// Decides which CPU runs which vCPU, and starts those CPUs.
    [[nodiscard]] bool open_cpus();
    [[nodiscard]] bool build(usize index);
    [[nodiscard]] bool make_vcpus(Guest &guest, usize index);
    void set_priority(el2::VmShare &share, usize index, u32 cpu);
    [[nodiscard]] LockMode locks_of(usize index) const;
    /// To each CPU that has a vCPU of it, and to the boot CPU, where its console is.
    [[nodiscard]] bool add_to_executors(Vm &vm, usize index);
    [[nodiscard]] bool out_of_memory(const machine::MachineDescription &description);
    void report_setup(const machine::MachineDescription &description, const machine::VirtMachine &machine);
    void report_exits(Vm &vm);
    void report_networks(const Vm &vm);

    // ExecutorListener
    void notification(u64 badge, u64 message) override;
    void vm_stopped(Vm &vm) override;
    void vm_restarted(Vm &vm) override { console_changes(vm); }
    void console_changes(Vm &vm);

    el2::Host &host_;
    el2::LineMode mode_;
    SharedLog log_;
    GuestLine line_;
    machine::SystemDescription system_;
    OwnedArray<std::span<const u8>> blobs_;
    BusNames names_;
    Cpus cpus_;
    machine::CpuPlacement placement_;
    Owned<machine::ConsoleSwitch> consoles_;
    ConsoleMenu menu_;
    machine::SharedMemories shared_;
    machine::Networks networks_;
    Passthrough passthrough_;
    MachineDisks disks_;
    FixedVector<Guest, machine::kMaxVms> guests_;
    std::atomic<u32> changed_{0}; ///< VMs whose console is to be taken away or given back
    std::atomic<Status> status_{Status::ok};
};

} // namespace sel4vm::vmm
