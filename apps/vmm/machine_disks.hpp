// SPDX-License-Identifier: BSD-2-Clause
//
// Disks of the machine that VMs have: found among its virtio devices by the names that they tell, and driven by this host. Says in the log why one
// cannot be had.
//
// Threads: the boot CPU, before any VM runs; their interrupts come to the boot CPU.
#pragma once

#include <hosts/el2/host.hpp>
#include <hosts/el2/platform/device_registers.hpp>
#include <hosts/el2/portable/virtio_nodes.hpp>

#include <sel4vm/base/owned_array.hpp>
#include <sel4vm/drivers/virtio/virtio_disk.hpp>
#include <sel4vm/machine/description.hpp>
#include <sel4vm/machine/disk_source.hpp>

namespace sel4vm::vmm {

class MachineDisks final : public machine::DiskSource {
public:
    MachineDisks(el2::Host &host, Log &log, const machine::SystemDescription &system)
        : host_(host), log_(log), system_(system) {}
    MachineDisks(const MachineDisks &) = delete;
    MachineDisks &operator=(const MachineDisks &) = delete;

    /// Finds all those that VMs have; others are left alone, after they were asked for their names. False: one is not there.
    [[nodiscard]] bool open();
    [[nodiscard]] BlockDevice *give_disk(std::string_view name, DiskAccess access, WorkTurns &turns) override;
    void take_disk_back(std::string_view name) override;

private:
    class Disk final : public el2::IrqHandler {
    public:
        Disk(HostPhys registers, DriverMemory memory) : registers_(registers), driver_(registers_, memory) {}
        void on_irq(u32) override { driver_.interrupt(); }
        [[nodiscard]] drivers::VirtioDisk &driver() { return driver_; }
        std::string_view name{}; ///< as a description has it

    private:
        el2::MmioRegisters registers_;
        drivers::VirtioDisk driver_;
    };

    [[nodiscard]] bool is_wanted() const;
    /// The name as a description has it; empty: nobody wants it.
    [[nodiscard]] std::string_view wanted(std::string_view name) const;
    [[nodiscard]] bool look_at(const el2::VirtioNode &node);
    [[nodiscard]] bool take(Owned<Disk> disk, const el2::VirtioNode &node);
    [[nodiscard]] bool all_there() const;
    [[nodiscard]] bool is_passed_on(const el2::VirtioNode &node) const;
    [[nodiscard]] Disk *find(std::string_view name) const;
    [[nodiscard]] bool out_of_memory() const;

    el2::Host &host_;
    Log &log_;
    const machine::SystemDescription &system_;
    u32 legacy_ = 0;                 ///< devices of the version that is not driven
    std::optional<HostPhys> memory_; ///< for the next one
    FixedVector<Owned<Disk>, machine::kMaxMachineDisks> disks_;
};

} // namespace sel4vm::vmm
