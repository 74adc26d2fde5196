// SPDX-License-Identifier: BSD-2-Clause
//
// The functions about the power of CPUs. Rare: compiled for size.
#include <sel4vm/dev/arm/psci.hpp>

#include <sel4vm/arch/aarch64/affinity.hpp>
#include <sel4vm/arch/aarch64/psci.hpp>
#include <sel4vm/arch/aarch64/sysreg.hpp>
#include <sel4vm/arch/aarch64/system_registers.hpp>
#include <sel4vm/dev/arm/firmware_call.hpp>
#include <sel4vm/vm/vm.hpp>

namespace sel4vm::dev {

namespace psci = aarch64::psci;

namespace {

[[nodiscard]] bool is_entry(FirmwareCall call, u64 entry) {
    return is_aligned(entry, 4) && call.vcpu().vm().memory().contains(Gpa{entry}, 4);
}

/// To go on at the entry with the context, which are arguments `n` and the next, and otherwise as a CPU that was started.
Answer power_down(FirmwareCall call, unsigned n) {
    if (!is_entry(call, call.argument(n)))
        return call.finish(psci::kInvalidAddress);
    return call.vcpu().vm().power_down(call.vcpu(), {call.argument(n), call.argument(n + 1)},
                                       aarch64::sysreg::kSctlrEl1, aarch64::SctlrEl1::kEndianness);
}

} // namespace

Answer Psci::cpu_suspend(FirmwareCall call) {
    const aarch64::PsciPowerState state{call.argument32(1)};
    if ((state.raw() & aarch64::PsciPowerState::kReserved) != 0)
        return call.finish(psci::kInvalidParameters);
    if (state.get<aarch64::PsciPowerState::StateType>() == aarch64::PowerStateType::powerdown)
        return power_down(call, 2);
    return call.finish(psci::kSuccess).then(Next::block);
}

Answer Psci::cpu_off(FirmwareCall call) { return call.vcpu().vm().power_off(call.vcpu()); }

Answer Psci::cpu_on(FirmwareCall call) {
    Vm &vm = call.vcpu().vm();
    const auto target = aarch64::vcpu_of_affinity(call.argument(1), vm.vcpu_count());
    if (!target)
        return call.finish(psci::kInvalidParameters);
    const u64 entry = call.argument(2);
    if (!is_entry(call, entry))
        return call.finish(psci::kInvalidAddress);
    // Initial core state: endianness is the caller's, at EL1 and EL0.
    const Vm::Inherited endianness{call.vcpu(), aarch64::sysreg::kSctlrEl1, aarch64::SctlrEl1::kEndianness};
    switch (vm.power_on(vm.vcpu(VcpuId{static_cast<u16>(*target)}), {entry, call.argument(3)}, endianness)) {
    case Vm::PowerOn::done: return call.finish(psci::kSuccess);
    case Vm::PowerOn::already_on: return call.finish(psci::kAlreadyOn);
    case Vm::PowerOn::on_pending: return call.finish(psci::kOnPending);
    case Vm::PowerOn::wrong_state: break; // the VM is about to pause, reset or stop
    }
    return call.finish(psci::kInternalFailure);
}

Answer Psci::affinity_info(FirmwareCall call) {
    Vm &vm = call.vcpu().vm();
    const u64 target = call.argument(1);
    const u64 level = call.argument(2);
    if (level > 3 || (target & ~aarch64::kMpidrAffinityMask) != 0)
        return call.finish(psci::kInvalidParameters);
    const u64 mask = aarch64::affinity_mask_from_level(static_cast<unsigned>(level));
    bool found = false;
    bool pending = false;
    for (u16 n = 0; n < vm.vcpu_count(); ++n) {
        if (((aarch64::affinity_of_vcpu(n) ^ target) & mask) != 0)
            continue;
        found = true;
        switch (vm.vcpu(VcpuId{n}).power_state()) {
        case PowerState::on:
        case PowerState::off_pending: return call.finish(psci::kAffinityOn); // one that is on makes its cluster on
        case PowerState::on_pending: pending = true; break;
        case PowerState::off: break;
        }
    }
    if (!found)
        return call.finish(psci::kInvalidParameters);
    return call.finish(pending ? psci::kAffinityOnPending : psci::kAffinityOff);
}

Answer Psci::system_suspend(FirmwareCall call) {
    Vm &vm = call.vcpu().vm();
    for (u16 n = 0; n < vm.vcpu_count(); ++n) {
        const Vcpu &other = vm.vcpu(VcpuId{n});
        if (&other != &call.vcpu() && other.power_state() != PowerState::off)
            return call.finish(psci::kDenied);
    }
    return power_down(call, 1);
}

} // namespace sel4vm::dev
