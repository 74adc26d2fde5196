// SPDX-License-Identifier: BSD-2-Clause
//
// The states of a VM and why it stopped.
//
//     built --start--> running <--pause/resume--> paused
//     running --reset--> resetting --> running          any --stop--> stopping --> stopped --reset--> resetting
//
// A change is requested from any thread; it takes effect when every vCPU that runs has been parked by its executor.
#pragma once

#include <sel4vm/base/types.hpp>

#include <optional>

namespace sel4vm {

enum class VmState : u8 { built, running, pausing, paused, resetting, stopping, stopped };

enum class StopReason : u8 {
    none,        ///< it has not stopped
    powered_off, ///< the guest asked (PSCI SYSTEM_OFF)
    reset,       ///< the guest asked for a reset and nobody performs one (no LifecycleHooks)
    client,      ///< Vm::stop()
    guest_error, ///< the fault policy said stop_vm
    guest_crash, ///< the guest reported its own crash, or every vCPU turned itself off
    host_error,  ///< the host could not go on with this VM
};
[[nodiscard]] const char *to_string(StopReason reason);
[[nodiscard]] const char *to_string(VmState state);

enum class LifecycleError : u8 {
    wrong_state, ///< not possible from the present state
    no_vcpu,
    failed, ///< the hooks could not rebuild the guest
};

class Vm;
class Vcpu;

/// Where the boot vCPU starts.
struct BootEntry {
    u64 entry;
    u64 argument; ///< first argument register; AArch64 Linux: the device tree
};

/// What starting a VM needs beyond the core, which resets devices and vCPUs itself: memory and images.
class LifecycleHooks {
public:
    /// Puts guest memory into its first state, at start and at each reset. No value: it could not; the VM stops.
    [[nodiscard]] virtual std::optional<BootEntry> prepare_boot(Vm &vm) = 0;
    /// The VM has reached VmState::paused, and it is about to leave it for running.
    virtual void paused(Vm &vm) = 0;
    virtual void resuming(Vm &vm) = 0;
    /// A reset is done and the boot vCPU runs. Called without a lock.
    virtual void restarted(Vm &vm) { static_cast<void>(vm); }
    /// The VM has reached VmState::stopped.
    virtual void stopped(Vm &vm, StopReason reason) = 0;
    /// The vCPU was reset and is about to run: its registers may still be changed.
    virtual void entering(Vcpu &vcpu) { static_cast<void>(vcpu); }
    /// The vCPU has turned itself off.
    virtual void turned_off(Vcpu &vcpu) { static_cast<void>(vcpu); }

protected:
    ~LifecycleHooks() = default;
};

/// What happens when the guest asks for a reset.
enum class ResetPolicy : u8 { restart, stop };

} // namespace sel4vm
