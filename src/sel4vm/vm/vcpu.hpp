// SPDX-License-Identifier: BSD-2-Clause
//
// A virtual CPU as the core sees it: identity, power state, counters, and the port to the host's vCPU. Power state is
// changed under the VM's lifecycle lock (start, off) or on the vCPU's own executor (waiting).
#pragma once

#include <sel4vm/base/repeat_guard.hpp>
#include <sel4vm/base/types.hpp>
#include <sel4vm/host/exit.hpp>
#include <sel4vm/host/vcpu_port.hpp>
#include <sel4vm/host/vcpu_start.hpp>

#include <array>
#include <atomic>

namespace sel4vm {

class Vm;
struct MapSlot;

enum class PowerState : u8 {
    off,        ///< not started, or turned itself off
    on_pending, ///< being started
    on,
    off_pending, ///< turned itself off; its executor has not stopped it yet
};

/// Exits counted per kind; statistics only.
struct ExitCounters {
    std::array<u64, kExitKinds> by_kind{};
    void count(ExitKind kind) { ++by_kind[static_cast<usize>(kind)]; }
};

class Vcpu {
public:
    Vcpu(Vm &vm, VcpuId id, VcpuPort &port) : id_(id), vm_(vm), port_(port) {}
    Vcpu(const Vcpu &) = delete;
    Vcpu &operator=(const Vcpu &) = delete;

    [[nodiscard]] Vm &vm() const { return vm_; }
    [[nodiscard]] VcpuId id() const { return id_; }
    [[nodiscard]] VcpuPort &port() const { return port_; }
    [[nodiscard]] PowerState power_state() const { return power_.load(std::memory_order_acquire); }
    [[nodiscard]] const ExitCounters &counters() const { return counters_; }
    /// Stopped at its port: off, held, or its VM is paused or stopped.
    [[nodiscard]] bool is_parked() const { return parked_.load(std::memory_order_seq_cst); }
    /// Parked or inside an exit of its own: the port's registers may be touched.
    [[nodiscard]] bool is_reachable() const { return is_parked() || in_exit_.load(std::memory_order_relaxed); }

    /// The interrupt controller calls this from any thread, and the VM when its state changes; the end of the next exit
    /// then calls IrqDelivery::sync and looks at the state.
    /// True: the vCPU must be kicked, too. False: it is handling an exit and will look at the request by itself.
    [[nodiscard]] bool request_sync() {
        // Either this sees that the exit is still being handled, or the end of the exit sees the request: both
        // sides store first and load second, in one total order.
        needs_sync_.store(kRequested, std::memory_order_seq_cst);
        return !in_exit_.load(std::memory_order_seq_cst);
    }
    [[nodiscard]] bool sync_requested() const {
        return (needs_sync_.load(std::memory_order_seq_cst) & kRequested) != 0;
    }
    [[nodiscard]] bool take_sync_request() {
        return needs_sync_.load(std::memory_order_relaxed) != 0 &&
               needs_sync_.exchange(0, std::memory_order_acquire) != 0;
    }
    /// Sleeps without power (Vm::power_down); it is on all the same.
    [[nodiscard]] bool is_asleep() const { return (errands_.load(std::memory_order_relaxed) & kAsleep) != 0; }

private:
    friend class Vm;
    friend class VcpuWork;
    enum SyncRequest : u8 {
        kRequested = 1,
        kEveryExit = 2, ///< while it is asleep: nobody asks, but no exit may end without a look
    };
    /// What the end of an exit has to do besides, when a sync was requested.
    enum Errand : u8 {
        kLeaveMap = 1, ///< the map has changed: forget last_slot_, and say so
        kAsleep = 2,   ///< look whether it wakes up
        kWork = 4,     ///< a step of its devices' work
    };
    /// What it goes on with when it wakes up.
    struct WakeUp {
        VcpuStart start;
        u32 system_register = 0; ///< bits of it are as they were when it went to sleep
        u64 mask = 0;
    };
    [[nodiscard]] bool has_request() const { return needs_sync_.load(std::memory_order_seq_cst) != 0; }

    std::atomic<bool> in_exit_{false};       ///< from the start of an exit's dispatch to its end
    std::atomic<u8> needs_sync_{kRequested}; ///< of SyncRequest; stays set while the VM is not running
    std::atomic<u8> errands_{0};             ///< of Errand
    std::atomic<PowerState> power_{PowerState::off};
    std::atomic<bool> parked_{true}; ///< stopped at its port: off, or held by its handler or for a change of the VM
    VcpuId id_;
    Vm &vm_;
    VcpuPort &port_;
    MapSlot *last_slot_ = nullptr; ///< of the address map: most accesses go where this vCPU's last one went
    std::atomic<u64> map_left_{
        0}; ///< AddressMap::removals() up to which this vCPU cannot have anything that was taken away
    ExitCounters counters_;
    RepeatGuard retries_;     ///< of accesses to memory that is mapped already
    bool told_stuck_ = false; ///< that it is
    WakeUp wake_up_;          ///< while it is asleep
};

} // namespace sel4vm
