// SPDX-License-Identifier: BSD-2-Clause
//
// The interrupts of the machine that one VM has as its own, in the physical distributor. Nothing here touches a CPU's own interface, so that
// it is the same from any CPU.
#pragma once

#include <hosts/el2/platform/gic.hpp>
#include <hosts/el2/platform/passed_irq_table.hpp>
#include <hosts/el2/vcpu/vcpu.hpp>

#include <sel4vm/base/allocator.hpp>
#include <sel4vm/base/mutex.hpp>

#include <span>

namespace sel4vm::el2 {

/// VMs share registers of the distributor; one for all of them.
struct PassedIrqShare {
    PassedIrqTable table;
    Mutex lock{LockRank::host, LockMode::spin};
};

class PassedIrqs final : public aarch64::PhysicalIrqPort {
public:
    /// Everything outlives it; `vcpus` are the VM's by number.
    PassedIrqs(Gic &gic, PassedIrqShare &share, std::span<const Owned<Vcpu>> vcpus)
        : gic_(gic), share_(share), vcpus_(vcpus) {}

    void connect(u32 intid, aarch64::PhysicalTrigger trigger, aarch64::PhysicalIrqSink &sink) override;
    void enable(u32 intid) override { gic_.enable(intid); }
    void disable(u32 intid) override { gic_.disable(intid); }
    void set_trigger(u32 intid, aarch64::PhysicalTrigger trigger) override;
    void route(u32 intid, VcpuId vcpu) override;
    void end(u32 intid) override { gic_.clear_active(intid); }

private:
    Gic &gic_;
    PassedIrqShare &share_;
    std::span<const Owned<Vcpu>> vcpus_;
};

} // namespace sel4vm::el2
