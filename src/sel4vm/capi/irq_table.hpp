// SPDX-License-Identifier: BSD-2-Clause
//
// Which interrupts a client has registered, and whom it wants called at their end. Shared interrupts are registered for the
// VM, private ones for each vCPU. Software-generated interrupts and the virtual timer's are the library's own: every vCPU has
// them, and a client's registration takes one over to hear its end.
#pragma once

#include <sel4vm/arch/aarch64/timer_registers.hpp>
#include <sel4vm/capi/growing_array.hpp>
#include <sel4vm/vm/irq.hpp>

#include <sel4vm/guest_irq_controller.h>

#include <atomic>

namespace sel4vm::capi {

class IrqTable final : public EoiListener {
public:
    static constexpr u32 kFirstPpi = 16;
    static constexpr u32 kFirstShared = 32;
    static constexpr u32 kLimit = 1020; ///< INTIDs from here on have special meanings

    IrqTable(Allocator &allocator, vm_t &vm) : rows_(allocator), vm_(vm) {}

    /// `kept`: another registration of the same shared interrupt, of which the first one stays, as in libsel4vm: devices that
    /// share a line register it each (cross-VM connections do).
    enum class Added : u8 { done, kept, already, out_of_memory };
    [[nodiscard]] Added add(VcpuId vcpu, u32 intid, irq_ack_fn_t ack, void *cookie);
    [[nodiscard]] bool has(VcpuId vcpu, u32 intid) const {
        return is_own(intid) || find(key_of(vcpu, intid)) != nullptr;
    }

    /// From now on the controller tells the ends of all registered interrupts, later ones included.
    void connect(IrqRouter &router);

    // -- EoiListener
    void interrupt_ended(VcpuId vcpu, u32 intid) override;

private:
    struct Row {
        u32 key;
        irq_ack_fn_t ack;
        void *cookie;
    };
    [[nodiscard]] static bool is_own(u32 intid) { return intid < kFirstPpi || intid == aarch64::kTimerIntidVirtual; }
    [[nodiscard]] static u32 key_of(VcpuId vcpu, u32 intid) {
        return intid >= kFirstShared ? intid : u32{vcpu.value()} << 16 | intid;
    }
    [[nodiscard]] static u32 intid_of(u32 key) { return key & 0xffff; }
    [[nodiscard]] const Row *find(u32 key) const {
        // Most often the one of the last search. Threads may race on it: any place is right, because it is checked.
        const usize last = last_.load(std::memory_order_relaxed);
        if (last < rows_.size() && rows_[last].key == key) [[likely]]
            return &rows_[last];
        return search(key);
    }
    [[nodiscard]] const Row *search(u32 key) const;
    void listen(u32 intid);

    GrowingArray<Row> rows_; // by key
    vm_t &vm_;
    IrqRouter *router_ = nullptr;
    mutable std::atomic<usize> last_{0};
};

} // namespace sel4vm::capi
