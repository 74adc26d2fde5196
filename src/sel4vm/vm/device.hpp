// SPDX-License-Identifier: BSD-2-Clause
//
// The interface between the bus and a device model. A device is a register machine: it knows offsets, never its base
// address, its interrupt number or the host. The bus calls it under a lock of this device, so a device needs none for its
// accesses. Its timeouts come without it, on the executor that owns their queue: a device that has some and no lock of its own is for VMs which that executor serves alone.
#pragma once

#include <sel4vm/base/result.hpp>
#include <sel4vm/base/types.hpp>
#include <sel4vm/host/exit.hpp>

namespace sel4vm {

/// Why a device refuses an access. The VM's fault policy decides what the guest sees.
enum class BusFault : u8 {
    unmapped,  ///< nothing at this offset, and the device does not read as zero there
    width,     ///< this register does not take accesses of this width
    alignment, ///< the offset is not a multiple of the width, or lies inside a register
    denied,    ///< a rule of the device or client forbids it
    failed,    ///< a device of the machine, to which it was forwarded, has answered with an error
};

/// One access, wholly inside the device's range.
struct Access {
    u64 offset;
    Width width;
    VcpuId vcpu; ///< who; devices with per-CPU registers (GIC) need it
};

/// Who keeps vCPUs from disturbing each other inside a device.
enum class LockedBy : u8 {
    bus,    ///< the bus holds a lock of LockRank::device during each access
    device, ///< its own locks: when it holds none, it may call out of an access to whoever may do anything
};

class MmioDevice {
public:
    [[nodiscard]] virtual const char *name() const = 0;
    /// The value, zero above the width.
    [[nodiscard]] virtual Result<u64, BusFault> read(const Access &access) = 0;
    /// `value` is zero above the width.
    [[nodiscard]] virtual Status<BusFault> write(const Access &access, u64 value) = 0;
    /// Power-on state; lines are lowered.
    virtual void reset() = 0;
    [[nodiscard]] virtual LockedBy locked_by() const { return LockedBy::bus; }

protected:
    ~MmioDevice() = default;
};

class Vcpu;

/// Emulates trapped system registers; registered for ranges of identifiers.
class SystemRegisterHandler {
public:
    [[nodiscard]] virtual const char *name() const = 0;
    /// BusFault of any kind: the register does not exist (policy: UNDEF).
    [[nodiscard]] virtual Result<u64, BusFault> read(Vcpu &vcpu, u32 id) = 0;
    [[nodiscard]] virtual Status<BusFault> write(Vcpu &vcpu, u32 id, u64 value) = 0;
    /// The registers of this vCPU as after its reset: before it is started, and when the VM resets. Called once for each
    /// range that the handler is registered for.
    virtual void reset_vcpu(Vcpu &vcpu) { static_cast<void>(vcpu); }

protected:
    ~SystemRegisterHandler() = default;
};

/// Serves hypercalls; registered for ranges of function identifiers.
class HypercallHandler {
public:
    /// Reads arguments from and writes results to the general registers of the vCPU's port.
    [[nodiscard]] virtual Answer call(Vcpu &vcpu, const HypercallExit &exit) = 0;

protected:
    ~HypercallHandler() = default;
};

} // namespace sel4vm
