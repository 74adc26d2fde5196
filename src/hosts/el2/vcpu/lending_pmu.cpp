// SPDX-License-Identifier: BSD-2-Clause
//
// Whose the performance monitors are. Accesses trap until a guest makes one (VcpuPmu); then they are the loaded vCPU's until another one takes its
// place, and again at once when it comes back, if they count or let EL0 in. So one that never uses them costs a test at a switch, and one that
// has looked at them once no more.
//
// The interrupt is a level of the hardware's that follows the guest's accesses. When it comes it stays active, which masks it, the guest's wire goes
// high, and accesses trap again: the one that makes the level fall is seen, and ends all of that.
#include <hosts/el2/vcpu/processor.hpp>

#include <hosts/el2/lib/sysreg.hpp>

#include <sel4vm/arch/aarch64/system_registers.hpp>

namespace sel4vm::el2 {

using aarch64::MdcrEl2;

// As the vCPU that has them needs it; takes effect at the next exception return.
void Processor::trap_pmu(const Vcpu &vcpu) {
    constexpr u64 kTraps = MdcrEl2::Tpm::mask | MdcrEl2::Tpmcr::mask;
    SEL4VM_WRITE_SYSREG(mdcr_el2, vcpu.pmu_asserts_ ? controls_[Control::mdcr] : controls_[Control::mdcr] & ~kTraps);
}

[[gnu::noinline]] void Processor::lend_pmu(Vcpu &vcpu) {
    if (pmu_lent_)
        return;
    pmu_lent_ = true;
    if (vcpu.pmu_asserts_)
        gic_.set_active(pmu_intid_);
    pmu_.load(vcpu.pmu_);
    trap_pmu(vcpu);
}

[[gnu::noinline]] void Processor::take_back_pmu(Vcpu &vcpu) {
    pmu_lent_ = false;
    pmu_.save(vcpu.pmu_);
    if (vcpu.pmu_asserts_)
        gic_.clear_active(pmu_intid_);
    SEL4VM_WRITE_SYSREG(mdcr_el2, controls_[Control::mdcr]);
}

// After an access of a guest that trapped. That the level has risen is the physical interrupt's to say.
void Processor::follow_pmu_interrupt(Vcpu &vcpu) {
    if (!vcpu.pmu_asserts_ || pmu_.interrupt_asserted())
        return;
    vcpu.pmu_asserts_ = false;
    trap_pmu(vcpu);
    vcpu.pmu_port_.sink().pmu_interrupt(aarch64::Wire::low);
    gic_.deactivate(IrqToken::of(pmu_intid_));
}

void Processor::take_pmu_interrupt(IrqToken token) {
    // The level may have fallen on the way.
    if (!pmu_lent_ || !pmu_.interrupt_asserted()) {
        gic_.deactivate(token);
        return;
    }
    Vcpu &vcpu = *loaded_;
    vcpu.pmu_asserts_ = true;
    trap_pmu(vcpu);
    attention_.store(1, std::memory_order_relaxed);
    vcpu.pmu_port_.sink().pmu_interrupt(aarch64::Wire::high);
}

} // namespace sel4vm::el2
