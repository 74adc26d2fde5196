// SPDX-License-Identifier: BSD-2-Clause
//
// A guest on the host that a program was linked with: the `virt` machine of a description, and everything that it has from the host.
// Deliberately no device of its own: what a description cannot say is attached to vm() before the start.
//
// Threads: as program/host.hpp.
#pragma once

#include <sel4vm/machine/arm/host_gic.hpp>
#include <sel4vm/machine/arm/virt_machine.hpp>
#include <sel4vm/program/host_objects.hpp>
#include <sel4vm/vm/statistics.hpp>

#include <optional>
#include <span>

namespace sel4vm::program {

class Host;

struct GuestOptions {
    /// What ImageRecord::blob counts; outlives the guest. Empty: each image is the program's file that ImageRecord::source names.
    std::span<const std::span<const u8>> images{};
    /// Where its console UART's bytes go; outlives the guest. nullptr: to the host's console, whose input it shares, too.
    ByteSink *console = nullptr;
};

class Guest {
public:
    /// Host::make_guest() makes and builds one.
    explicit Guest(Host &host) : host_(host) {}
    Guest(const Guest &) = delete;
    Guest &operator=(const Guest &) = delete;
    /// Also while it runs, and from inside Host::run(): from a signal's handler, the host's listener, or a device of another guest. Not from a device or
    /// handler of its own: that signals instead (EventPort::signal).
    ~Guest();

    [[nodiscard]] machine::VirtMachine &machine() { return *machine_; }
    [[nodiscard]] Vm &vm() { return machine_->vm(); }
    /// Loads its images; it runs in Host::run().
    [[nodiscard]] Status<LifecycleError> start() { return vm().start(); }
    /// Starts it anew from its images, also after it has stopped; done in Host::run().
    [[nodiscard]] Status<LifecycleError> reset() { return vm().reset(); }
    /// StopReason::none while it has not stopped.
    [[nodiscard]] StopReason stop_reason() {
        return vm().state() == VmState::stopped ? vm().stop_reason() : StopReason::none;
    }
    /// What vCPU `id`, which it has, did since it was made.
    [[nodiscard]] VcpuStatistics statistics(VcpuId id);

private:
    friend class Host;

    [[nodiscard]] Status<machine::BuildError> build(const machine::MachineDescription &description,
                                                    const GuestOptions &options);
    [[nodiscard]] Status<machine::BuildError> find_images(const GuestOptions &options);
    [[nodiscard]] Status<machine::BuildError> make_host_gic();
    [[nodiscard]] machine::HostSide host_side(VmId id, const GuestOptions &options);
    void disconnect_console();
    void reconnect_console();

    Host &host_;
    machine::MachineDescription description_;
    OwnedArray<std::span<const u8>> files_;
    std::span<const std::span<const u8>> images_;
    HostObjects objects_;
    ByteSink *console_ = nullptr;              ///< its end of the host's
    std::optional<machine::HostGic> host_gic_; ///< where the host has its own
    Owned<machine::VirtMachine> machine_;
    bool added_ = false; ///< to the executor
};

} // namespace sel4vm::program
