// SPDX-License-Identifier: BSD-2-Clause
#include <sel4vm/vm/vcpu_work.hpp>

#include <sel4vm/base/fence.hpp>
#include <sel4vm/vm/vm.hpp>

#include <algorithm>

namespace sel4vm {

void VcpuWork::ask(DeviceWork &work, VcpuId by) {
    work.want();
    give_to_any(by);
}

/// False: it is off, or about to be, and may not look any more.
bool VcpuWork::give_to(Vcpu &vcpu) {
    static_cast<void>(vcpu.errands_.fetch_or(Vcpu::kWork, std::memory_order_release));
    // Either this sees that the vCPU goes off, or leaving() sees the errand.
    full_fence();
    if (vcpu.power_state() != PowerState::on)
        return false;
    if (vcpu.request_sync() && !vcpu.is_parked())
        vcpu.port().kick();
    return true;
}

// When all are off the VM has stopped, or is about to start, and then its devices are reset.
void VcpuWork::give_to_any(VcpuId first) {
    if (first.value() < vm_.vcpu_count() && give_to(vm_.vcpu(first)))
        return;
    for (u16 n = 0; n < vm_.vcpu_count(); ++n)
        if (Vcpu &other = vm_.vcpu(VcpuId{n}); other.power_state() == PowerState::on && give_to(other))
            return;
}

bool VcpuWork::any_wanted() const {
    return std::any_of(works_.begin(), works_.end(), [](const DeviceWork *work) { return work->is_wanted(); });
}

bool VcpuWork::run(Vcpu &vcpu) {
    constexpr u64 kLeastBytes = 64; // what a call counts for
    worked_last_.store(vcpu.id().value(), std::memory_order_relaxed);
    const usize first = first_.fetch_add(1, std::memory_order_relaxed);
    u64 left = kStepBytes;
    for (bool any = true; any && left > 0;) {
        any = false; // one may ask for another
        for (usize n = 0; n < works_.size() && left > 0; ++n) {
            DeviceWork &work = *works_[(first + n) % works_.size()];
            if (!work.take())
                continue;
            any = true;
            if (work.work(left))
                work.want();
            left -= std::min(left, kLeastBytes);
        }
    }
    // Either this sees what is wanted, or whoever wants it asks again.
    static_cast<void>(vcpu.errands_.fetch_and(u8{0xff} ^ Vcpu::kWork, std::memory_order_acquire));
    full_fence();
    if (!any_wanted())
        return false;
    static_cast<void>(vcpu.errands_.fetch_or(Vcpu::kWork, std::memory_order_relaxed));
    static_cast<void>(vcpu.request_sync());
    timeouts_.arm(pause_, clock_.now_ticks() + clock_.ticks_per_second() * kPauseMicroseconds / 1'000'000);
    return true;
}

void VcpuWork::leaving(Vcpu &vcpu) {
    full_fence();
    if ((vcpu.errands_.fetch_and(u8{0xff} ^ Vcpu::kWork, std::memory_order_acquire) & Vcpu::kWork) != 0 && any_wanted())
        give_to_any(vcpu.id());
}

} // namespace sel4vm
