// SPDX-License-Identifier: BSD-2-Clause
#include <hosts/kvm/exit_decoding.hpp>

#include <sel4vm/arch/aarch64/hypercall.hpp>
#include <sel4vm/arch/aarch64/psci.hpp>

#include <cerrno>

namespace sel4vm::kvm {

namespace {

std::optional<Width> width_of(u32 bytes) {
    switch (bytes) {
    case 1: return Width::b1;
    case 2: return Width::b2;
    case 4: return Width::b4;
    case 8: return Width::b8;
    default: return std::nullopt;
    }
}

Exit unknown(const kvm_run &run, u64 code) { return Exit{UnknownExit{run.exit_reason, code}}; }

Exit decode_access(const kvm_run &run) {
    const auto width = width_of(run.mmio.len);
    if (!width)
        return unknown(run, run.mmio.len);
    MemoryExit memory{Gpa{run.mmio.phys_addr}, 0, MemoryAccess::read, *width, true};
    if (run.mmio.is_write != 0) {
        memory.access = MemoryAccess::write;
        for (unsigned i = 0; i < run.mmio.len; ++i)
            memory.data |= u64{run.mmio.data[i]} << (8 * i);
    }
    return Exit{memory};
}

/// An access without a syndrome: a pair, SIMD, or with write-back.
Exit decode_blind_access(const kvm_run &run) {
    constexpr u64 kWrite = u64{1} << 6; // ISS.WnR
    const MemoryAccess access = (run.arm_nisv.esr_iss & kWrite) != 0 ? MemoryAccess::write : MemoryAccess::read;
    return Exit{MemoryExit{Gpa{run.arm_nisv.fault_ipa}, 0, access, Width::b1, false}};
}

Exit decode_system_event(const kvm_run &run) {
    switch (run.system_event.type) {
    case KVM_SYSTEM_EVENT_SHUTDOWN:
        return Exit{aarch64::hypercall(aarch64::psci::kSystemOff, 0, aarch64::Conduit::hvc)};
    case KVM_SYSTEM_EVENT_RESET: return Exit{aarch64::hypercall(aarch64::psci::kSystemReset, 0, aarch64::Conduit::hvc)};
    default: return unknown(run, run.system_event.type);
    }
}

} // namespace

std::optional<Exit> decode_exit(const kvm_run &run) {
    switch (run.exit_reason) {
    case KVM_EXIT_MMIO: return decode_access(run);
    case KVM_EXIT_ARM_NISV: return decode_blind_access(run);
    case KVM_EXIT_SYSTEM_EVENT: return decode_system_event(run);
    case KVM_EXIT_DEBUG: return Exit{ExitKind::debug};
    case KVM_EXIT_INTR: return std::nullopt;
    case KVM_EXIT_FAIL_ENTRY: return unknown(run, run.fail_entry.hardware_entry_failure_reason);
    case KVM_EXIT_INTERNAL_ERROR: return unknown(run, run.internal.suberror);
    default: return unknown(run, 0);
    }
}

std::optional<Exit> decode_error(int error) {
    if (error == EINTR || error == EAGAIN)
        return std::nullopt;
    return Exit{UnknownExit{KVM_EXIT_UNKNOWN, static_cast<u64>(error)}};
}

void put_read_data(kvm_run &run, u64 data) {
    for (unsigned i = 0; i < sizeof run.mmio.data; ++i)
        run.mmio.data[i] = static_cast<u8>(data >> (8 * i));
}

} // namespace sel4vm::kvm
