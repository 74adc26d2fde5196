// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/system.hpp>

#include <array>
#include <cstring>
#include <fcntl.h>
#include <linux/kvm.h>
#include <sys/utsname.h>

namespace sel4vm::kvm {

namespace {

constexpr std::string_view kMachine = "aarch64";

struct Needed {
    int number;
    std::string_view name;
};
/// Linux 5.5 has them all.
constexpr std::array kNeeded{
    Needed{KVM_CAP_ARM_PSCI_0_2, "PSCI for guests (KVM_CAP_ARM_PSCI_0_2)"},
    Needed{KVM_CAP_ONE_REG, "access to registers (KVM_CAP_ONE_REG)"},
    Needed{KVM_CAP_DEVICE_CTRL, "interrupt controllers (KVM_CAP_DEVICE_CTRL)"},
    Needed{KVM_CAP_READONLY_MEM, "read-only memory (KVM_CAP_READONLY_MEM)"},
    Needed{KVM_CAP_IMMEDIATE_EXIT, "prompt exits (KVM_CAP_IMMEDIATE_EXIT)"},
    Needed{KVM_CAP_ARM_INJECT_EXT_DABT, "external aborts (KVM_CAP_ARM_INJECT_EXT_DABT)"},
    Needed{KVM_CAP_ARM_NISV_TO_USER, "accesses without a syndrome (KVM_CAP_ARM_NISV_TO_USER)"},
};

} // namespace

std::string explain(const Findings &findings) {
    const std::string wrong_machine =
        "this program runs AArch64 guests by KVM, which takes an AArch64 machine; this one is " +
        std::string(findings.machine) + ": use './dev run', which emulates one";
    if (findings.machine != kMachine)
        return wrong_machine;
    switch (findings.open_error) {
    case 0: break;
    case EACCES:
    case EPERM:
        return "no permission to open /dev/kvm: join its group (as root: adduser USER kvm, then log in again), or run "
               "as root";
    case ENOENT:
    case ENXIO:
    case ENODEV:
        return "there is no /dev/kvm: this needs a Linux kernel with KVM that was started at EL2 (in a virtual "
               "machine: one with "
               "nested virtualization)";
    default: return "/dev/kvm cannot be opened: " + std::string(std::strerror(findings.open_error));
    }
    if (findings.api_version != KVM_API_VERSION)
        return "this kernel's KVM speaks version " + std::to_string(findings.api_version) +
               " of its interface, and 12 is needed: use Linux 5.5 or newer";
    if (!findings.lacking.empty())
        return "this kernel's KVM lacks " + std::string(findings.lacking) + ": use Linux 5.5 or newer";
    return {};
}

std::string_view System::find_lacking() {
    for (const Needed &needed : kNeeded) {
        if (kvm_.request(KVM_CHECK_EXTENSION, static_cast<u64>(needed.number)).value_or(0) <= 0)
            return needed.name;
    }
    return {};
}

std::string System::open() {
    utsname name{};
    uname(&name);
    Findings findings{name.machine};
    if (findings.machine == kMachine) {
        kvm_ = File{::open("/dev/kvm", O_RDWR | O_CLOEXEC)};
        if (!kvm_) {
            findings.open_error = errno;
        } else {
            findings.api_version = kvm_.request(KVM_GET_API_VERSION).value_or(0);
            findings.lacking = find_lacking();
        }
    }
    if (std::string problem = explain(findings); !problem.empty())
        return problem;
    const auto count = [&](u64 capability) {
        return static_cast<u32>(kvm_.request(KVM_CHECK_EXTENSION, capability).value_or(0));
    };
    memory_slots_ = count(KVM_CAP_NR_MEMSLOTS);
    max_vcpus_ = count(KVM_CAP_MAX_VCPUS);
    const auto vm = kvm_.request(KVM_CREATE_VM);
    if (!vm)
        return "KVM could not make a VM: " + std::string(std::strerror(vm.error().code));
    const File probe{*vm};
    has_v2_ = Gic::is_available(probe, GicVersion::v2);
    has_v3_ = Gic::is_available(probe, GicVersion::v3);
    if (!has_v2_ && !has_v3_)
        return "KVM has no interrupt controller for guests on this machine (neither GICv2 nor GICv3): use './dev run', "
               "which emulates one";
    return {};
}

Result<File, HostError> System::make_vm() const {
    File vm{SEL4VM_TRY(kvm_.request(KVM_CREATE_VM))};
    kvm_enable_cap cap{};
    cap.cap = KVM_CAP_ARM_NISV_TO_USER;
    SEL4VM_TRY(vm.request_with(KVM_ENABLE_CAP, cap));
    return vm;
}

} // namespace sel4vm::kvm
