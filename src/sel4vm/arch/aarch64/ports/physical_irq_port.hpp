// SPDX-License-Identifier: BSD-2-Clause
//
// Shared interrupts of the hardware that a guest has as its own, under the same number: what the software GIC does to the physical one as
// the guest configures its own. When one comes, the host acknowledges it, drops its priority and leaves it active, so that it cannot come
// again, and says so (PhysicalIrqSink). It stays active until the guest has ended it: by a list register that is linked to it
// (hardware_link), or by end().
#pragma once

#include <sel4vm/base/types.hpp>

namespace sel4vm::aarch64 {

enum class PhysicalTrigger : u8 { level, edge };

/// Who is told that a physical interrupt came.
class PhysicalIrqSink {
public:
    /// It is active now. From any CPU.
    virtual void physical_irq(u32 intid) = 0;

protected:
    ~PhysicalIrqSink() = default;
};

/// Threads: from any, one call at a time for one VM; none fails.
class PhysicalIrqPort {
public:
    /// Disabled, not active, and the sink's from now on. Once for each INTID, while the VM is built.
    virtual void connect(u32 intid, PhysicalTrigger trigger, PhysicalIrqSink &sink) = 0;
    virtual void enable(u32 intid) = 0;
    /// It does not come from now on, but perhaps once that is under way.
    virtual void disable(u32 intid) = 0;
    /// Of one that is disabled.
    virtual void set_trigger(u32 intid, PhysicalTrigger trigger) = 0;
    /// It comes to this vCPU's CPU from now on.
    virtual void route(u32 intid, VcpuId vcpu) = 0;
    /// It may come again: not active any more.
    virtual void end(u32 intid) = 0;

protected:
    ~PhysicalIrqPort() = default;
};

} // namespace sel4vm::aarch64
