// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/kernel_vcpu.hpp>

#include <sys/mman.h>

namespace sel4vm::kvm {

KvmVcpu::~KvmVcpu() {
    if (run_ != nullptr)
        munmap(run_, run_bytes_);
}

Status<HostError> KvmVcpu::open(const File &kvm, const File &vm, u32 number) {
    const int size = SEL4VM_TRY(kvm.request(KVM_GET_VCPU_MMAP_SIZE));
    file_ = File{SEL4VM_TRY(vm.request(KVM_CREATE_VCPU, number))};
    run_bytes_ = static_cast<usize>(size);
    void *const page = mmap(nullptr, run_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file_.number(), 0);
    if (page == MAP_FAILED)
        return Err{host_error(errno)};
    run_ = static_cast<kvm_run *>(page);
    SEL4VM_TRY(vm.request_with(abi::kPreferredTarget, init_));
    init_.features[0] = 1u << abi::kFeaturePsci;
    return reset(number == 0 ? PowerOn::running : PowerOn::by_psci);
}

Status<HostError> KvmVcpu::set_timer_interrupts(u32 virtual_timer, u32 physical_timer) {
    const auto set = [&](u64 timer, u32 intid) {
        // SAFETY: the kernel takes the address of the value as a number.
        kvm_device_attr attribute{0, abi::kTimerControl, timer, reinterpret_cast<u64>(&intid)};
        return file_.request_with(KVM_SET_DEVICE_ATTR, attribute);
    };
    SEL4VM_TRY(set(abi::kTimerVirtual, virtual_timer));
    SEL4VM_TRY(set(abi::kTimerPhysical, physical_timer));
    return Ok{};
}

int KvmVcpu::run() { return ::ioctl(file_.number(), KVM_RUN, 0) < 0 ? errno : 0; }

Result<u64, HostError> KvmVcpu::get(u64 name) {
    u64 value = 0;
    // SAFETY: the kernel takes the address of the value as a number.
    kvm_one_reg request{name, reinterpret_cast<u64>(&value)};
    SEL4VM_TRY(file_.request_with(KVM_GET_ONE_REG, request));
    return value;
}

Status<HostError> KvmVcpu::set(u64 name, u64 value) {
    // SAFETY: as above.
    kvm_one_reg request{name, reinterpret_cast<u64>(&value)};
    SEL4VM_TRY(file_.request_with(KVM_SET_ONE_REG, request));
    return Ok{};
}

Status<HostError> KvmVcpu::reset(PowerOn power) {
    abi::VcpuInit init = init_;
    if (power == PowerOn::by_psci)
        init.features[0] |= 1u << abi::kFeaturePoweredOff;
    SEL4VM_TRY(file_.request_with(abi::kVcpuInit, init));
    return Ok{};
}

Status<HostError> KvmVcpu::raise_external_abort() {
    abi::VcpuEvents events{};
    events.external_abort_pending = 1;
    SEL4VM_TRY(file_.request_with(abi::kSetVcpuEvents, events));
    return Ok{};
}

} // namespace sel4vm::kvm
