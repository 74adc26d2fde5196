// SPDX-License-Identifier: BSD-2-Clause
//
// The states of a VM and why it stopped.
//
//     built --start--> starting --> running <--pause/resume--> paused
//     running --reset--> resetting --> running          any --stop--> stopping --> stopped --reset--> resetting
//
// A change is requested from any thread; it takes effect when every vCPU that runs has been parked by its executor. What takes
// long, bringing memory into its first state, goes in steps: turns of the boot vCPU, between which others run.
#pragma once

#include <sel4vm/base/types.hpp>
#include <sel4vm/host/vcpu_start.hpp>

namespace sel4vm {

enum class VmState : u8 { built, starting, running, pausing, paused, resetting, stopping, stopped };

enum class StopReason : u8 {
    none,        ///< it has not stopped
    powered_off, ///< the guest asked (PSCI SYSTEM_OFF)
    reset, ///< the guest asked for a reset, and VmConfig::on_reset says stop, or there are no LifecycleHooks to perform one
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

/// What a step on the way to a boot came to.
class BootStep {
public:
    enum class Kind : u8 { more, ready, failed };
    /// There is more to do.
    static constexpr BootStep more() { return BootStep{Kind::more, {}}; }
    static constexpr BootStep ready(const VcpuStart &start) { return BootStep{Kind::ready, start}; }
    static constexpr BootStep failed() { return BootStep{Kind::failed, {}}; }

    [[nodiscard]] constexpr Kind kind() const { return kind_; }
    /// Of one that is ready: where the boot vCPU begins.
    [[nodiscard]] constexpr const VcpuStart &start() const { return start_; }

private:
    constexpr BootStep(Kind kind, const VcpuStart &start) : kind_(kind), start_(start) {}
    Kind kind_;
    VcpuStart start_;
};

/// How much memory a step clears, or copies: the caches behind it included, well below a millisecond on any machine.
inline constexpr u64 kBootStepBytes = 256 * kKiB;

/// The first step of a boot, or one that goes on with it. A boot that is not finished may be followed by another's first step.
enum class BootCall : u8 { first, next };

/// What starting a VM needs beyond the core, which resets devices and vCPUs itself: memory and images; and who hears of its states.
class LifecycleHooks {
public:
    /// Puts guest memory into its first state, at start and at each reset, one step a call: about kBootStepBytes of it. When
    /// it fails, the VM stops.
    [[nodiscard]] virtual BootStep prepare_boot(Vm &vm, BootCall call) = 0;
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
